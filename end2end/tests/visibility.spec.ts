// Rooms by password and by invitation, in a browser: through the gate to the picture and the chat, and out again when what let one in ends.
import { expect, open, test } from '../support/fixtures.ts';
import { chat, enter, sayAndSee } from '../support/chat.ts';
import { ARTEFACTS } from '../support/paths.ts';
import { createButton, expectMoving, field, fillRoomForm, shownKey } from '../support/ui.ts';
import type { Page } from '@playwright/test';
import type { Server } from '../support/server.ts';
import path from 'node:path';

const PASSWORD = 'quiet river stone';
const SLUG = 'back-room';

test.beforeEach(({ complaints }) => {
  // The gate's status, and what a player is told that is not let in any more, until its page is the gate.
  complaints.allow(/status of 4(03|04|22)/);
});

/** Makes a room in the form, as its owner; gives the key. */
async function makeRoom(page: Page, server: Server, visibility: 'password' | 'invitation'): Promise<string> {
  await open(page, `${server.url}/rooms/new`);
  await fillRoomForm(page, { owner_name: 'Mina', title: 'The back room', slug: SLUG, category: 'talk', language: 'en', visibility });
  await createButton(page).click();
  const { key } = await shownKey(page);
  return key;
}

async function setPassword(page: Page, server: Server, password: string): Promise<void> {
  await open(page, `${server.url}/rooms/${SLUG}/access`);
  await field(page, 'password').fill(password);
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.locator('main')).toContainText('Saved.');
}

/** Makes a link on the owner's page; gives its address. */
async function makeLink(page: Page, server: Server, name: string): Promise<string> {
  await open(page, `${server.url}/rooms/${SLUG}/access`);
  await field(page, 'name').fill(name);
  await page.getByRole('button', { name: 'Make a link' }).click();
  await expect(page.locator('#invite-link')).toContainText('?invite=');
  return (await page.locator('#invite-link').innerText()).trim();
}

const heading = (page: Page, name: string) => page.getByRole('heading', { name });

test('a password lets in to picture and chat, and a new one ends that', async ({ page, server, publish, browser, watched }) => {
  const key = await makeRoom(page, server, 'password');
  await setPassword(page, server, PASSWORD);
  publish(key);
  await open(page, `${server.url}/rooms/${SLUG}/studio`);
  await expect(page.locator('.studio-badge')).toHaveAttribute('data-state', 'live', { timeout: 20_000 });

  const viewer = await (await watched(await browser.newContext())).newPage();
  await open(viewer, server.url);
  await expect(viewer.locator('article.card'), 'it is in no list').toHaveCount(0);
  await viewer.goto(`${server.url}/rooms/${SLUG}`);
  await expect(heading(viewer, 'This room asks for a password')).toBeVisible();
  expect(await viewer.content()).not.toMatch(/The back room|Mina/);
  await field(viewer, 'password').fill('noisy river stone');
  await field(viewer, 'password').press('Enter');
  await expect(viewer.getByRole('alert')).toHaveText('That is not the room’s password.');
  await field(viewer, 'password').fill(PASSWORD);
  await viewer.getByRole('button', { name: 'Go in' }).click();
  await expect(heading(viewer, 'The back room')).toBeVisible();
  await expectMoving(viewer);
  await enter(viewer, `${server.url}/rooms/${SLUG}`);
  await sayAndSee(viewer, 'hello from inside');
  expect(viewer.url()).toBe(`${server.url}/rooms/${SLUG}`);
  await viewer.locator('.watch-elsewhere summary').click();
  const address = (await viewer.locator('.watch-elsewhere code').innerText()).trim();
  const asked = async (url: string) => {
    const stop = new AbortController();
    const { status } = await fetch(url, { signal: stop.signal });
    stop.abort();
    return status;
  };
  expect(await asked(address), 'another player is let in by the address').toBe(200);
  expect(await asked(address.split('?')[0] ?? ''), 'and not without').toBe(404);
  await expectMoving(viewer);

  await setPassword(page, server, 'another river stone');
  // Nobody reloaded that page.
  await expect(heading(viewer, 'This room asks for a password')).toBeVisible({ timeout: 10_000 });
  expect(await asked(address)).toBe(404);
  for (const secret of [PASSWORD, 'another river stone', 'noisy river stone', address.split('token=')[1]]) {
    expect(server.log).not.toContain(secret);
  }
});

