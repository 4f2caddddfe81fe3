// Accounts in a browser: set up, make a room, log out and in, a new password, out everywhere, the end. And what is nowhere to be read.
import { awake, expect, open, test } from '../support/fixtures.ts';
import { enter, chat, message, sayAndSee } from '../support/chat.ts';
import { ARTEFACTS } from '../support/paths.ts';
import { Server } from '../support/server.ts';
import { createButton, field, fillRoomForm, shownKey } from '../support/ui.ts';
import type { Page } from '@playwright/test';
import path from 'node:path';

const PASSWORD = 'quiet river stone';
const NEW_PASSWORD = 'another quiet stone';
const LOCKED = { MADANG_ACCOUNTS_MAKE_ROOMS: 'accounts' };

async function logIn(page: Page, url: string, name: string, password: string): Promise<void> {
  await open(page, `${url}/login`);
  await field(page, 'name').fill(name);
  await field(page, 'password').fill(password);
  await page.locator('main [type="submit"]').click();
}

async function register(page: Page, url: string, name: string): Promise<void> {
  await open(page, `${url}/register`);
  await field(page, 'name').fill(name);
  await field(page, 'password').fill(PASSWORD);
  await page.locator('main [type="submit"]').click();
  await expect(page.locator('.me')).toContainText(name);
}

test('from the set-up link to the deleted account', async ({ page, context, browser, watched, complaints }) => {
  complaints.allow(/status of 4(03|22)/);
  const server = await Server.start(LOCKED);
  try {
    // Somebody without an account is led to logging in, and back.
    await open(page, server.url);
    await page.locator('.bar').getByRole('link', { name: 'Create a room' }).click();
    await expect(page.getByRole('heading', { name: 'Log in to make a room' })).toBeVisible();

    const link = /http:\S+\/register\?setup=\S+/.exec(server.log)?.[0];
    expect(link, 'the first start prints a set-up link').toBeTruthy();
    await open(page, link ?? '');
    expect(page.url(), 'the code leaves the address').toBe(`${server.url}/register`);
    await expect(page.getByRole('heading', { name: 'Set up Madang' })).toBeVisible();
    await field(page, 'name').fill('Mina');
    await field(page, 'password').fill('short');
    await page.locator('main [type="submit"]').click();
    await expect(page.locator('main')).toContainText('At least 8 characters, please.');
    await expect(field(page, 'name')).toHaveValue('Mina');
    await field(page, 'password').fill(PASSWORD);
    await page.locator('main [type="submit"]').click();
    await awake(page);
    await expect(page.locator('.me')).toContainText('Mina');

    await page.locator('.bar').getByRole('link', { name: 'Create a room' }).click();
    await expect(field(page, 'owner_name')).toHaveValue('Mina');
    await fillRoomForm(page, { owner_name: 'Mina', title: 'First room', slug: 'first-room', category: 'talk', language: 'en' });
    await createButton(page).click();
    await shownKey(page);
    await page.getByRole('link', { name: 'Open the studio' }).click();
    await expect(page.locator('main')).toContainText('default');

    // In the chat: a name without a guest's tag, and after logging out a guest.
    const url = `${server.url}/rooms/first-room`;
    await enter(page, url);
    await sayAndSee(page, 'hello from my account');
    await expect(chat(page).locator('.chat-as b')).toHaveText('Mina');
    const other = await (await watched(await browser.newContext())).newPage();
    await enter(other, url);
    await expect(message(other, 'hello from my account').locator('.bd.owner')).toBeVisible();

    await page.locator('.bar').getByRole('button', { name: 'Log out' }).click();
    await awake(page);
    await expect(page.locator('.bar').getByRole('link', { name: 'Log in' })).toBeVisible();
    expect((await page.goto(`${url}/studio`))?.status()).toBe(403);
    await page.locator('main').getByRole('link', { name: 'Log in' }).click();
    await field(page, 'name').fill('mina');
    await field(page, 'password').fill('not my password');
    await page.locator('main [type="submit"]').click();
    await expect(page.getByRole('alert')).toContainText('do not go together');
    await field(page, 'password').fill(PASSWORD);
    await page.locator('main [type="submit"]').click();
    await expect(page, 'back to where one wanted to go').toHaveURL(`${url}/studio`);

    // A second browser, in the room.
    await logIn(other, server.url, 'MINA', PASSWORD);
    await expect(other).toHaveURL(`${server.url}/`);
    await awake(other);
    await enter(other, url);
    await expect(chat(other).locator('.chat-as b')).toHaveText('Mina');
    await open(page, `${server.url}/account`);
    await expect(page.locator('.account')).toContainText('Chrome, Linux');
    await field(page, 'current').first().fill(PASSWORD);
    await field(page, 'new').fill(NEW_PASSWORD);
    await page.getByRole('button', { name: 'Change the password' }).click();
    await expect(page.locator('main')).toContainText('The password is changed.');
    // Nobody reloaded that page: its channel came back as a guest.
    await expect(chat(other).locator('.chat-as b')).not.toHaveText('Mina', { timeout: 15_000 });

    await logIn(other, server.url, 'mina', NEW_PASSWORD);
    await awake(other);
    await open(other, `${server.url}/account`);
    await other.getByRole('button', { name: 'Log out everywhere' }).click();
    await expect(other).toHaveURL(`${server.url}/login`);
    await page.goto(`${server.url}/account`);
    await expect(page, 'here too').toHaveURL(`${server.url}/login?next=/account`);

    await logIn(page, server.url, 'mina', NEW_PASSWORD);
    await awake(page);
    await open(page, `${server.url}/account`);
    await page.locator('summary', { hasText: 'Delete the account' }).click();
    await page.locator('#delete-password').fill(NEW_PASSWORD);
    await page.getByRole('button', { name: 'Delete the account' }).click();
    await expect(page).toHaveURL(`${server.url}/`);
    expect((await fetch(`${server.url}/api/v1/rooms/first-room`)).status).toBe(404);
    await context.clearCookies();
    await logIn(page, server.url, 'mina', NEW_PASSWORD);
    await expect(page.getByRole('alert')).toContainText('do not go together');
  } finally {
    complaints.close();
    await server.stop();
  }
});

