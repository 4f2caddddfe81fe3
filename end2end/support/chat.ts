// The chat as tests speak of it.
import { expect, type Browser, type BrowserContext, type Locator, type Page } from '@playwright/test';
import { open } from './fixtures.ts';
import { createButton, fillRoomForm, shownKey } from './ui.ts';
import type { Server } from './server.ts';

export const chat = (page: Page): Locator => page.locator('#chat');

/** Messages of people, without lines that nobody wrote. */
export const messages = (page: Page): Locator => chat(page).locator('.msg:not(.sys)');

/** The row of the message with this text. */
export const message = (page: Page, text: string): Locator => messages(page).filter({ hasText: text });

export const field = (page: Page): Locator => page.locator('#chat-text');

export const count = (page: Page): Locator => chat(page).locator('.chat-head small');

/** Opens a room and waits until its chat is there and can be written in. */
export async function enter(page: Page, url: string): Promise<void> {
  await open(page, url);
  await expect(count(page)).toHaveText(/\d+ chatting/);
  await expect(field(page)).toBeEnabled();
}

/** A browser of its own in the room: another person. */
export async function visitor(
  browser: Browser,
  watched: (context: BrowserContext) => Promise<BrowserContext>,
  url: string,
): Promise<Page> {
  const page = await (await watched(await browser.newContext())).newPage();
  await enter(page, url);
  return page;
}

/** Makes a room by the form: this page's browser is its owner's. Returns the room's address. */
export async function makeRoom(page: Page, server: Server, slug: string, owner = 'Mina'): Promise<string> {
  await open(page, `${server.url}/rooms/new`);
  await fillRoomForm(page, { owner_name: owner, title: `Room ${slug}`, slug, category: 'software', language: 'en' });
  await createButton(page).click();
  await shownKey(page);
  return `${server.url}/rooms/${slug}`;
}

export async function say(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await field(page).press('Enter');
}

/** Says it and waits until the server has it. */
export async function sayAndSee(page: Page, text: string): Promise<void> {
  await say(page, text);
  await expect(message(page, text)).toBeVisible();
  await expect(chat(page).locator('.msg.own')).toHaveCount(0);
}

/** Texts of the messages, as they stand, without times and names. */
export async function texts(page: Page): Promise<string[]> {
  return messages(page).evaluateAll((rows) =>
    rows.map((row) => {
      const copy = row.cloneNode(true) as HTMLElement;
      copy.querySelectorAll('time, b, .bd, q, .why, button').forEach((part) => part.remove());
      return (copy.textContent ?? '').trim();
    }),
  );
}

export async function rename(page: Page, name: string): Promise<void> {
  await chat(page).locator('[data-do="rename"]').click();
  await chat(page).locator('.chat-naming input').fill(name);
  await chat(page).locator('[data-do="save-name"]').click();
}

/** Uses a tool on a message. */
export async function use(page: Page, text: string, tool: string): Promise<void> {
  await message(page, text).first().hover();
  await chat(page).locator(`.chat-tools [data-do="${tool}"]`).click();
}
