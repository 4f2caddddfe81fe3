// Firefox and WebKit, driven as each of them is: WebDriver BiDi by puppeteer-core, and WebDriver over HTTP in a screen of Xvfb.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import puppeteer from 'puppeteer-core';

/** What a test needs of a browser. */
export interface Visitor {
  goto(url: string): Promise<void>;
  /** The value of an expression in the page. */
  evaluate<T>(expression: string): Promise<T>;
  close(): Promise<void>;
}

export interface Kind {
  name: string;
  /** Debian's packages that bring it. */
  packages: string;
  installed(): boolean;
  start(): Promise<Visitor>;
}

const PATH = (process.env.PATH ?? '').split(':');
const onPath = (program: string): string | undefined => PATH.map((folder) => `${folder}/${program}`).find(existsSync);

const firefox: Kind = {
  name: 'Firefox',
  packages: 'firefox-esr',
  installed: () => onPath('firefox-esr') !== undefined,
  async start() {
    const browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: onPath('firefox-esr'),
      headless: true,
      extraPrefsFirefox: { 'media.autoplay.default': 0 },
    });
    const page = await browser.newPage();
    return {
      goto: async (url) => void (await page.goto(url)),
      evaluate: <T>(expression: string) => page.evaluate(expression) as Promise<T>,
      close: () => browser.close(),
    };
  },
};

/** WebKitGTK's browser for tests; its folder carries the version of its interface. */
const LIBRARIES = '/usr/lib/x86_64-linux-gnu';
const miniBrowser = (): string | undefined => {
  const folders = existsSync(LIBRARIES) ? readdirSync(LIBRARIES).filter((name) => name.startsWith('webkit2gtk-')) : [];
  return folders.map((folder) => `${LIBRARIES}/${folder}/MiniBrowser`).find(existsSync);
};

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

/** Asks until somebody answers: the driver is a process that has just begun. */
async function answered(url: string, init?: RequestInit): Promise<Response> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await fetch(url, init);
    } catch (error) {
      if (attempt > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

const webkit: Kind = {
  name: 'WebKit',
  packages: 'webkit2gtk-driver xvfb xauth gstreamer1.0-libav gstreamer1.0-plugins-good gstreamer1.0-plugins-bad',
  installed: () => ['WebKitWebDriver', 'xvfb-run', 'Xvfb'].every(onPath) && miniBrowser() !== undefined,
  async start() {
    const port = await freePort();
    // A group of its own, so that the screen ends with the driver.
    const driver: ChildProcess = spawn(
      'xvfb-run',
      ['-a', '-s', '-screen 0 1280x800x24', 'WebKitWebDriver', `--port=${port}`],
      { stdio: 'ignore', detached: true },
    );
    const end = () => {
      if (driver.pid && driver.exitCode === null) process.kill(-driver.pid, 'SIGTERM');
    };
    const base = `http://127.0.0.1:${port}`;
    const ask = async (path: string, body: unknown): Promise<any> => {
      const answer = await answered(`${base}${path}`, { method: 'POST', body: JSON.stringify(body) });
      const { value } = (await answer.json()) as { value: any };
      if (!answer.ok) throw new Error(`${path}: ${JSON.stringify(value)}`);
      return value;
    };
    try {
      const options = { binary: miniBrowser(), args: ['--automation'] };
      const { sessionId } = await ask('/session', {
        capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } },
      });
      const session = `/session/${sessionId}`;
      return {
        goto: async (url) => void (await ask(`${session}/url`, { url })),
        evaluate: <T>(expression: string) =>
          ask(`${session}/execute/sync`, { script: `return (${expression});`, args: [] }) as Promise<T>,
        close: async () => {
          await fetch(`${base}${session}`, { method: 'DELETE' }).catch(() => undefined);
          end();
        },
      };
    } catch (error) {
      end();
      throw error;
    }
  },
};

export const OTHER_BROWSERS: Kind[] = [firefox, webkit];