test('a password and a session are nowhere to be read', async ({ page, context, server, complaints }) => {
  complaints.allow(/favicon\.ico on .*\/(api\/v1\/rooms|metrics)/);
  complaints.allow(/status of 422 .*\/account on/);
  const texts: { from: string; text: string }[] = [];
  const pending: Promise<unknown>[] = [];
  context.on('response', (response) => {
    const from = `${response.request().method()} ${response.url()}`;
    texts.push({ from: 'an address', text: response.url() });
    const body = response.body().then((bytes) => texts.push({ from, text: bytes.toString('latin1') }));
    pending.push(body.catch(() => undefined));
  });
  context.on('console', (said) => texts.push({ from: 'the console', text: said.text() }));
  page.on('websocket', (socket) => {
    socket.on('framesent', (frame) => texts.push({ from: 'a frame', text: frame.payload.toString() }));
    socket.on('framereceived', (frame) => texts.push({ from: 'a frame', text: frame.payload.toString() }));
  });
  await register(page, server.url, 'Mina');
  const cookies = async () => (await context.cookies()).find(({ name }) => name === 'madang_session');
  const session = await cookies();
  expect(session?.httpOnly && session.sameSite === 'Lax' && session.path === '/').toBe(true);
  expect(await page.evaluate(() => document.cookie), 'no script reads it').not.toContain('madang_session');
  await server.createRoom('some-room');
  for (const path of ['/', '/account', '/rooms/new', '/rooms/some-room', '/api/v1/rooms', '/metrics']) await page.goto(server.url + path);
  await enter(page, `${server.url}/rooms/some-room`);
  await sayAndSee(page, 'hello');
  await open(page, `${server.url}/account`);
  await field(page, 'current').first().fill('wrong but secret');
  await field(page, 'new').fill('never to be used');
  await page.getByRole('button', { name: 'Change the password' }).click();
  await expect(page.locator('main')).toContainText('That is not your password.');
  await Promise.all(pending);
  expect(texts.some(({ from }) => from === 'a frame')).toBe(true);
  for (const secret of [PASSWORD, 'wrong but secret', 'never to be used', encodeURIComponent(PASSWORD), session?.value ?? '?']) {
    expect(texts.filter(({ text }) => text.includes(secret)).map(({ from }) => from)).toEqual([]);
    expect(server.log).not.toContain(secret);
    expect(server.dataFiles().filter(({ bytes }) => bytes.includes(secret)).map(({ name }) => name)).toEqual([]);
  }
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('one registers, logs out and logs in', async ({ page, server, complaints }) => {
    complaints.allow(/was preloaded using link preload but not used/);
    await page.goto(`${server.url}/register?next=/rooms/new`);
    await field(page, 'name').fill('도현');
    await field(page, 'password').fill(PASSWORD);
    await page.locator('main [type="submit"]').click();
    await expect(page).toHaveURL(`${server.url}/rooms/new`);
    await expect(field(page, 'owner_name')).toHaveValue('도현');
    await page.locator('.bar').getByRole('button', { name: 'Log out' }).click();
    await page.locator('.bar').getByRole('link', { name: 'Log in' }).click();
    await field(page, 'name').fill('도현');
    await field(page, 'password').fill(PASSWORD);
    await page.locator('main [type="submit"]').click();
    await expect(page.locator('.me')).toContainText('도현');
  });
});

