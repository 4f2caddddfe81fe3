// Whatever people type is shown as text, everywhere it is shown, or refused.
import { expect, open, test } from '../support/fixtures.ts';
import { chat, enter, field, makeRoom, message, messages, rename, say, visitor } from '../support/chat.ts';
import { createButton, fillRoomForm, shownKey } from '../support/ui.ts';
import type { Page } from '@playwright/test';

/** Each calls `pwned` where it is taken for anything but text. */
const CORPUS = [
  '<script>pwned()</script>',
  '<img src=x onerror=pwned()>',
  '"><svg onload=pwned()>',
  "' onmouseover='pwned()",
  '</textarea><script>pwned()</script>',
  '</title><script>pwned()</script>',
  '</noscript><img src=x onerror=pwned()>',
  '</div></section><iframe srcdoc="<script>parent.pwned()</script>">',
  '<!--><img src=x onerror=pwned()>-->',
  '{{constructor.constructor("pwned()")()}}',
  '${pwned()}',
  'javascript:pwned()',
  'https://example.org/"onmouseover="pwned()',
  'https://example.org/<img src=x onerror=pwned()>',
  'www.example.org/\'><script>pwned()</script>',
  '&lt;script&gt;pwned()&lt;/script&gt;',
  '@<img src=x onerror=pwned()>',
  '\\u003cscript\\u003epwned()\\u003c/script\\u003e',
];

async function watchFor(page: Page): Promise<() => Promise<void>> {
  await page.addInitScript(() => {
    const window_ = window as unknown as { pwned: () => void; wasPwned: boolean };
    window_.wasPwned = false;
    window_.pwned = () => (window_.wasPwned = true);
  });
  return async () => {
    expect(await page.evaluate(() => (window as unknown as { wasPwned: boolean }).wasPwned)).toBe(false);
    expect(await page.locator('#chat script, #chat iframe, #chat img, #chat svg').count()).toBe(0);
    const hrefs = await page.locator('#chat .msg a').evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).protocol));
    expect(hrefs.every((protocol) => protocol === 'http:' || protocol === 'https:')).toBe(true);
    const attributes = await page.locator('#chat .msg *').evaluateAll((all) => all.flatMap((one) => one.getAttributeNames()));
    expect(attributes.filter((name) => name.startsWith('on'))).toEqual([]);
  };
}

test('messages are text: to those who are there, who come later, and who have no scripts', async ({ page, browser, server, watched }) => {
  test.setTimeout(120_000);
  const url = await makeRoom(page, server, 'corpus');
  const safe = await watchFor(page);
  await enter(page, url);
  const other = await visitor(browser, watched, url);
  for (const [n, hostile] of CORPUS.entries()) {
    const said = `${n}: ${hostile}`;
    await say(page, said);
    await expect(message(other, `${n}: `).filter({ hasText: hostile })).toHaveCount(1);
    await page.waitForTimeout(250);
  }
  await expect(chat(page).locator('.msg.own')).toHaveCount(0);
  await page.mouse.move(10, 10);
  for (const row of await messages(page).all()) await row.hover({ timeout: 2_000 }).catch(() => undefined);
  await safe();

  await page.reload();
  await enter(page, url);
  await expect(messages(page)).toHaveCount(CORPUS.length);
  await safe();

  const html = await (await fetch(url)).text();
  const rows = html.slice(html.indexOf('class="chat-rows"'));
  expect(rows).not.toMatch(/<(script|img|svg|iframe)[^>]*(onerror|onload|pwned|srcdoc)/i);
  expect(rows).toContain('&lt;img src=x onerror=pwned()&gt;');
});

test('names and titles are text', async ({ page, browser, server, watched }) => {
  const safe = await watchFor(page);
  await open(page, `${server.url}/rooms/new`);
  await fillRoomForm(page, {
    owner_name: '<b>Mina</b>', title: '<img src=x onerror=pwned()>', slug: 'hostile-title', description: '</section><script>pwned()</script>', category: 'software', language: 'en',
  });
  await createButton(page).click();
  await shownKey(page);
  const url = `${server.url}/rooms/hostile-title`;
  await enter(page, url);
  await expect(page.getByRole('heading', { name: '<img src=x onerror=pwned()>' })).toBeVisible();
  const other = await visitor(browser, watched, url);
  await rename(other, '<i>Bo</i>');
  const refused = chat(other).locator('.chat-naming em');
  await expect(chat(other).locator('.chat-as b').filter({ hasText: '<i>Bo</i>' }).or(refused.filter({ hasText: /\S/ })).first()).toBeVisible();
  if (await refused.isVisible()) await chat(other).locator('[data-do="keep-name"]').click();
  await field(other).fill('hello');
  await field(other).press('Enter');
  await expect(message(page, 'hello')).toBeVisible();
  await expect(message(page, 'hello').locator('i')).toHaveCount(0);
  await open(page, server.url);
  await expect(page.locator('main img')).toHaveCount(0);
  expect(await page.evaluate(() => (window as unknown as { wasPwned: boolean }).wasPwned)).toBe(false);
  await enter(page, url);
  await safe();
});
