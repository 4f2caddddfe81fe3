// Pictures of live rooms without a connection to their stream: on cards, and in the player before its own first picture.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, open, test } from '../support/fixtures.ts';
import { ARTEFACTS, STREAM_FILE } from '../support/paths.ts';
import { expectMoving, expectScene, player, tile } from '../support/ui.ts';
import type { Locator, Page } from '@playwright/test';

const front = (page: Page, slug: string): Locator => tile(page, slug).locator('.still video.front');

const width = (video: Locator): Promise<number> => video.evaluate((element) => (element as HTMLVideoElement).videoWidth);

/** The stream's sound alone. */
function soundFile(): string {
  const file = path.join(ARTEFACTS, 'sound.flv');
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', '-i', STREAM_FILE, '-vn', '-c', 'copy', '-f', 'flv', file]);
  return file;
}

test('the card of a live room shows its picture, and a newer one after ten seconds', async ({ page, server, publish }) => {
  const key = await server.createRoom('on-the-card');
  await server.createRoom('quiet-card');
  const encoder = publish(key);
  await expect.poll(async () => (await server.room('on-the-card')).live.state).toBe('live');
  const media = new Set<string>();
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/live/')) media.add(pathname);
  });
  await open(page, server.url);
  const picture = front(page, 'on-the-card');
  await expect(picture).toHaveCount(1);
  expect(await width(picture)).toBe(640);
  const first = (await picture.getAttribute('src')) ?? '';
  await expect(picture).not.toHaveAttribute('src', first, { timeout: 25_000 });
  expect(await width(picture)).toBe(640);
  await expect(front(page, 'quiet-card')).toHaveCount(0);
  expect([...media], 'nothing but stills was asked for').toEqual(['/live/on-the-card.mp4']);

  await encoder.stop();
  await expect(tile(page, 'on-the-card')).toHaveAttribute('data-state', 'offline');
  await expect(picture, 'nothing of what is over').toHaveCount(0);
});

test('a card asks for its picture when it comes into view', async ({ page, server, publish }) => {
  await page.setViewportSize({ width: 390, height: 420 });
  for (const slug of ['card-one', 'card-two', 'card-three']) {
    publish(await server.createRoom(slug));
    await expect.poll(async () => (await server.room(slug)).live.state).toBe('live');
  }
  await open(page, server.url);
  const pictures = page.locator('article.card .still video.front');
  await expect(pictures).toHaveCount(1);
  const last = page.locator('article.card').nth(2);
  await expect(last.locator('video[src]')).toHaveCount(0);
  await last.scrollIntoViewIfNeeded();
  await expect(last.locator('.still video.front')).toHaveCount(1);
});

test('the player shows the newest still until its own picture moves, and nothing of it afterwards', async ({ page, server, publish }) => {
  const key = await server.createRoom('poster');
  const encoder = publish(key);
  await expect.poll(async () => (await server.room('poster')).live.state).toBe('live');
  // The stream itself is held back, as by a slow line.
  let hold: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (hold = resolve));
  await page.route(/\/live\/poster\.flv/, async (route) => {
    await held;
    await route.continue();
  });
  await page.routeWebSocket(/\/live\/poster\.flv/, () => undefined);
  await open(page, `${server.url}/rooms/poster`);
  await expectScene(page, 'connecting');
  const poster = page.locator('.player-poster');
  await expect.poll(() => width(poster)).toBe(640);
  hold();
  await expectMoving(page);
  await expect(poster).toHaveCount(0);
  await encoder.stop();
  await expectScene(page, 'ended');
  await open(page, `${server.url}/rooms/poster`);
  await expectScene(page, 'offline');
  await expect(poster).toHaveCount(0);
});

test('a stream of sound has its cover on the card, and who is heard and how loud in the player', async ({ page, server, publish }) => {
  const key = await server.createRoom('only-sound', 'Night radio');
  publish(key, soundFile());
  await expect.poll(async () => (await server.room('only-sound')).live.state).toBe('live');
  expect((await fetch(`${server.url}/live/only-sound.mp4`)).status).toBe(204);
  const asked = page.waitForResponse(/\/live\/only-sound\.mp4/);
  await open(page, server.url);
  await asked;
  await expect(front(page, 'only-sound')).toHaveCount(0);

  await open(page, `${server.url}/rooms/only-sound`);
  await expectScene(page, 'playing');
  const cover = player(page).locator('.player-cover');
  await expect(cover).toContainText('Night radio');
  await expect(cover).toContainText('Mina');
  const level = (): Promise<number> =>
    cover.locator('.player-level').evaluate((meter) => Number((meter as HTMLElement).style.getPropertyValue('--level')));
  await expect.poll(level, { message: 'the meter moves' }).toBeGreaterThan(0);

  // Who wants less motion has the cover alone.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page, `${server.url}/rooms/only-sound`);
  await expect(cover).toContainText('Night radio');
  await expect(cover.locator('.player-level')).toBeHidden();
});
