// Each state of a room in words, in both languages; and nothing in the console on any route.
import { expect, open, test } from '../support/fixtures.ts';
import { silentEncoder } from '../support/rtmp.ts';
import { expectFrames, expectMoving, expectScene, player } from '../support/ui.ts';

test('no route says anything to the console, in any state of the room', async ({ page, server, publish, complaints }) => {
  const key = await server.createRoom('routes');
  for (const path of ['/', '/rooms/new', '/rooms/routes']) {
    await open(page, server.url + path);
    await page.waitForLoadState('networkidle').catch(() => undefined);
  }
  await expectScene(page, 'never');
  const encoder = publish(key);
  await expectScene(page, 'playing');
  await expectMoving(page);
  for (const path of ['/', '/?q=room', '/rooms/new', '/rooms/routes', '/rooms/routes?delay=lowest', '/rooms/routes?delay=smooth']) {
    await open(page, server.url + path);
    if (path.endsWith('lowest')) await expectFrames(page);
    else if (path.startsWith('/rooms/routes')) await expectMoving(page);
  }
  await encoder.stop();
  await expectScene(page, 'ended');
  await open(page, `${server.url}/rooms/routes`);
  await expectScene(page, 'offline');
  expect(complaints.unexpected).toEqual([]);
});

test('never live, offline and starting are said in words', async ({ page, server, publish }) => {
  const key = await server.createRoom('states');
  await open(page, `${server.url}/rooms/states`);
  await expectScene(page, 'never');
  await expect(player(page).getByRole('status')).toContainText('Nothing here yet');

  // Connected, and no picture yet.
  const silent = silentEncoder(server.rtmp, key);
  await expectScene(page, 'starting');
  await expect(player(page).getByRole('status')).toContainText('Starting');
  silent.destroy();
  await expectScene(page, /never|offline/);

  const encoder = publish(key);
  await expectScene(page, 'playing');
  await encoder.stop();
  await expectScene(page, 'ended');
  await expect(player(page).getByRole('status')).toContainText('The stream has ended');

  await open(page, `${server.url}/rooms/states`);
  await expectScene(page, 'offline');
  await expect(player(page).getByRole('status')).toContainText('Last live just now');

  const answer = await fetch(`${server.url}/live/states.flv`);
  expect(answer.status).toBe(503);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await answer.json()).toMatchObject({ state: 'offline' });
});

test('what is not there is a page with the status 404 and a way back', async ({ page, server, complaints }) => {
  complaints.allow(/status of 404/);
  for (const path of ['/rooms/nobody-here', '/no/such/page', '/rooms/UPPER!']) {
    const answer = await page.goto(server.url + path);
    expect(answer?.status(), path).toBe(404);
    await expect(page.locator('main')).toContainText(/There is nothing here|This room does not exist/);
    await expect(page.locator('main').getByRole('link').first()).toBeVisible();
  }
  const media = await fetch(`${server.url}/live/nobody-here.flv`);
  expect(media.status).toBe(404);
  expect(await media.text()).toMatch(/\w+ \w+/);
});

test.describe('in Korean', () => {
  test.use({ locale: 'ko-KR' });

  test('the pages speak the language that the browser asks for', async ({ page, server }) => {
    await server.createRoom('hangul');
    await open(page, server.url);
    await expect(page.locator('html')).toHaveAttribute('lang', 'ko');
    await expect(page.getByRole('link', { name: /방 만들기|새 방/ }).first()).toBeVisible();
    await open(page, `${server.url}/rooms/hangul`);
    await expectScene(page, 'never');
    await expect(player(page).getByRole('status')).toContainText(/[가-힣]/);
    await open(page, `${server.url}/rooms/new`);
    await expect(page.locator('main h1')).toContainText(/[가-힣]/);
  });
});