test('a link leaves the address bar, lets in, and is revoked under those who watch', async ({ page, server, publish, browser, watched }) => {
  const key = await makeRoom(page, server, 'invitation');
  publish(key);
  const link = await makeLink(page, server, 'friends');
  const viewer = await (await watched(await browser.newContext())).newPage();
  await viewer.goto(`${server.url}/rooms/${SLUG}`);
  await expect(heading(viewer, 'This room is by invitation')).toBeVisible();
  await viewer.goto(link);
  expect(viewer.url(), 'the code leaves the address').toBe(`${server.url}/rooms/${SLUG}`);
  await expect(heading(viewer, 'You are invited')).toBeVisible();
  await viewer.getByRole('button', { name: 'Go in' }).click();
  await expectMoving(viewer);
  const popped = await viewer.context().newPage();
  await open(popped, `${server.url}/rooms/${SLUG}/chat`);
  await expect(chat(popped)).toBeVisible();
  await open(page, `${server.url}/rooms/${SLUG}/access`);
  await expect(page.locator('main')).toContainText('1 came in');
  await expect(page.locator('main'), 'it was shown once').not.toContainText('?invite=');
  await page.getByRole('button', { name: /^Revoke the link/ }).click();
  await expect(page.locator('main')).toContainText('The link was revoked.');
  for (const out of [viewer, popped]) await expect(heading(out, 'This room is by invitation')).toBeVisible({ timeout: 10_000 });
  await viewer.goto(link);
  await expect(viewer.locator('main')).toContainText('This link lets nobody in any more.');
  expect(server.log).not.toContain(link.split('invite=')[1]);
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('one sets a password, and goes in by it', async ({ page, server, browser, watched, complaints }) => {
    complaints.allow(/was preloaded using link preload but not used/);
    await page.goto(`${server.url}/rooms/new`);
    await fillRoomForm(page, { owner_name: 'Mina', title: 'The back room', slug: SLUG, category: 'talk', language: 'en', visibility: 'password' });
    await createButton(page).click();
    await page.goto(`${server.url}/rooms/${SLUG}/studio`);
    await page.getByRole('link', { name: 'Who gets in' }).click();
    await field(page, 'password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.locator('main')).toContainText('Saved.');
    const viewer = await (await watched(await browser.newContext({ javaScriptEnabled: false, locale: 'ko-KR' }))).newPage();
    await viewer.goto(`${server.url}/rooms/${SLUG}`);
    await expect(heading(viewer, '비밀번호가 필요한 방이에요')).toBeVisible();
    await field(viewer, 'password').fill(PASSWORD);
    await viewer.getByRole('button', { name: '들어가기' }).click();
    await expect(heading(viewer, 'The back room')).toBeVisible();
  });
});

for (const { size, viewport, isMobile } of [
  { size: 'desktop', viewport: { width: 1440, height: 900 }, isMobile: false },
  { size: 'phone', viewport: { width: 390, height: 844 }, isMobile: true },
]) {
  for (const colorScheme of ['dark', 'light'] as const) {
    test.describe(`${size}, ${colorScheme}`, () => {
      test.use({ viewport, isMobile, hasTouch: isMobile, colorScheme });

      test('the gate and who gets in fit their window', async ({ page, server, browser, watched }) => {
        const shoot = async (shown: Page, what: string) => {
          await shown.waitForTimeout(300);
          await shown.screenshot({ path: path.join(ARTEFACTS, `${what}-${size}-${colorScheme}.png`), fullPage: true });
          const wider = await shown.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          expect(wider, `${what} is wider than the window by this many pixels`).toBeLessThanOrEqual(0);
        };
        await makeRoom(page, server, 'password');
        await setPassword(page, server, PASSWORD);
        const context = await browser.newContext({ viewport, isMobile, hasTouch: isMobile, colorScheme });
        const viewer = await (await watched(context)).newPage();
        await viewer.goto(`${server.url}/rooms/${SLUG}`);
        await shoot(viewer, 'gate-password');
        await field(viewer, 'password').fill('noisy river stone');
        await field(viewer, 'password').press('Enter');
        await expect(viewer.getByRole('alert')).toBeVisible();
        await shoot(viewer, 'gate-wrong');
        await field(viewer, 'password').fill(PASSWORD);
        await viewer.getByRole('button', { name: 'Go in' }).click();
        await viewer.locator('.watch-elsewhere summary').click();
        await shoot(viewer, 'watch-elsewhere');

        await page.locator('main [name="visibility"][value="invitation"]').check({ force: true });
        await page.getByRole('button', { name: 'Save' }).click();
        await expect(page.locator('main')).toContainText('Saved.');
        const link = await makeLink(page, server, 'friends from far away, all of us');
        await shoot(page, 'access-link');
        // Whoever was in by the password stands before the gate again, without a press.
        await expect(viewer.getByRole('heading', { name: 'This room is by invitation' })).toBeVisible();
        await viewer.goto(link);
        await shoot(viewer, 'gate-invited');
        await open(page, `${server.url}/rooms/${SLUG}/studio`);
        await shoot(page, 'studio-access');
      });
    });
  }
}
