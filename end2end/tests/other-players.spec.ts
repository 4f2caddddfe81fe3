// The address of a stream is for everybody: flv.js and mpegts.js play it from a page of another origin.
import { expect, test } from '../support/fixtures.ts';
import { expectMoving } from '../support/ui.ts';
import { ARTEFACTS } from '../support/paths.ts';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import path from 'node:path';

for (const way of ['a frame', 'an element'] as const) {
  test(`a room is embedded in a page of another origin by ${way}`, async ({ page, server, publish }) => {
    const key = await server.createRoom('in-a-frame');
    publish(key);
    await expect.poll(async () => (await server.room('in-a-frame')).live.state).toBe('live');
    const shown = {
      'a frame': `<iframe src="${server.url}/embed/in-a-frame?delay=lowest&muted=1" width="640" height="360" allow="autoplay; fullscreen; picture-in-picture"></iframe>`,
      'an element': `<script src="${server.url}/madang-player.js" defer></script><madang-player src="in-a-frame" delay="lowest" title="Our stream"></madang-player>`,
    };
    const html = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${shown[way]}`;
    const other = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(html);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    try {
      await page.addInitScript(() => {
        const request = (): Promise<unknown> => {
          document.documentElement.dataset.screenKept = '';
          return Promise.resolve({ release: () => Promise.resolve() });
        };
        Object.defineProperty(navigator, 'wakeLock', { value: { request } });
      });
      await page.goto(`http://localhost:${(other.address() as AddressInfo).port}/`);
      const frame = page.frameLocator('iframe');
      await expect(frame.locator('.player')).toHaveAttribute('data-scene', 'playing');
      const frames = async () => frame.locator('video').evaluate((video) => (video as HTMLVideoElement).getVideoPlaybackQuality().totalVideoFrames);
      const before = await frames();
      await expect.poll(frames).toBeGreaterThan(before + 10);
      const muted = () => frame.locator('video').evaluate((video) => (video as HTMLVideoElement).muted);
      expect(await muted()).toBe(way === 'a frame');
      await expect(frame.getByRole('link', { name: 'Room in-a-frame' })).toBeVisible();
      await expect(frame.locator('.bar')).toBeHidden();
      const kept = frame.locator('html[data-screen-kept]');
      await expect(kept, 'the screen stays on where the page around allows it').toHaveCount(way === 'an element' ? 1 : 0);
      await page.screenshot({ path: path.join(ARTEFACTS, `embed-${way === 'a frame' ? 'frame' : 'element'}.png`) });
      if (way === 'an element') {
        const address = () => page.locator('iframe').evaluate((iframe) => [(iframe as HTMLIFrameElement).src, (iframe as HTMLIFrameElement).title]);
        expect(await address()).toEqual([`${server.url}/embed/in-a-frame?delay=lowest`, 'Our stream']);
        await page.locator('madang-player').evaluate((element) => element.setAttribute('muted', ''));
        expect((await address())[0]).toBe(`${server.url}/embed/in-a-frame?delay=lowest&muted=1`);
        await page.locator('madang-player').evaluate((element) => element.removeAttribute('muted'));
        // What else may name a room, and what may not.
        const element = page.locator('madang-player');
        for (const [src, delay, path] of [
          [`${server.url}/live/in-a-frame.flv`, 'smooth', `${server.url}/embed/in-a-frame?delay=smooth`],
          ['javascript:alert(1)//rooms/x', 'smooth', 'about:blank'],
          [`${server.url}/rooms/in-a-frame/`, '', `${server.url}/embed/in-a-frame`],
          ['/elsewhere', '', 'about:blank'],
        ]) {
          await element.evaluate((element, [src, delay]) => (element.setAttribute('delay', delay!), element.setAttribute('src', src!)), [src, delay]);
          expect((await address())[0]).toBe(path);
        }
      }
    } finally {
      other.close();
    }
  });
}

const require = createRequire(import.meta.url);

const PLAYERS = [
  { name: 'flv.js', file: require.resolve('flv.js/dist/flv.min.js'), api: 'flvjs' },
  { name: 'mpegts.js', file: require.resolve('mpegts.js/dist/mpegts.js'), api: 'mpegts' },
];

for (const { name, file, api } of PLAYERS) {
  test(`${name} plays the stream from another origin`, async ({ page, server, publish, complaints }) => {
    // Their own talk about their own work is theirs.
    complaints.allow(/\[\w*(Controller|Demuxer|Remuxer|Loader|Player)\w*\]/i);
    const key = await server.createRoom('open-door');
    publish(key);
    await expect.poll(async () => (await server.room('open-door')).live.state).toBe('live');

    const html = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><video muted autoplay playsinline></video>
<script src="/player.js"></script><script>
const player = ${api}.createPlayer({ type: 'flv', isLive: true, url: ${JSON.stringify(`${server.url}/live/open-door.flv`)} }, { enableStashBuffer: false });
player.attachMediaElement(document.querySelector('video')); player.load(); player.play();
</script>`;
    const other = createServer((request, response) => {
      const script = request.url === '/player.js';
      response.writeHead(200, { 'content-type': script ? 'text/javascript' : 'text/html' });
      response.end(script ? readFileSync(file) : html);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    try {
      await page.goto(`http://localhost:${(other.address() as AddressInfo).port}/`);
      const after = await expectMoving(page);
      expect(after.width).toBe(640);
    } finally {
      other.close();
    }
  });
}
