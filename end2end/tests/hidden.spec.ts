// A tab that nobody looks at.
import { expect, open, test } from '../support/fixtures.ts';
import { expectFrames, expectMoving, hide, player } from '../support/ui.ts';

test('a hidden and muted tab downloads nothing after a minute, and is live when it is shown', async ({ page, server, publish }) => {
  test.setTimeout(150_000);
  publish(await server.createRoom('hidden'));
  let [asked, ended] = [0, 0];
  page.on('request', (request) => (asked += request.url().includes('.flv') ? 1 : 0));
  page.on('requestfailed', (request) => (ended += request.url().includes('.flv') ? 1 : 0));
  await open(page, `${server.url}/rooms/hidden`);
  await expectMoving(page);
  await page.keyboard.press('m');
  await hide(page, true);
  await expect.poll(() => ended, { timeout: 90_000, message: 'the request is ended' }).toBe(1);
  expect(asked).toBe(1);
  await hide(page, false);
  await expectFrames(page);
  expect(asked).toBe(2);
  await expect(player(page).locator('.player-edge')).toHaveClass(/\bat\b/);
});

test('a hidden tab that is heard goes on', async ({ page, server, publish }) => {
  publish(await server.createRoom('heard'));
  await open(page, `${server.url}/rooms/heard`);
  await expectMoving(page);
  await hide(page, true);
  await expectMoving(page);
  await hide(page, false);
  await expectMoving(page);
  await expect(player(page).locator('.player-edge')).toHaveClass(/\bat\b/);
});
