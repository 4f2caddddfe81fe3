// Moderation: what is done shows everywhere, holds, and can be undone.
import { expect, open, test } from '../support/fixtures.ts';
import { chat, enter, field, makeRoom, message, rename, say, sayAndSee, texts, use, visitor } from '../support/chat.ts';

test('a deleted message is a stub for everyone, until it is undone', async ({ page, browser, server, watched }) => {
  const url = await makeRoom(page, server, 'delete');
  await enter(page, url);
  const viewer = await visitor(browser, watched, url);
  await sayAndSee(viewer, 'something rude');
  await sayAndSee(page, 'please behave');
  await expect(message(viewer, 'please behave').locator('.bd.owner')).toBeVisible();
  await use(page, 'something rude', 'delete');
  await expect(chat(viewer).locator('.msg.gone')).toHaveText(/message deleted/);
  await expect(message(viewer, 'something rude')).toHaveCount(0);
  // Who comes later does not get the text either.
  expect(await (await fetch(url)).text()).not.toContain('something rude');
  await chat(page).locator('[data-do="undo"]').click();
  await expect(message(viewer, 'something rude')).toBeVisible();
  // A viewer has no such tools.
  await message(viewer, 'something rude').hover();
  await expect(chat(viewer).locator('.chat-tools [data-do="reply"]')).toBeVisible();
  await expect(chat(viewer).locator('.chat-tools [data-do="delete"]')).toBeHidden();
});

test('a timeout ends by itself, and says how long it lasts', async ({ page, browser, server, watched }) => {
  const url = await makeRoom(page, server, 'timeout');
  await enter(page, url);
  const viewer = await visitor(browser, watched, url);
  await sayAndSee(viewer, 'spam spam');
  await use(page, 'spam spam', 'timeout');
  await chat(page).locator('[data-seconds="10"]').click();
  await expect(field(viewer)).toBeDisabled();
  await expect(chat(viewer).locator('.chat-why')).toHaveText(/You can write again in \d+ seconds?/);
  await expect(message(viewer, 'spam spam')).toHaveCount(0);
  await expect(field(viewer)).toBeEnabled({ timeout: 15_000 });
  await sayAndSee(viewer, 'sorry');
});

test('a ban holds in a browser that has cleared its cookies, and is lifted on the page', async ({ page, browser, server, watched }) => {
  const url = await makeRoom(page, server, 'ban');
  await enter(page, url);
  const viewer = await visitor(browser, watched, url);
  await sayAndSee(viewer, 'very bad');
  await use(page, 'very bad', 'ban');
  await expect(field(viewer)).toBeDisabled();
  await viewer.context().clearCookies();
  await viewer.reload();
  await expect(field(viewer)).toBeDisabled();
  await expect(chat(viewer).locator('.chat-why')).toContainText('You cannot write in this room');

  await open(page, `${url}/moderation`);
  await expect(page.locator('.moderation')).toContainText('Banned');
  await page.getByRole('button', { name: 'Lift it' }).first().click();
  await expect(page.getByText('Everyone can.')).toBeVisible();
  await expect(field(viewer)).toBeEnabled();
});

test('nobody poses as the streamer', async ({ page, browser, server, watched }) => {
  const url = await makeRoom(page, server, 'posing', 'Mina');
  await enter(page, url);
  await sayAndSee(page, 'I am the streamer');
  const viewer = await visitor(browser, watched, url);
  for (const name of ['Mina', 'mina', 'Мina', 'Ｍina', 'M1na', 'Mi\u0301na'.normalize('NFC')]) {
    await rename(viewer, name);
    const refused = chat(viewer).locator('.chat-naming em');
    const kept = chat(viewer).locator('.chat-as b');
    // The last two are other words to people; whatever becomes of them, the badge is the server's alone.
    if (!['M1na', 'Mína'].includes(name)) await expect(refused, name).toContainText('looks like somebody else’s');
    else await expect(refused.or(kept).first()).toBeVisible();
    if (await refused.isVisible()) await chat(viewer).locator('[data-do="keep-name"]').click();
  }
  await sayAndSee(viewer, 'no badge');
  await expect(message(page, 'no badge').locator('.bd')).toHaveCount(0);
});

