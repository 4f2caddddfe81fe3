// What a viewer lives through: the streamer stops and starts again, the page is left, autoplay is refused.
import { awake, expect, open, test } from '../support/fixtures.ts';
import { expectMoving, expectScene, played, player } from '../support/ui.ts';
import { chromium } from '@playwright/test';
import { BROWSER_ARGS } from '../playwright.config.ts';

test('the streamer stops and starts again, and the picture goes on without a reload', async ({ page, server, publish }) => {
  const key = await server.createRoom('comes-back');
  const first = publish(key);
  await open(page, `${server.url}/rooms/comes-back`);
  await expectMoving(page);
  await page.evaluate(() => ((window as unknown as { marker: string }).marker = 'not reloaded'));

  await first.stop();
  await expectScene(page, 'ended');
  await expect(player(page)).toContainText('The stream has ended');
  await expect.poll(async () => (await server.room('comes-back')).live.state).toBe('offline');

  publish(key);
  await expectScene(page, 'playing');
  await expectMoving(page);
  expect(await page.evaluate(() => (window as unknown as { marker?: string }).marker)).toBe('not reloaded');
});

test('an encoder that loses power and comes back takes over from its own ghost', async ({ page, server, publish }) => {
  const key = await server.createRoom('ghost');
  const first = publish(key);
  await open(page, `${server.url}/rooms/ghost`);
  await expectMoving(page);
  // The second comes while the server still holds the first for alive.
  publish(key);
  await expect.poll(() => first.isRunning, { message: 'the older connection is closed' }).toBe(false);
  await expectMoving(page);
  await expectScene(page, 'playing');
});

for (const way of ['by a link', 'by the back button'] as const) {
  test(`leaving the room ${way} ends the stream to this viewer`, async ({ page, server, publish }) => {
    const key = await server.createRoom('left-alone');
    publish(key);
    await expect.poll(async () => (await server.room('left-alone')).live.state).toBe('live');
    await open(page, server.url);
    await page.getByRole('link', { name: 'Room left-alone' }).click();
    await expectMoving(page);
    await expect.poll(async () => (await server.room('left-alone')).watching).toBe(1);
    const video = await page.locator('video').elementHandle();

    if (way === 'by a link') await page.getByRole('link', { name: /Madang/ }).first().click();
    else await page.goBack();
    await expect(page).toHaveURL(`${server.url}/`);
    await expect.poll(async () => (await server.room('left-alone')).watching).toBe(0);
    // The element is out of the page and holds no media any more.
    const left = await video?.evaluate((element) => {
      const old = element as HTMLVideoElement;
      return { connected: old.isConnected, src: old.getAttribute('src'), ready: old.readyState };
    });
    expect(left).toEqual({ connected: false, src: null, ready: 0 });

    // And it plays again when one comes back.
    await page.getByRole('link', { name: 'Room left-alone' }).click();
    await expectMoving(page);
  });
}

test('where a browser refuses sound, it plays muted and says how to hear it', async ({ server, publish, complaints, watched }) => {
  test.setTimeout(180_000);
  const key = await server.createRoom('loud');
  const encoder = publish(key);
  await expect.poll(async () => (await server.room('loud')).live.state).toBe('live');
  // A browser of its own: the rule is a flag of the process.
  const strict = await chromium.launch({
    executablePath: test.info().project.use.launchOptions?.executablePath,
    args: [...BROWSER_ARGS, '--autoplay-policy=document-user-activation-required'],
  });
  try {
    const context = await watched(await strict.newContext({ locale: 'en-US' }));
    const page = await context.newPage();
    // Until the browser has refused, nothing may be asked of the page: each question counts as a person's gesture.
    await page.addInitScript(() => {
      const play = HTMLMediaElement.prototype.play;
      HTMLMediaElement.prototype.play = function () {
        const asked = play.call(this);
        asked.catch((error: DOMException) => console.info(`play: ${error.name}`));
        return asked;
      };
    });
    const refused = page.waitForEvent('console', (message) => message.text() === 'play: NotAllowedError');
    await page.goto(`${server.url}/rooms/loud`);
    await refused;
    const ask = page.getByRole('button', { name: 'Tap to unmute' });
    await expect(ask).toBeVisible();
    await expectScene(page, 'playing');
    await expect.poll(async () => (await played(page)).paused).toBe(false);
    expect((await played(page)).muted).toBe(true);

    // The next broadcast is as silent, and says so as well.
    await encoder.stop();
    await expectScene(page, 'ended', 40_000);
    await expect(ask).toBeHidden();
    publish(key);
    await expectScene(page, 'playing', 40_000);
    expect((await played(page)).muted).toBe(true);
    await expect(ask).toBeVisible();

    await ask.click();
    await expect(ask).toBeHidden();
    expect((await played(page)).muted).toBe(false);
    await expectMoving(page);
    expect(complaints.unexpected).toEqual([]);
  } finally {
    await strict.close();
  }
});

