// The player's keys and buttons, beyond those that every test of playback uses.
import { expect, open, test } from '../support/fixtures.ts';
import { expectMoving, expectScene, played, player } from '../support/ui.ts';
import type { Page } from '@playwright/test';

const apart = (page: Page): Promise<boolean> => page.evaluate(() => document.pictureInPictureElement?.tagName === 'VIDEO');

test('the picture goes into a window of its own and back, by key and by button', async ({ page, server, publish }) => {
  publish(await server.createRoom('apart'));
  await open(page, `${server.url}/rooms/apart`);
  await expectMoving(page);
  await page.keyboard.press('i');
  await expect.poll(() => apart(page)).toBe(true);
  await expectMoving(page);
  const button = player(page).getByRole('button', { name: 'Picture in picture' });
  // Controls rest while nobody moves.
  await player(page).hover();
  await button.click();
  await expect.poll(() => apart(page)).toBe(false);
  await player(page).hover();
  await button.click();
  await expect.poll(() => apart(page)).toBe(true);
  await page.keyboard.press('i');
  await expect.poll(() => apart(page)).toBe(false);
  await expectMoving(page);
});

test('a key that is held down switches once, and turns the sound up on and on', async ({ page, server, publish }) => {
  publish(await server.createRoom('held-down'));
  await open(page, `${server.url}/rooms/held-down`);
  await expectMoving(page);
  const hold = async (key: string): Promise<void> => {
    for (let times = 0; times < 4; times += 1) await page.keyboard.down(key);
    await page.keyboard.up(key);
  };
  await hold('m');
  await expect.poll(async () => (await played(page)).muted).toBe(true);
  await hold('k');
  await expect.poll(async () => (await played(page)).paused).toBe(true);
  await hold('ArrowDown');
  await expect.poll(() => page.locator('video').evaluate((video: HTMLVideoElement) => video.volume)).toBeCloseTo(0.6);
});

test('where nothing plays, arrows, space and End scroll the page', async ({ page, server }) => {
  await page.setViewportSize({ width: 700, height: 420 });
  await server.createRoom('nothing-yet');
  for (const key of ['ArrowDown', 'Space', 'End']) {
    // Anew each time: the scrolling of the key before may not have ended.
    await open(page, `${server.url}/rooms/nothing-yet`);
    await expectScene(page, 'never');
    expect(await page.evaluate(() => scrollY)).toBe(0);
    await page.keyboard.press(key);
    await expect.poll(() => page.evaluate(() => scrollY), key).toBeGreaterThan(0);
  }
});
