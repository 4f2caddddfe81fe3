// What the player has beyond its picture: parts that come later, the system's controls, the screen, and the way back in the stream.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { BROWSER_ARGS } from '../playwright.config.ts';
import { awake, expect, open, test } from '../support/fixtures.ts';
import { ARTEFACTS, clip, STREAM_FILE } from '../support/paths.ts';
import { fileEncoder } from '../support/rtmp.ts';
import { chat, enter, makeRoom, message, sayAndSee, visitor } from '../support/chat.ts';
import { expectMoving, expectScene, hide, played, player, shownKey, wayBack, withoutHevc } from '../support/ui.ts';
import { chromium, type Page } from '@playwright/test';

/** Parts of the program that a page fetches when it needs them. */
const PART = /\/pkg\/(split|chunk)_[^/]*\.wasm/;

test('settings are fetched when they are first pressed, and a press before they are there counts', async ({ page, server }) => {
  await server.createRoom('pressed-early');
  const parts: string[] = [];
  page.on('request', (request) => PART.test(request.url()) && parts.push(request.url()));
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await page.route(PART, async (route) => {
    await held;
    await route.continue();
  });
  await open(page, `${server.url}/rooms/pressed-early`);
  await expectScene(page, 'never');
  expect(parts, 'nothing of it on a first visit').toEqual([]);
  const settings = player(page).getByRole('button', { name: 'Settings' });
  await settings.click();
  await expect(settings).toHaveAttribute('aria-expanded', 'true');
  letGo();
  await expect(player(page).getByRole('region', { name: 'Settings' })).toBeVisible();
  await page.getByRole('radio', { name: /Smooth/ }).check();
  await expect(player(page).locator('.setting-name')).toHaveText('Smooth');
  await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
  const shortcuts = player(page).getByRole('region', { name: 'Keyboard shortcuts' });
  await expect(shortcuts).toBeVisible();
  await expect(shortcuts.getByRole('checkbox'), 'nothing of the settings is left').toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(player(page).getByRole('region')).toHaveCount(0);

  // What was set is kept.
  await page.reload();
  await awake(page);
  await expect(player(page).locator('.setting-name')).toHaveText('Smooth');
});

test('the statistics are copied, a line for each', async ({ page, context, server, publish }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url });
  publish(await server.createRoom('figures'));
  await open(page, `${server.url}/rooms/figures`);
  await expectMoving(page);
  await page.keyboard.press('s');
  const stats = player(page).getByRole('region', { name: 'Statistics' });
  const names = stats.locator('dt');
  await expect(names).not.toHaveCount(0);
  const copy = stats.getByRole('button', { name: 'Copy the statistics' });
  // It says so for two seconds.
  await Promise.all([expect(stats.getByRole('button', { name: 'Statistics copied' })).toBeVisible(), copy.click()]);
  const lines = (await page.evaluate(() => navigator.clipboard.readText())).trimEnd().split('\n');
  expect(lines.map((line) => line.split(': ')[0])).toEqual(await names.allInnerTexts());
  expect(lines[0]).toMatch(/^Picture: 640×\d+ · \d+ fps$/);
  expect(lines.at(-1)).toMatch(/^Transport: HTTP-FLV, \w+/);
  await expect(copy, 'it can be pressed again').toBeVisible();
});

test('the meter of a stream of sound moves once the browser allows sound', async ({ server, publish, complaints, watched }) => {
  complaints.allow(/AudioContext was not allowed to start/);
  const sound = path.join(ARTEFACTS, 'sound-refused.flv');
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', '-i', STREAM_FILE, '-vn', '-c', 'copy', '-f', 'flv', sound]);
  publish(await server.createRoom('sound-refused'), sound);
  await expect.poll(async () => (await server.room('sound-refused')).live.state).toBe('live');
  // A browser of its own: the rule is a flag of the process.
  const strict = await chromium.launch({
    executablePath: test.info().project.use.launchOptions?.executablePath,
    args: [...BROWSER_ARGS, '--autoplay-policy=document-user-activation-required'],
  });
  try {
    const page = await (await watched(await strict.newContext({ locale: 'en-US' }))).newPage();
    // Until the meter is made, nothing may be asked of the page: each question counts as a person's gesture.
    await page.addInitScript(() => {
      const Context = window.AudioContext;
      window.AudioContext = class extends Context {
        constructor(options?: AudioContextOptions) {
          super(options);
          console.info('a meter');
        }
      };
    });
    const made = page.waitForEvent('console', (message) => message.text() === 'a meter');
    await page.goto(`${server.url}/rooms/sound-refused`);
    await made;
    await page.getByRole('button', { name: 'Tap to unmute' }).click();
    const level = (): Promise<number> =>
      player(page).locator('.player-level').evaluate((meter) => Number((meter as HTMLElement).style.getPropertyValue('--level')));
    await expect.poll(level, { message: 'the meter moves' }).toBeGreaterThan(0);
    expect(complaints.unexpected).toEqual([]);
  } finally {
    await strict.close();
  }
});

