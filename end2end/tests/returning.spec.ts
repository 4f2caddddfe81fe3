// The streamer's encoder goes and comes back, changes its codec, or speaks another one from the start: the picture goes on.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, open, test } from '../support/fixtures.ts';
import { Publisher } from '../support/publisher.ts';
import { ARTEFACTS, clip, STREAM_FILE } from '../support/paths.ts';
import { fileEncoder } from '../support/rtmp.ts';
import { Server } from '../support/server.ts';
import { expectFrames, expectMoving, expectScene, expectWay, played, player } from '../support/ui.ts';


test('an encoder that is killed and comes back goes on with the same viewers', async ({ page, complaints }) => {
  const server = await Server.start({ MADANG_MEDIA_GRACE_S: '30' });
  const key = await server.createRoom('returning');
  const first = Publisher.start(server.rtmp, key);
  let second: Publisher | undefined;
  try {
    let asked = 0;
    page.on('request', (request) => (asked += request.url().includes('.flv') ? 1 : 0));
    await open(page, `${server.url}/rooms/returning`);
    await expectMoving(page);
    await first.kill();
    await expectScene(page, 'away');
    await expect(player(page).getByRole('status')).toContainText(/Streamer reconnecting….*0:\d\d/);
    expect((await server.room('returning')).live.state).toBe('live');
    second = Publisher.start(server.rtmp, key);
    await expectScene(page, 'playing');
    await expectMoving(page);
    expect(asked, 'requests for the stream').toBe(1);
    expect(complaints.unexpected).toEqual([]);
  } finally {
    complaints.close();
    await second?.kill();
    await server.stop();
  }
});

test('AV1 and Opus are played, after H.264 and AAC in the same stream', async ({ page, server }) => {
  const key = await server.createRoom('codecs');
  const encoder = fileEncoder(server.rtmp, key, clip('baseline'));
  try {
    await open(page, `${server.url}/rooms/codecs`);
    await expectMoving(page);
    const decoded = () => page.locator('video').evaluate((video) => (video as HTMLVideoElement).getVideoPlaybackQuality().totalVideoFrames);
    const before = await page.locator('video').evaluate((video) => (video as HTMLVideoElement).src);
    encoder.next(clip('av1_opus'));
    await page.keyboard.press('s');
    await expect(player(page)).toContainText(/av01\.0\.00M\.08/);
    await expect(player(page)).toContainText(/opus/);
    const seen = await decoded();
    await expect.poll(decoded).toBeGreaterThan(seen + 50);
    await expectMoving(page);
    await expectScene(page, 'playing');
    expect(await page.locator('video').evaluate((video) => (video as HTMLVideoElement).src), 'the same media source').toBe(before);
  } finally {
    encoder.destroy();
  }
});

// The sound beside VP9 is AC-3, which is not carried.
for (const [name, codec, types] of [
  ['vp9', 'vp09.00.11.08', [9, 18]],
  ['hevc_flac', 'hvc1.1.6.L60.90', [8, 9, 18]],
] as const) {
  test(`${codec} is played, or named where the browser cannot`, async ({ page, server }) => {
    const key = await server.createRoom('codecs');
    const plays = await page.evaluate((type) => MediaSource.isTypeSupported(type), `video/mp4; codecs="${codec}"`);
    const encoder = fileEncoder(server.rtmp, key, clip(name), [...types]);
    try {
      await open(page, `${server.url}/rooms/codecs`);
      // There is no sound with some, so only pictures are counted.
      if (plays) await expect.poll(async () => (await played(page)).frames).toBeGreaterThan(75);
      else await expect(player(page).getByRole('status')).toContainText(codec);
    } finally {
      encoder.destroy();
    }
  });
}

// What a player is told of HE-AAC is how it sounds, not how it is coded; of several tracks it is given the first.
for (const name of ['he_aac', 'he_aac_v2', 'multitrack']) {
  test(`${name} is played`, async ({ page, server }) => {
    const key = await server.createRoom('codecs');
    const encoder = fileEncoder(server.rtmp, key, clip(name));
    try {
      await open(page, `${server.url}/rooms/codecs`);
      await expectMoving(page);
    } finally {
      encoder.destroy();
    }
  });
}

