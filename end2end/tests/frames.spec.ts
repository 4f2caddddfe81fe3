// The lowest delay, where a browser can show frames one by one: a picture, its sound, and everything that a player does.
import { expect, open, test } from '../support/fixtures.ts';
import { clip } from '../support/paths.ts';
import { fileEncoder } from '../support/rtmp.ts';
import { expectFrames, expectScene, expectWay, played, player, wayBack } from '../support/ui.ts';
import type { Page } from '@playwright/test';

/** Hears what the page's own sound card plays. */
async function listenIn(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const heard = window as unknown as { heard: () => number; contexts: number };
    heard.contexts = 0;
    heard.heard = () => 0;
    const Context = window.AudioContext;
    window.AudioContext = class extends Context {
      constructor(options?: AudioContextOptions) {
        super(options);
        heard.contexts += 1;
      }
      override createGain(): GainNode {
        const gain = super.createGain();
        const ear = super.createAnalyser();
        gain.connect(ear);
        const samples = new Float32Array(ear.fftSize);
        heard.heard = () => {
          ear.getFloatTimeDomainData(samples);
          return Math.max(...samples.map(Math.abs));
        };
        return gain;
      }
    };
  });
}

const loudness = (page: Page): Promise<number> => page.evaluate(() => (window as unknown as { heard: () => number }).heard());
const contexts = (page: Page): Promise<number> => page.evaluate(() => (window as unknown as { contexts: number }).contexts);

for (const name of ['he_aac', 'he_aac_v2', 'multitrack']) {
  test(`${name} is shown frame by frame and heard`, async ({ page, server }) => {
    await listenIn(page);
    const encoder = fileEncoder(server.rtmp, await server.createRoom('codecs'), clip(name));
    try {
      await open(page, `${server.url}/rooms/codecs?delay=lowest`);
      await expectWay(page, 'WebCodecs');
      await expectFrames(page);
      await expect.poll(() => loudness(page), 'it is heard').toBeGreaterThan(0.01);
    } finally {
      encoder.destroy();
    }
  });
}

test('frames are shown one by one, their sound is heard, and the controls do what they always do', async ({ page, server, publish }) => {
  test.setTimeout(240_000);
  await listenIn(page);
  const key = await server.createRoom('one-by-one');
  const encoder = publish(key);
  await open(page, `${server.url}/rooms/one-by-one?delay=lowest`);
  await expectWay(page, 'WebCodecs');
  await expectFrames(page);
  await expectScene(page, 'playing');
  await expect.poll(() => loudness(page), 'it is heard').toBeGreaterThan(0.01);
  const behind = player(page).locator('.player-behind');
  // A machine that held still while it joined is careful for a while.
  await expect(behind).toHaveText(/^0\.[0-3] s behind/, { timeout: 45_000 });

  await page.keyboard.press('m');
  await expect.poll(() => loudness(page)).toBe(0);
  await page.keyboard.press('m');
  await expect.poll(() => loudness(page)).toBeGreaterThan(0.01);

  await page.keyboard.press('k');
  await expect.poll(async () => (await played(page)).paused).toBe(true);
  await expect.poll(() => loudness(page), 'a paused stream is silent').toBe(0);
  await page.keyboard.press('k');
  await expectFrames(page);
  await expect.poll(() => loudness(page)).toBeGreaterThan(0.01);
  await expect(behind, 'it goes on live').toHaveText(/^0\.[0-4] s behind/, { timeout: 45_000 });

  await expect.poll(() => wayBack(page), { timeout: 30_000 }).toBeGreaterThan(8_000);
  await page.keyboard.press('ArrowLeft');
  await expectWay(page, 'MediaSource');
  await expect(behind).toHaveText(/^[4-9]\.\d s behind/);
  await expectFrames(page);
  await page.keyboard.press('e');
  await expectWay(page, 'WebCodecs');
  await expect(behind).toHaveText(/^0\.[0-4] s behind/, { timeout: 45_000 });
  await expectFrames(page);

  await encoder.stop();
  await expectScene(page, 'ended', 30_000);
  publish(key);
  await expectScene(page, 'playing', 30_000);
  await expectFrames(page);
  await expectWay(page, 'WebCodecs');
});

test('who starts without sound gets it when they want it', async ({ page, server, publish }) => {
  await listenIn(page);
  await page.addInitScript(() => localStorage.setItem('madang.muted', 'yes'));
  publish(await server.createRoom('sound-later'));
  await open(page, `${server.url}/rooms/sound-later?delay=lowest`);
  await expectWay(page, 'WebCodecs');
  await expectFrames(page);
  expect(await contexts(page), 'no sound card is asked for').toBe(0);
  await page.keyboard.press('m');
  await expect.poll(() => loudness(page)).toBeGreaterThan(0.01);
  await expectFrames(page);
});

test('a decoder that fails is given up, and the picture goes on', async ({ page, server, publish }) => {
  await page.addInitScript(() => {
    const decode = VideoDecoder.prototype.decode;
    VideoDecoder.prototype.decode = function (chunk) {
      if (document.documentElement.dataset.decoder === 'broken') throw new DOMException('broken for a test', 'DataError');
      decode.call(this, chunk);
    };
  });
  publish(await server.createRoom('a-bad-decoder'));
  await open(page, `${server.url}/rooms/a-bad-decoder?delay=lowest`);
  await expectWay(page, 'WebCodecs');
  await page.evaluate(() => (document.documentElement.dataset.decoder = 'broken'));
  await expectWay(page, 'MediaSource');
  await expectFrames(page);
  await expectScene(page, 'playing');
});

test('a page that is left keeps no decoder, no sound card and no worklet', async ({ page, server, publish }) => {
  await page.addInitScript(() => {
    const open = { decoders: 0, contexts: 0 };
    (window as unknown as { open_: typeof open }).open_ = open;
    const Decoder = window.VideoDecoder;
    window.VideoDecoder = class extends Decoder {
      constructor(init: VideoDecoderInit) {
        super(init);
        open.decoders += 1;
      }
      override close(): void {
        super.close();
        open.decoders -= 1;
      }
    };
    const Context = window.AudioContext;
    window.AudioContext = class extends Context {
      constructor(options?: AudioContextOptions) {
        super(options);
        open.contexts += 1;
      }
      override close(): Promise<void> {
        open.contexts -= 1;
        return super.close();
      }
    };
  });
  const held = (): Promise<{ decoders: number; contexts: number }> =>
    page.evaluate(() => (window as unknown as { open_: { decoders: number; contexts: number } }).open_);
  publish(await server.createRoom('left-behind'));
  await open(page, `${server.url}/rooms/left-behind?delay=lowest`);
  await expectWay(page, 'WebCodecs');
  await expect.poll(held).toEqual({ decoders: 1, contexts: 1 });
  await page.locator('header a[href="/"]').first().click();
  await expect(page).toHaveURL(`${server.url}/`);
  await expect.poll(held).toEqual({ decoders: 0, contexts: 0 });
});