/** What a page's media session says. */
interface Media {
  title?: string;
  artist?: string;
  artwork?: string;
  state: string;
}

const media = (page: Page): Promise<Media> =>
  page.evaluate(() => {
    const { metadata, playbackState } = navigator.mediaSession;
    return { title: metadata?.title, artist: metadata?.artist, artwork: metadata?.artwork[0]?.type, state: playbackState };
  });

test('the system knows what plays, its keys work, and the screen stays on while the picture moves', async ({ page, server, publish }) => {
  await page.addInitScript(() => {
    const page = window as unknown as { keys: Record<string, () => void>; locks: number };
    page.keys = {};
    page.locks = 0;
    const set = MediaSession.prototype.setActionHandler;
    MediaSession.prototype.setActionHandler = function (action, handler) {
      if (handler) page.keys[action] = handler as () => void;
      set.call(this, action, handler);
    };
    const request = (): Promise<unknown> => {
      let held = true;
      page.locks += 1;
      const release = (): Promise<void> => {
        page.locks -= held ? 1 : 0;
        held = false;
        return Promise.resolve();
      };
      return Promise.resolve({ release });
    };
    Object.defineProperty(navigator, 'wakeLock', { value: { request } });
  });
  const locks = (): Promise<number> => page.evaluate(() => (window as unknown as { locks: number }).locks);
  const press = (key: string): Promise<void> =>
    page.evaluate((key) => (window as unknown as { keys: Record<string, () => void> }).keys[key]?.(), key);
  const key = await server.createRoom('on-the-lock-screen', 'Pottery at night');
  const encoder = publish(key);
  await open(page, `${server.url}/rooms/on-the-lock-screen`);
  await expectMoving(page);
  await expect.poll(() => media(page)).toEqual({ title: 'Pottery at night', artist: 'Mina', artwork: 'image/jpeg', state: 'playing' });
  const artwork = await page.evaluate(async () => {
    const image = new Image();
    image.src = navigator.mediaSession.metadata!.artwork[0]!.src;
    await image.decode();
    const context = new OffscreenCanvas(64, 36).getContext('2d')!;
    context.drawImage(image, 0, 0, 64, 36);
    const colours = new Set(new Uint32Array(context.getImageData(0, 0, 64, 36).data.buffer)).size;
    return { width: image.naturalWidth, height: image.naturalHeight, colourful: colours > 100 };
  });
  expect(artwork, 'the picture of the stream').toEqual({ width: 640, height: 360, colourful: true });
  await expect.poll(locks).toBe(1);

  await press('pause');
  await expect.poll(async () => (await played(page)).paused).toBe(true);
  await expect.poll(async () => (await media(page)).state).toBe('paused');
  await expect.poll(locks, 'a paused picture keeps no screen on').toBe(0);
  await press('play');
  await expectMoving(page);
  await expect.poll(locks).toBe(1);

  await hide(page, true);
  await expect.poll(locks).toBe(0);
  await hide(page, false);
  await expect.poll(locks).toBe(1);

  await encoder.stop();
  await expectScene(page, 'ended');
  await expect.poll(locks).toBe(0);
  await expect.poll(async () => (await media(page)).state).toBe('none');
});