test('pause, volume, and the way back to the live edge', async ({ page, server, publish }) => {
  const key = await server.createRoom('controls');
  publish(key);
  await open(page, `${server.url}/rooms/controls`);
  await expectMoving(page);
  const stage = player(page);
  await stage.hover();
  await stage.getByRole('button', { name: 'Pause' }).click();
  await expect.poll(async () => (await played(page)).paused).toBe(true);
  await stage.hover();
  await stage.getByRole('button', { name: 'Play', exact: true }).click();
  await expect.poll(async () => (await played(page)).paused).toBe(false);
  await expectMoving(page);

  await page.keyboard.press('m');
  await expect.poll(async () => (await played(page)).muted).toBe(true);
  await page.keyboard.press('m');
  await expect.poll(async () => (await played(page)).muted).toBe(false);
  const volume = () => page.locator('video').evaluate((video) => (video as HTMLVideoElement).volume);
  await stage.hover();
  await stage.getByRole('slider', { name: 'Volume' }).fill('40');
  await expect.poll(volume).toBeCloseTo(0.4);

  // Paused for a while, the picture is behind; the button brings it back.
  const edge = stage.locator('.player-edge');
  await expect(stage).toContainText(/\d\.\d s behind/);
  await page.keyboard.press('k');
  await expect(stage.locator('.player-behind')).toHaveText(/^([3-9]\.\d|0:\d\d) s?\s?behind/, { timeout: 20_000 });
  await expect(edge).not.toHaveClass(/\bat\b/);
  await page.keyboard.press('e');
  await expect.poll(async () => (await played(page)).paused).toBe(false);
  await expect(stage.locator('.player-behind')).toHaveText(/^[01]\.\d s behind/);
  await expect(edge).toHaveClass(/\bat\b/);

  // The whole screen, and back.
  const whole = () => page.evaluate(() => document.fullscreenElement !== null);
  await stage.hover();
  await stage.getByRole('button', { name: /full screen|fullscreen/i }).click();
  await expect.poll(whole).toBe(true);
  await page.keyboard.press('f');
  await expect.poll(whole).toBe(false);

  // What was set is kept.
  await page.reload();
  await awake(page);
  await expectMoving(page);
  await expect.poll(volume).toBeCloseTo(0.4);
});

test('in eight tabs of one browser all play', async ({ page, server, publish, complaints }) => {
  test.setTimeout(240_000);
  // What the browser says of an answer that sends a player to a WebSocket.
  complaints.allow(/status of 426/);
  const key = await server.createRoom('many-tabs');
  publish(key);
  await open(page, `${server.url}/rooms/many-tabs`);
  await expectMoving(page);
  const sockets: string[] = [];
  for (let tab = 1; tab < 8; tab++) {
    const another = await page.context().newPage();
    another.on('websocket', (socket) => sockets.push(new URL(socket.url()).pathname));
    await open(another, `${server.url}/rooms/many-tabs`);
    await expectMoving(another);
  }
  // Six connections to a site is what a browser has over HTTP/1.1.
  expect(sockets).toContain('/live/many-tabs.flv');
  await expectMoving(page);
});

test('a live room asks for its stream with its first bytes, and once', async ({ page, server, publish }) => {
  const key = await server.createRoom('early');
  publish(key);
  await expect.poll(async () => (await server.room('early')).live.state).toBe('live');
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/*.wasm', async (route) => {
    await released;
    await route.continue();
  });
  const asked: string[] = [];
  page.on('request', (request) => {
    if (new URL(request.url()).pathname.startsWith('/live/')) asked.push(request.url());
  });
  const first = page.waitForRequest(`${server.url}/live/early.flv`);
  await page.goto(`${server.url}/rooms/early`, { waitUntil: 'commit' });
  // Nothing of the application is there yet.
  await first;
  // What plays sound has been woken up too, by a sound that nobody hears.
  const sound = () => page.evaluate(() => {
    const { readyState, paused } = (self as unknown as { madangEarly: { sound: HTMLAudioElement } }).madangEarly.sound;
    return { loaded: readyState >= HTMLMediaElement.HAVE_CURRENT_DATA, paused };
  });
  await expect.poll(sound).toEqual({ loaded: true, paused: true });
  release();
  await expectMoving(page);
  expect(asked.filter((url) => url.endsWith('.flv'))).toHaveLength(1);
});
