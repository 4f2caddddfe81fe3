// The whole way of a streamer and a viewer: make a room, publish with the key it was shown, be seen without a reload, be watched.
import { awake, expect, open, test } from '../support/fixtures.ts';
import { KEY_FORM, createButton, expectMoving, expectScene, fillRoomForm, shownKey, tile } from '../support/ui.ts';

test('a room made in the form goes live in an open directory and is watched', async ({ page, context, server, publish }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url });

  // The viewer has the directory open before there is anything in it.
  const viewer = await context.newPage();
  await open(viewer, server.url);
  await expect(viewer.locator('article.card')).toHaveCount(0);
  await viewer.evaluate(() => ((window as unknown as { marker: string }).marker = 'not reloaded'));

  await open(page, `${server.url}/rooms/new`);
  await fillRoomForm(page, {
    owner_name: 'Mina',
    title: 'First light',
    slug: 'first-light',
    description: 'Sunrise, every day.',
    category: 'outdoors',
    tags: 'sunrise, sea',
    language: 'en',
    visibility: 'public',
  });
  await createButton(page).click();
  const { key, rtmp } = await shownKey(page);
  expect(rtmp).toBe(server.rtmp);

  // What the copy buttons put on the clipboard is what an encoder needs.
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  await page.getByRole('button', { name: 'Copy the stream key' }).click();
  await expect.poll(clipboard).toBe(key);
  await page.getByRole('button', { name: 'Copy the server address' }).click();
  await expect.poll(clipboard).toBe(rtmp);

  // The new room comes into the open directory, then goes live in it, within a second of the server's own word.
  const card = tile(viewer, 'first-light');
  await expect(card).toHaveAttribute('data-state', 'never');
  const seen = await viewer.evaluateHandle(() => {
    const seen = { at: 0 };
    const look = (): void => {
      if (document.querySelector('article.card[data-state="live"] a[href$="/rooms/first-light"]')) seen.at ||= Date.now();
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
    return seen;
  });
  publish(key);
  await expect.poll(async () => (await server.room('first-light')).live.state, { intervals: [20] }).toBe('live');
  const live = Date.now();
  await expect(card).toHaveAttribute('data-state', 'live');
  const at = await seen.evaluate((seen) => seen.at);
  expect(at).toBeGreaterThan(0);
  const late = at - live;
  test.info().annotations.push({ type: 'measured', description: `the directory showed it ${late} ms after the API did` });
  expect(late, 'milliseconds until the directory showed the room live').toBeLessThan(2_000);

  // By clicking into the room: no page load, picture and sound.
  await card.getByRole('link', { name: 'First light' }).click();
  await expect(viewer).toHaveURL(`${server.url}/rooms/first-light`);
  await expectScene(viewer, 'playing');
  const after = await expectMoving(viewer);
  expect(after.width).toBe(640);
  expect(await viewer.evaluate(() => (window as unknown as { marker?: string }).marker)).toBe('not reloaded');
  await expect.poll(async () => (await server.room('first-light')).watching).toBe(1);
});

test('the key is shown once: the studio knows its name and its use, a replaced key is cut off', async ({ page, server, publish }) => {
  await open(page, `${server.url}/rooms/new`);
  await fillRoomForm(page, { owner_name: 'Mina', title: 'Key ring', slug: 'key-ring', category: 'craft', language: 'en' });
  await createButton(page).click();
  const { key } = await shownKey(page);
  await page.getByRole('link', { name: 'Open the studio' }).click();
  await expect(page).toHaveURL(`${server.url}/rooms/key-ring/studio`);
  await expect(page.locator('main')).toContainText('default');
  await expect(page.locator('main')).not.toContainText(KEY_FORM);

  const encoder = publish(key);
  await expect(page.locator('main')).toContainText(/LIVE \d/);
  await expect(page.locator('main')).toContainText('127.0.0.1');
  await expectScene(page, 'playing');

  await page.getByRole('button', { name: /Replace the key/ }).click();
  await expect.poll(async () => (await shownKey(page)).key).not.toBe(key);
  const { key: second } = await shownKey(page);
  await expect.poll(() => encoder.isRunning, { message: 'the encoder with the old key is cut off' }).toBe(false);

  // The old key is no key any more, the new one is.
  const refused = publish(key);
  await expect.poll(() => refused.isRunning).toBe(false);
  publish(second);
  await expect.poll(async () => (await server.room('key-ring')).live.state).toBe('live');

  await page.reload();
  await awake(page);
  await expect(page.locator('main')).not.toContainText(KEY_FORM);
});

test('somebody else finds no studio, and cannot play with a key', async ({ browser, watched, complaints, server, publish }) => {
  const key = await server.createRoom('not-yours');
  publish(key);
  await expect.poll(async () => (await server.room('not-yours')).live.state).toBe('live');
  expect((await fetch(`${server.url}/live/${key}.flv`)).status).toBe(404);

  complaints.allow(/status of 40[134]/);
  const context = await watched(await browser.newContext());
  const page = await context.newPage();
  const answer = await page.goto(`${server.url}/rooms/not-yours/studio`);
  expect(answer?.status()).toBe(403);
  await expect(page.locator('main')).toContainText('This studio is not yours');
  await context.close();
});

test('a field that was refused is no longer called wrong once it is right', async ({ page, server }) => {
  await open(page, `${server.url}/rooms/new`);
  await createButton(page).click();
  const title = page.locator('main [name="title"]');
  await expect(title).toHaveAttribute('aria-invalid', 'true');
  await title.fill('Now it has one');
  await expect(title).not.toHaveAttribute('aria-invalid', 'true');
  // What is still wrong stays said, and nothing new is.
  await expect(page.locator('main [name="owner_name"]')).toHaveAttribute('aria-invalid', 'true');
});

test('who comes back from a room finds the directory where they left it', async ({ page, server }) => {
  for (let room = 1; room <= 24; room += 1) await server.createRoom(`room-${room}`);
  await page.setViewportSize({ width: 600, height: 500 });
  await open(page, server.url);
  const below = () => page.evaluate(() => Math.round(scrollY));
  const last = page.locator('article.card').last();
  const room = (await last.getByRole('link').first().getAttribute('href'))!;
  await last.scrollIntoViewIfNeeded();
  const left = await below();
  expect(left).toBeGreaterThan(1_000);
  await page.waitForFunction(() => history.state === scrollY);
  await last.getByRole('link').first().click();
  await expect(page).toHaveURL(new RegExp(`${room}$`));
  await expectScene(page, 'never');
  await page.goBack();
  await expect.poll(below).toBe(left);
  await expect(last).toBeInViewport();
  await page.locator('.bar a').first().click();
  await expect.poll(below, 'a link leads to the top').toBe(0);
});

test('an open directory comes back by itself after the server was away', async ({ page, server, complaints }) => {
  complaints.allow(/WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/);
  await server.createRoom('before');
  await open(page, server.url);
  await expect(page.locator('article.card')).toHaveCount(1);
  await page.evaluate(() => ((window as unknown as { marker: string }).marker = 'not reloaded'));

  await server.halt();
  const banner = page.locator('.banner');
  await expect(banner).toHaveClass(/\bshown\b/);
  await expect(banner).toContainText(/connection/i);
  await server.createRoom('meanwhile');
  await server.comeBack();

  await expect(tile(page, 'meanwhile')).toBeVisible({ timeout: 30_000 });
  await expect(banner).not.toHaveClass(/\bshown\b/);
  expect(await page.evaluate(() => (window as unknown as { marker?: string }).marker)).toBe('not reloaded');
});