test('slow mode, closed, links off and the filter say what they are', async ({ page, browser, server, watched }) => {
  const url = await makeRoom(page, server, 'modes');
  await enter(page, url);
  const viewer = await visitor(browser, watched, url);

  await say(page, '/slow 10');
  await expect(chat(viewer).locator('.chat-modes')).toHaveText('slow 10 s');
  await sayAndSee(viewer, 'first');
  await expect(chat(viewer).locator('.chat-foot [type="submit"]')).toHaveText(/in \d+ s/);
  await field(viewer).fill('second');
  await field(viewer).press('Enter');
  expect(await texts(viewer)).toEqual(['first']);
  await expect(chat(viewer).locator('.chat-foot [type="submit"]')).toHaveText('Chat', { timeout: 20_000 });
  await field(viewer).press('Enter');
  await expect(message(page, 'second')).toBeVisible();

  await say(page, '/slow off');
  await say(page, '/links off');
  await expect(chat(viewer).locator('.chat-modes')).toHaveText('no links');
  await say(viewer, 'go to example.org/now');
  await expect(chat(viewer).locator('.msg.failed')).toContainText('Links are off');
  await chat(viewer).locator('.msg.failed .discard').click();
  await expect(chat(viewer).locator('.msg.failed')).toHaveCount(0);
  await say(page, '/links on');

  await open(page, `${url}/moderation`);
  await page.locator('#mod-words').fill('brussels sprouts\nturnip');
  await page.locator('form:has(#mod-words) button').click();
  await expect(page.locator('.studio-notice')).toContainText('Done.');
  await page.locator('#mod-test').fill('I like TURNIP soup');
  await page.locator('form:has(#mod-test) button').click();
  await expect(page.locator('.studio-notice')).toContainText('turnip');
  await field(viewer).fill('');
  await say(viewer, 'a turnip');
  await expect(chat(viewer).locator('.msg.failed')).toContainText('does not take');

  await page.locator('[name="closed"]').check();
  await page.locator('form:has(#mod-slow) button').click();
  await expect(field(viewer)).toBeDisabled();
  await expect(chat(viewer).locator('.chat-why')).toContainText('closed');
  await page.locator('#mod-words').fill('not saved yet');
  await page.locator('.studio-notice button').click();
  await expect(page.locator('[name="closed"]'), 'what is in force again').not.toBeChecked();
  await expect(field(viewer)).toBeEnabled();
  await expect(page.locator('#mod-words')).toHaveValue('not saved yet');
});

test('what moderators did is a log, and is theirs alone', async ({ page, browser, server, watched, complaints }) => {
  complaints.allow(/status of 403/);
  const url = await makeRoom(page, server, 'log');
  await enter(page, url);
  const viewer = await visitor(browser, watched, url);
  await rename(viewer, 'Bo');
  await sayAndSee(viewer, 'hm');
  await use(page, 'hm', 'card');
  await expect(chat(page).locator('.chat-card')).toContainText('hm');
  await page.keyboard.press('Escape');
  await expect(chat(page).locator('.chat-card')).toHaveCount(0);
  await use(page, 'hm', 'card');
  await expect(chat(page).locator('.chat-card'), 'it can be read by keys').toBeFocused();
  await chat(page).locator('.chat-card [data-do="card-mod"]').click();
  await expect(chat(viewer).locator('.msg.sys').last()).toContainText('moderator now');
  await sayAndSee(page, 'thank you');
  await open(viewer, `${url}/moderation`);
  await expect(viewer.locator('.moderation-log')).toContainText('moderates');
  const stranger = await (await watched(await browser.newContext())).newPage();
  expect((await stranger.goto(`${url}/moderation`))?.status()).toBe(403);
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('the page is read, and its forms are posted', async ({ page, server, complaints }) => {
    complaints.allow(/was preloaded using link preload but not used/);
    await page.goto(`${server.url}/rooms/new`);
    const { fillRoomForm, createButton, shownKey } = await import('../support/ui.ts');
    await fillRoomForm(page, { owner_name: 'Mina', title: 'Plain', slug: 'plain', category: 'software', language: 'en' });
    await createButton(page).click();
    await shownKey(page);
    await page.goto(`${server.url}/rooms/plain/moderation`);
    await page.locator('[name="slow"]').fill('30');
    await page.locator('form:has(#mod-slow) button').click();
    await expect(page.locator('.studio-notice')).toContainText('Done.');
    await expect(page.locator('[name="slow"]')).toHaveValue('30');
    await expect(page.locator('.moderation-log')).toContainText('changed the modes');
  });
});