for (const { size, viewport, isMobile } of [
  { size: 'desktop', viewport: { width: 1440, height: 900 }, isMobile: false },
  { size: 'phone', viewport: { width: 390, height: 844 }, isMobile: true },
]) {
  for (const colorScheme of ['dark', 'light'] as const) {
    test.describe(`${size}, ${colorScheme}`, () => {
      test.use({ viewport, isMobile, hasTouch: isMobile, colorScheme });

      test('the pages of accounts fit their window', async ({ page, complaints }) => {
        complaints.allow(/status of 4(03|22)/);
        const server = await Server.start(LOCKED);
        try {
          const shoot = async (what: string) => {
            await page.waitForTimeout(300);
            await page.screenshot({ path: path.join(ARTEFACTS, `${what}-${size}-${colorScheme}.png`), fullPage: true });
            const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
            expect(wider, `${what} is wider than the window by this many pixels`).toBeLessThanOrEqual(0);
          };
          await open(page, `${server.url}/rooms/new`);
          await shoot('make-rooms');
          await open(page, `${server.url}/register`);
          await field(page, 'name').fill('Admin');
          await field(page, 'password').fill('short');
          await page.locator('main [type="submit"]').click();
          await awake(page);
          await shoot('register-wrong');
          await register(page, server.url, 'Mina with a rather long name');
          await awake(page);
          await shoot('directory-me');
          await open(page, `${server.url}/account`);
          await page.locator('summary').click();
          await shoot('account');
          await page.goto(`${server.url}/account`);
          await page.locator('.account-out form[action="/logout"] button').click();
          await open(page, `${server.url}/login`);
          await field(page, 'name').fill('Mina');
          await field(page, 'password').fill('not this one');
          await page.locator('main [type="submit"]').click();
          await awake(page);
          await shoot('login-wrong');
          await server.createRoom('a-room');
          await page.goto(`${server.url}/rooms/a-room/studio`);
          await shoot('studio-refused');
        } finally {
          complaints.close();
          await server.stop();
        }
      });
    });
  }
}
