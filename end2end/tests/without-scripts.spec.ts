// Without JavaScript: pages are read, the form is posted, and what is wrong is said beside what was typed.
import { expect, test } from '../support/fixtures.ts';
import { createButton, field, fillRoomForm, shownKey, tile } from '../support/ui.ts';

test.use({ javaScriptEnabled: false });

test.beforeEach(({ complaints }) => {
  // The browser's own remarks: assets for scripts that it was told not to run, and the status of a refused form.
  complaints.allow(/was preloaded using link preload but not used/);
  complaints.allow(/status of 422/);
});

test('the form says what is wrong and keeps what was typed', async ({ page, server }) => {
  await page.goto(`${server.url}/rooms/new`);
  await fillRoomForm(page, { owner_name: 'Mina', title: 'Late show', slug: 'not a slug!', description: 'Every night.', tags: 'a,b,c,d,e,f' });
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === 'POST'),
    createButton(page).click(),
  ]);
  expect(answer.status()).toBe(422);
  expect(answer.headers()['cache-control']).toContain('no-store');
  await expect(field(page, 'owner_name')).toHaveValue('Mina');
  await expect(field(page, 'title')).toHaveValue('Late show');
  await expect(field(page, 'slug')).toHaveValue('not a slug!');
  await expect(field(page, 'description')).toHaveValue('Every night.');
  await expect(field(page, 'slug')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.locator('main')).toContainText('Only a to z, 0 to 9 and single hyphens');
  await expect(page.locator('main')).toContainText('At most 5, please.');
});

test('a room is made, shows its key once, and is found and read', async ({ page, server, publish }) => {
  await page.goto(`${server.url}/rooms/new`);
  await fillRoomForm(page, {
    owner_name: 'Mina', title: 'Plain <b>text</b>', slug: 'plain-text', description: 'No scripts needed.', category: 'study', language: 'ko', visibility: 'public',
  });
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === 'POST'),
    createButton(page).click(),
  ]);
  expect(answer.status(), 'the key comes in the answer itself, not behind a redirect').toBe(200);
  expect(answer.headers()['cache-control']).toContain('no-store');
  const { key, rtmp } = await shownKey(page);
  expect(rtmp).toBe(server.rtmp);
  expect(page.url()).not.toContain(key);

  await page.getByRole('link', { name: 'Open the studio' }).click();
  await expect(page.locator('main')).toContainText('default');
  await expect(page.locator('body')).not.toContainText(key);

  publish(key);
  await expect.poll(async () => (await server.room('plain-text')).live.state).toBe('live');
  await page.goto(server.url);
  await expect(tile(page, 'plain-text')).toHaveAttribute('data-state', 'live');
  await expect(tile(page, 'plain-text')).toContainText('Plain <b>text</b>');
  await tile(page, 'plain-text').getByRole('link', { name: 'Plain <b>text</b>' }).click();
  await expect(page.getByRole('heading', { name: 'Plain <b>text</b>' })).toBeVisible();
  await expect(page.locator('main')).toContainText('No scripts needed.');
  // Read as it is shown: matchers of text pass over <noscript>.
  const instead = page.locator('noscript.player-noscript');
  await expect(instead).toBeVisible();
  const words = await instead.evaluate((element) => (element as HTMLElement).innerText);
  expect(words).toContain('Watching here needs JavaScript');
  expect(words).toContain(`${server.url}/live/plain-text.flv`);
});

test('the address follows the title when it is left empty', async ({ page, server }) => {
  await page.goto(`${server.url}/rooms/new`);
  await fillRoomForm(page, { owner_name: '도현', title: '밤새 코딩하는 방', category: 'software', language: 'ko' });
  await createButton(page).click();
  await shownKey(page);
  expect((await server.room('bamsae-kodinghaneun-bang')).title).toBe('밤새 코딩하는 방');
});