test('sound that the browser does not play is left out from the first picture on', async ({ page, server }) => {
  // In this browser no MP3 but in files of its own.
  await page.addInitScript(() => {
    const supported = MediaSource.isTypeSupported.bind(MediaSource);
    MediaSource.isTypeSupported = (type) => !type.startsWith('audio/mp4') && supported(type);
    const opened = window as unknown as { sources: number };
    opened.sources = 0;
    const { createObjectURL } = URL;
    URL.createObjectURL = (object) => ((opened.sources += Number(object instanceof MediaSource)), createObjectURL.call(URL, object));
  });
  const encoder = fileEncoder(server.rtmp, await server.createRoom('no-sound'), clip('avc_mp3'));
  try {
    await open(page, `${server.url}/rooms/no-sound`);
    await expectFrames(page);
    await expectWay(page, 'MediaSource');
    await expect(player(page).getByRole('region', { name: 'Statistics' })).toContainText(/avc1\.\w{6} \(− /);
    expect(await page.evaluate(() => (window as unknown as { sources: number }).sources)).toBe(1);
  } finally {
    encoder.destroy();
  }
});

for (const [delay, way] of [
  ['balanced', 'MediaSource'],
  ['lowest', 'WebCodecs'],
] as const) {
  test(`a picture that changes its size goes on, by ${way}`, async ({ page, server }) => {
    const encoder = fileEncoder(server.rtmp, await server.createRoom('sizes'), STREAM_FILE);
    try {
      await open(page, `${server.url}/rooms/sizes?delay=${delay}`);
      await expectWay(page, way);
      await expectFrames(page);
      await page.evaluate(() => {
        const scenes: string[] = ((window as unknown as { scenes: string[] }).scenes = []);
        const player = document.querySelector<HTMLElement>('.player')!;
        new MutationObserver(() => scenes.push(player.dataset.scene!)).observe(player, { attributeFilter: ['data-scene'] });
      });
      for (const [file, width] of [
        [clip('baseline'), 320],
        [STREAM_FILE, 640],
      ] as const) {
        encoder.next(file);
        await expect.poll(async () => (await played(page)).width).toBe(width);
        await expectFrames(page);
      }
      const scenes = await page.evaluate(() => (window as unknown as { scenes: string[] }).scenes);
      // A busy machine may be late.
      expect(scenes.filter((scene) => !['buffering', 'playing'].includes(scene)), 'nothing but the picture was shown').toEqual([]);
      await expectWay(page, way);
    } finally {
      encoder.destroy();
    }
  });
}

// Their first key frames, at which every decoder begins, are left out.
test('an open GOP is played from its key frame on', async ({ page, server }) => {
  const key = await server.createRoom('open-gop');
  const encoder = fileEncoder(server.rtmp, key, clip('open_gop'), [8, 9, 18], 2);
  try {
    await open(page, `${server.url}/rooms/open-gop`);
    await expectMoving(page);
  } finally {
    encoder.destroy();
  }
});

test('an open GOP that the browser cannot decode is named', async ({ page, server }) => {
  const key = await server.createRoom('open-gop');
  // Pictures that refer to several before them: Chromium takes what is not there for an error.
  const file = path.join(ARTEFACTS, 'open-gop.flv');
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-nostdin', '-y', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=6', '-c:v', 'libx264', '-preset', 'veryfast', '-g', '25'],
    ...['-bf', '2', '-b_strategy', '0', '-x264-params', 'open-gop=1:scenecut=0:ref=4', '-pix_fmt', 'yuv420p', '-flvflags', 'no_duration_filesize', file],
  ]);
  const encoder = fileEncoder(server.rtmp, key, file, [8, 9, 18], 2);
  try {
    await open(page, `${server.url}/rooms/open-gop`);
    await expectScene(page, 'codec');
    await expect(player(page).getByRole('status')).toContainText(/avc1\.\w{6} \(open GOP\)/);
  } finally {
    encoder.destroy();
  }
});

test('the last picture stays while a stream with other tracks takes its place', async ({ page, complaints }) => {
  const server = await Server.start({ MADANG_MEDIA_GRACE_S: '30' });
  const key = await server.createRoom('other-tracks');
  const silent = path.join(ARTEFACTS, 'silent.flv');
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', '-i', STREAM_FILE, '-an', '-c', 'copy', silent]);
  const first = Publisher.start(server.rtmp, key, silent);
  let second: Publisher | undefined;
  try {
    await open(page, `${server.url}/rooms/other-tracks`);
    await expect.poll(async () => (await played(page)).frames).toBeGreaterThan(20);
    // Whatever is laid over the picture from here on.
    await page.evaluate(() => {
      const seen: string[] = ((window as unknown as { held: string[] }).held = []);
      const look = (records: MutationRecord[]): void =>
        records.forEach((record) => record.addedNodes.forEach((node) => node instanceof HTMLCanvasElement && seen.push(node.className)));
      new MutationObserver(look).observe(document.querySelector('.player')!, { childList: true });
    });
    await first.kill();
    await expectScene(page, 'away');
    second = Publisher.start(server.rtmp, key);
    await expectMoving(page);
    expect(await page.evaluate(() => (window as unknown as { held: string[] }).held)).toEqual(['player-held']);
    await expect(page.locator('.player-held')).toHaveCount(0);
  } finally {
    complaints.close();
    await first.kill();
    await second?.kill();
    await server.stop();
  }
});
