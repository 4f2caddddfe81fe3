// The way of every viewer, in the browsers that are not Chromium: a live room plays, the streamer goes and comes back, and it plays on.
import { createServer, request } from 'node:http';
import { expect, test } from '../support/fixtures.ts';
import { OTHER_BROWSERS, type Visitor } from '../support/other-browsers.ts';

const at = (visitor: Visitor): Promise<number> => visitor.evaluate<number>("document.querySelector('video')?.currentTime ?? -1");
const frames = (visitor: Visitor): Promise<number> =>
  visitor.evaluate<number>("document.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? -1");
const scene = (visitor: Visitor): Promise<string> => visitor.evaluate<string>("document.querySelector('.player')?.dataset.scene ?? ''");

/** Waits until the picture has moved by a second. */
async function expectMoving(visitor: Visitor): Promise<void> {
  await expect.poll(() => scene(visitor), { timeout: 40_000, message: 'what the player shows' }).toBe('playing');
  const [from, shown] = [await at(visitor), await frames(visitor)];
  await expect.poll(() => at(visitor), { timeout: 20_000, message: 'the position moves' }).toBeGreaterThan(from + 1);
  await expect.poll(() => frames(visitor), { timeout: 20_000, message: 'frames are decoded' }).toBeGreaterThan(shown);
}

/** The server's pages with one line more in their head, and without the policy that would forbid it. */
async function withScript(port: number, script: string): Promise<{ url: string; close(): void }> {
  const server = createServer((asked, answer) => {
    const { 'accept-encoding': _, ...headers } = asked.headers;
    const onward = request({ port, host: '127.0.0.1', path: asked.url, method: asked.method, headers }, (answered) => {
      const { 'content-security-policy': policy, 'content-length': length, ...rest } = answered.headers;
      if (!answered.headers['content-type']?.startsWith('text/html')) {
        answer.writeHead(answered.statusCode ?? 502, { ...answered.headers });
        answered.pipe(answer);
        answer.on('close', () => answered.destroy());
        return;
      }
      void policy;
      void length;
      const parts: Buffer[] = [];
      answered.on('data', (part: Buffer) => parts.push(part));
      answered.on('end', () => {
        const html = Buffer.concat(parts).toString().replace('<head>', `<head><script>${script}</script>`);
        answer.writeHead(answered.statusCode ?? 502, rest).end(html);
      });
    });
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

for (const kind of OTHER_BROWSERS) {
  test.describe(kind.name, () => {
    test.skip(!kind.installed(), `not run: ${kind.name} is not installed (Debian: apt-get install ${kind.packages})`);
    test.setTimeout(180_000);

    test('plays, and plays on when the streamer is back', async ({ server, publish }) => {
      const key = await server.createRoom('elsewhere');
      const first = publish(key);
      await expect.poll(async () => (await server.room('elsewhere')).live.state).toBe('live');
      const visitor = await kind.start();
      try {
        await visitor.goto(`${server.url}/rooms/elsewhere`);
        await expectMoving(visitor);
        await first.stop();
        await expect.poll(() => scene(visitor), { timeout: 30_000 }).toBe('ended');
        publish(key);
        await expectMoving(visitor);
      } finally {
        await visitor.close();
      }
    });
  });
}

const webkit = OTHER_BROWSERS.find(({ name }) => name === 'WebKit')!;
test.describe('WebKit, as on a phone', () => {
  test.skip(!webkit.installed(), `not run: WebKit is not installed (Debian: apt-get install ${webkit.packages})`);
  test.setTimeout(180_000);

  test('plays by ManagedMediaSource where that is all there is', async ({ server, publish }) => {
    const key = await server.createRoom('managed');
    publish(key);
    await expect.poll(async () => (await server.room('managed')).live.state).toBe('live');
    const proxy = await withScript(Number(new URL(server.url).port), 'delete window.MediaSource;');
    const visitor = await webkit.start();
    try {
      await visitor.goto(`${proxy.url}/rooms/managed`);
      const there = await visitor.evaluate<boolean>('!("MediaSource" in window) && "ManagedMediaSource" in window');
      test.skip(!there, 'not run: this WebKit has no ManagedMediaSource');
      await expectMoving(visitor);
      expect(await visitor.evaluate<boolean>("document.querySelector('video').disableRemotePlayback")).toBe(true);
    } finally {
      await visitor.close();
      proxy.close();
    }
  });
});
