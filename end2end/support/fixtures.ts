// What every test has at hand: a server, encoders that end with the test, and pages whose console is watched.
import { test as base, expect, type BrowserContext, type ConsoleMessage, type Page } from '@playwright/test';
import { Publisher } from './publisher.ts';
import { Server } from './server.ts';

/** A page did, or loaded, what its own policy forbids. Said by the browser, and by the listener that every page is given. */
const VIOLATION = /content[- ]security[- ]policy/i;

/** A part of the program that was asked for did not come. */
const PART_MISSED = /^(Failed to fetch|error loading dynamically imported module|Importing a module script failed)/;

/** What the pages of one test said to their console that nobody should have to read. */
export class Complaints {
  readonly all: string[] = [];
  #allowed: RegExp[] = [];
  #closed = false;

  /** Says that this test provokes complaints of this form. */
  allow(form: RegExp): void {
    this.#allowed.push(form);
  }

  /** The pages, or the server under those still open, are about to end; what they say of that is right. */
  close(): void {
    this.#closed = true;
  }

  /** A breach of a page's policy is never allowed. */
  get unexpected(): string[] {
    return this.all.filter((text) => VIOLATION.test(text) || !this.#allowed.some((form) => form.test(text)));
  }

  /** Takes the breaches out, for the test that provokes one. */
  takeViolations(): string[] {
    const taken = this.all.filter((text) => VIOLATION.test(text));
    this.all.splice(0, this.all.length, ...this.all.filter((text) => !VIOLATION.test(text)));
    return taken;
  }

  watch(page: Page): void {
    page.on('console', (message: ConsoleMessage) => {
      if (this.#closed && !VIOLATION.test(message.text())) return;
      if (message.type() === 'error' || message.type() === 'warning') {
        this.all.push(`${message.type()}: ${message.text()} (${message.location().url} on ${page.url()})`);
      }
    });
    page.on('pageerror', (error) => {
      // A part of the program that was on its way, in the words of each browser.
      if (this.#closed && PART_MISSED.test(error.message)) return;
      this.all.push(`uncaught: ${error.message} (on ${page.url()})`);
    });
    page.on('crash', () => this.all.push(`crashed: ${page.url()}`));
  }
}

/** Opens a page and waits until the app runs in it. */
export async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await awake(page);
}

/** Waits until the app runs in the page that is open. */
export async function awake(page: Page): Promise<void> {
  await expect(page.locator('html')).toHaveAttribute('data-awake', '', { timeout: 20_000 });
}

export const test = base.extend<{
  server: Server;
  publish: (key: string, file?: string) => Publisher;
  complaints: Complaints;
  watched: (context: BrowserContext) => Promise<BrowserContext>;
}>({
  server: async ({ complaints }, use, info) => {
    const server = await Server.start();
    await use(server);
    complaints.close();
    const [panic] = /panicked at[^]{0,600}/.exec(server.log) ?? [];
    if (panic || info.status !== info.expectedStatus) await info.attach('server.log', { body: server.log, contentType: 'text/plain' });
    await server.stop();
    expect(panic, 'the server panicked').toBeUndefined();
  },

  publish: async ({ server }, use) => {
    const started: Publisher[] = [];
    await use((key, file) => {
      const publisher = Publisher.start(server.rtmp, key, file);
      started.push(publisher);
      return publisher;
    });
    await Promise.all(started.map((publisher) => publisher.kill()));
  },

  complaints: async ({}, use) => {
    const complaints = new Complaints();
    await use(complaints);
    expect(complaints.unexpected, 'what the pages said to the console').toEqual([]);
  },

  // Puts a context's pages, now and later, under watch. They end with the test, for the browser goes on to the next one.
  watched: async ({ complaints }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (context) => {
      contexts.push(context);
      context.on('page', (page) => complaints.watch(page));
      // Some breaches make an event and no line in the console.
      await context.addInitScript(() => {
        window.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sourceFile, lineNumber }) =>
          console.error(`content-security-policy: ${effectiveDirective} forbids ${blockedURI} (${sourceFile}:${lineNumber})`),
        );
      });
      return context;
    });
    complaints.close();
    await Promise.all(contexts.map((context) => context.close()));
  },

  context: async ({ context, watched }, use) => {
    await use(await watched(context));
  },
});

export { expect };