test('one goes back in the stream by keys and by the bar, and to the live edge again', async ({ page, server, publish }) => {
  const key = await server.createRoom('going-back');
  publish(key);
  await open(page, `${server.url}/rooms/going-back`);
  await expectMoving(page);
  const stage = player(page);
  const bar = stage.getByRole('slider', { name: 'Go back in the stream' });
  await expect.poll(() => wayBack(page), { timeout: 30_000, message: 'there is something to go back to' }).toBeGreaterThan(14_000);
  const behind = stage.locator('.player-behind');
  const edge = stage.locator('.player-edge');
  await expect(edge).toHaveClass(/\bat\b/);

  await page.keyboard.press('j');
  await expect(behind).toHaveText(/^0:1\d behind/);
  await expect(edge).not.toHaveClass(/\bat\b/);
  await expectMoving(page);
  await expect(behind, 'it stays there').toHaveText(/^0:1\d behind/);
  await page.keyboard.press('ArrowRight');
  await expect(behind).toHaveText(/^[4-9]\.\d s behind/);
  await stage.hover();
  await edge.click();
  await expect(behind).toHaveText(/^[01]\.\d s behind/);
  await expect(edge).toHaveClass(/\bat\b/);

  await bar.fill('0');
  await expect(behind).toHaveText(/^0:\d\d behind/);
  await expectMoving(page);
  await expect(bar).toHaveAttribute('aria-valuetext', /^0:\d\d behind/);
  await page.keyboard.press('e');
  await expect(behind).toHaveText(/^[01]\.\d s behind/);

  // By keys on the bar itself, and by a hand that draws slowly.
  await bar.focus();
  await page.keyboard.press('ArrowLeft');
  await expect(behind).toHaveText(/^[4-7]\.\d s behind/);
  await page.keyboard.press('Home');
  await expect(behind).toHaveText(/^0:\d\d behind/);
  await page.keyboard.press('End');
  await expect(behind).toHaveText(/^[01]\.\d s behind/);
  const { x, y, width, height } = (await bar.boundingBox())!;
  const [top, from] = [y + height / 2, x + width - 12];
  await page.mouse.move(from, top);
  await page.mouse.down();
  // More than ten seconds of the fourteen and more that there are.
  await page.mouse.move(x + width / 5, top, { steps: 40 });
  await page.mouse.up();
  await expect(behind).toHaveText(/^0:\d\d behind/);
  await expectMoving(page);
  await expect(behind, 'it stays there').toHaveText(/^0:\d\d behind/);

  // A hand that comes back to where it began changes nothing, and the bar goes on.
  const part = Number(await bar.inputValue()) / Number(await bar.getAttribute('max'));
  await page.mouse.move(x + 8 + (width - 16) * part, top);
  await page.mouse.down();
  await page.mouse.move(x + width / 3, top, { steps: 5 });
  await page.mouse.move(x + 8 + (width - 16) * part, top, { steps: 5 });
  await page.mouse.up();
  await page.keyboard.press('e');
  await expect(behind).toHaveText(/^[01]\.\d s behind/);
  await expect.poll(async () => Number(await bar.getAttribute('max')) - Number(await bar.inputValue()), 'the bar shows it').toBeLessThan(2_500);
});

test('the controls leave a picture alone that nobody touches, and are there for keys', async ({ page, server, publish }) => {
  await page.addInitScript(() => {
    const { read } = ReadableStreamBYOBReader.prototype;
    ReadableStreamBYOBReader.prototype.read = function (this: ReadableStreamBYOBReader, ...into: Parameters<typeof read>) {
      document.documentElement.dataset.filled = String(into[0].byteLength);
      return Reflect.apply(read, this, into);
    } as typeof read;
  });
  publish(await server.createRoom('left-alone'));
  await open(page, `${server.url}/rooms/left-alone`);
  await expectMoving(page);
  const stage = player(page);
  const controls = stage.locator('.player-controls');
  const bar = stage.locator('.player-seek');
  await expect(stage, 'nobody has moved').toHaveClass(/\bidle\b/, { timeout: 15_000 });
  await expect(controls).toHaveCSS('opacity', '0');
  await expect(bar, 'it is there for those who come by key').not.toHaveAttribute('hidden', { timeout: 15_000 });

  await page.keyboard.press('m');
  await expect(controls).toHaveCSS('opacity', '1');
  await bar.focus();
  await expect(stage).toHaveClass(/\bidle\b/, { timeout: 15_000 });
  const length = async (): Promise<number> => Number(await bar.getAttribute('max'));
  const before = await length();
  await expect.poll(length, 'who is on it is told how it grows').toBeGreaterThan(before + 2_000);
  await expect(bar).toHaveCSS('opacity', '1');
  const filled = await page.evaluate(() => Number(document.documentElement.dataset.filled));
  expect(filled, 'the stream is read into memory that is used again').toBeGreaterThan(100_000);
});

test('the theatre is picture and chat alone, is kept, and is left by Escape', async ({ page, server }) => {
  await server.createRoom('a-theatre');
  await open(page, `${server.url}/rooms/a-theatre`);
  const banner = page.getByRole('banner');
  const toggle = player(page).getByRole('button', { name: 'Theatre' });
  const height = async (): Promise<number> => (await player(page).boundingBox())?.height ?? 0;
  await expect(banner).toBeVisible();
  await expect(toggle).toHaveAttribute('aria-pressed', 'false');
  const before = await height();
  await page.keyboard.press('t');
  await expect(toggle).toHaveAttribute('aria-pressed', 'true');
  await expect(banner).toBeHidden();
  await expect(page.getByRole('heading', { level: 1 })).toBeHidden();
  await expect(chat(page)).toBeVisible();
  expect(await height()).toBeGreaterThan(before);
  expect(await height(), 'the whole height').toBe(page.viewportSize()?.height);

  await page.reload();
  await awake(page);
  await expect(banner).toBeHidden();
  await page.setViewportSize({ width: 800, height: 1000 });
  await expect(chat(page)).toBeVisible();
  const below = await chat(page).boundingBox();
  expect((below?.y ?? 0) + (below?.height ?? 0), 'picture and chat are the window').toBeCloseTo(1000, 0);
  await page.keyboard.press('Escape');
  await expect(banner).toBeVisible();
});

test('the chat goes in step with the picture, for those who want that', async ({ page, server, publish, browser, watched }) => {
  const key = await server.createRoom('in-step');
  publish(key);
  const url = `${server.url}/rooms/in-step`;
  const late = await visitor(browser, watched, url);
  await expectMoving(late);
  await expect.poll(() => wayBack(late), { timeout: 30_000 }).toBeGreaterThan(7_000);
  await player(late).getByRole('button', { name: 'Settings' }).click();
  await late.getByRole('checkbox', { name: /in step with the picture/ }).check();
  await late.keyboard.press('Escape');
  await late.keyboard.press('ArrowLeft');
  await expect(player(late).locator('.player-behind')).toHaveText(/^[5-9]\.\d s behind/);
  await enter(page, url);
  await sayAndSee(page, 'what a goal');
  await expect(message(late, 'what a goal'), 'the ball is not in yet').toHaveCount(0);
  await expect(message(late, 'what a goal')).toBeVisible();
  await sayAndSee(late, 'I saw it');
});

test('the studio sums up how the picture does for viewers', async ({ page, server, publish, browser, watched }) => {
  const url = await makeRoom(page, server, 'audience');
  publish((await shownKey(page)).key);
  await page.goto(`${url}/studio`);
  await awake(page);
  const viewer = await (await watched(await browser.newContext())).newPage();
  await open(viewer, url);
  await expectMoving(viewer);
  const audience = page.locator('.studio-audience');
  await expect(audience).toContainText(/Most at once\s*1/);
  await expect(audience, 'browsers tell every ten seconds').toContainText(/\d s · \d/, { timeout: 40_000 });
  await expect(audience).toContainText(/Frames dropped\s*\d+(\.\d)? %/);
  const line = page.locator('.studio-sparks').getByRole('img', { name: /^Bitrate, over the last minute: from / });
  await expect(line).toBeVisible();
  expect(await line.locator('path').getAttribute('d')).toMatch(/^M\d+ \d+(L\d+ \d+)+$/);
});

test('the studio says how many browsers cannot play the codec', async ({ page, server, browser, watched }) => {
  const url = await makeRoom(page, server, 'not-for-all');
  const encoder = fileEncoder(server.rtmp, (await shownKey(page)).key, clip('hevc_flac'), [8, 9, 18]);
  try {
    await page.goto(`${url}/studio`);
    await awake(page);
    const viewer = await (await watched(await browser.newContext())).newPage();
    await withoutHevc(viewer);
    await open(viewer, url);
    await expectScene(viewer, 'codec');
    await expect(page.locator('.studio-audience')).toContainText(/Cannot play this codec\s*1/);
    await viewer.getByRole('button', { name: 'Try again' }).click();
    await expectScene(viewer, 'codec');
    await expect(page.locator('.studio-audience')).toContainText(/Cannot play this codec\s*1/);
  } finally {
    encoder.destroy();
  }
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });

  test('the room has its title, its tags and the way to share it', async ({ page, server }) => {
    const title = 'Pottery, live from the wheel';
    await server.createRoom('on-a-phone', title, ['--tags', 'clay,slow']);
    await open(page, `${server.url}/rooms/on-a-phone`);
    const heading = page.getByRole('heading', { name: title });
    const cut = await heading.evaluate((element) => element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight + 1);
    expect(cut, 'the title is cut').toBe(false);
    await expect(page.getByRole('listitem').filter({ hasText: 'clay' })).toBeVisible();
    const share = page.getByRole('button', { name: 'Share' });
    await expect(share).toBeVisible();
    const box = await share.boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(390);
  });
});
