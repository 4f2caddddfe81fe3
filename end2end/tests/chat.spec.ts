// Chat between people: who gets what, in which order, and who is counted.
import { expect, open, test } from '../support/fixtures.ts';
import { chat, count, enter, field, message, messages, rename, say, sayAndSee, texts, use, visitor } from '../support/chat.ts';
import { Wire } from '../support/cut.ts';
import { expectScene, hide } from '../support/ui.ts';

test('a message reaches everybody in the room, in one order, and nobody else', async ({ page, browser, server, watched }) => {
  await server.createRoom('room-a');
  await server.createRoom('room-b');
  const [a, b] = [`${server.url}/rooms/room-a`, `${server.url}/rooms/room-b`];
  await enter(page, a);
  const second = await visitor(browser, watched, a);
  const elsewhere = await visitor(browser, watched, b);
  await expect(count(page)).toHaveText('2 chatting');
  for (let n = 0; n < 3; n += 1) {
    await sayAndSee(page, `one ${n}`);
    await sayAndSee(second, `two ${n}`);
  }
  const wanted = ['one 0', 'two 0', 'one 1', 'two 1', 'one 2', 'two 2'];
  await expect.poll(() => texts(page)).toEqual(wanted);
  await expect.poll(() => texts(second)).toEqual(wanted);
  expect(await texts(elsewhere)).toEqual([]);
  await expect(count(elsewhere)).toHaveText('1 chatting');
});

test('own words show at once, and are confirmed in place', async ({ page, server }) => {
  await server.createRoom('at-once');
  await enter(page, `${server.url}/rooms/at-once`);
  await page.evaluate(() => {
    const seen: string[] = [];
    (window as unknown as { seen: string[] }).seen = seen;
    const look = (): void => {
      // The page's own lines may come at any time.
      const row = [...document.querySelectorAll('#chat .msg:not(.sys)')].at(-1);
      if (row) seen.push(row.className);
    };
    new MutationObserver(look).observe(document.querySelector('#chat .chat-rows')!, { childList: true });
  });
  await sayAndSee(page, 'hello');
  await expect(messages(page)).toHaveCount(1);
  const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
  expect(seen[0]).toContain('pending');
  expect(seen.at(-1)).not.toContain('pending');
});

test('history is in the page, also without scripts, and is not drawn twice', async ({ page, browser, server, complaints, watched }) => {
  await server.createRoom('history');
  const url = `${server.url}/rooms/history`;
  await enter(page, url);
  await sayAndSee(page, 'first words');
  await sayAndSee(page, 'second words');
  await page.reload();
  await enter(page, url);
  await expect.poll(() => texts(page)).toEqual(['first words', 'second words']);

  complaints.allow(/was preloaded using link preload but not used/);
  const plain = await (await watched(await browser.newContext({ javaScriptEnabled: false }))).newPage();
  await plain.goto(url);
  await expect(message(plain, 'first words')).toBeVisible();
  await expect(plain.locator('.chat-form')).toBeHidden();
  expect(await plain.locator('.chat-noscript').evaluate((element) => (element as HTMLElement).innerText)).toContain('JavaScript');
  await plain.context().close();
});

for (const [how, leave] of Object.entries({
  'by the close button': async (page) => page.locator('.watch-close').click(),
  'by the back button': async (page) => void (await page.goBack()),
  'by closing the tab': async (page) => page.close(),
  'by a crash': async (page) => {
    const devtools = await page.context().newCDPSession(page);
    // Nobody is left to answer.
    void devtools.send('Page.crash').catch(() => undefined);
  },
} satisfies Record<string, (page: import('@playwright/test').Page) => Promise<unknown>>)) {
  test(`leaving ${how} takes one out, once`, async ({ page, browser, server, watched, complaints }) => {
    complaints.allow(/^crashed/);
    await server.createRoom('leaving');
    const url = `${server.url}/rooms/leaving`;
    await enter(page, url);
    const other = await (await watched(await browser.newContext())).newPage();
    await open(other, server.url);
    await other.locator('a[href="/rooms/leaving"]').first().click();
    await expect(count(page)).toHaveText('2 chatting');
    const counts: string[] = [];
    await page.exposeFunction('noteCount', (text: string) => counts.push(text));
    await count(page).evaluate((element) => {
      const note = (text: string): void => void (window as unknown as { noteCount: (text: string) => void }).noteCount(text);
      new MutationObserver(() => note(element.textContent ?? '')).observe(element, { childList: true, characterData: true, subtree: true });
    });
    await leave(other);
    await expect(count(page)).toHaveText('1 chatting', { timeout: 15_000 });
    await page.waitForTimeout(1_500);
    expect(counts).toEqual(['1 chatting']);
  });
}

test('a reload leaves and comes back: one person all along', async ({ page, browser, server, watched }) => {
  await server.createRoom('reload');
  const url = `${server.url}/rooms/reload`;
  await enter(page, url);
  const other = await visitor(browser, watched, url);
  for (let n = 0; n < 3; n += 1) {
    await other.reload();
    await enter(other, url);
  }
  await expect(count(page)).toHaveText('2 chatting');
  // Another tab of the same browser is the same person.
  const tab = await other.context().newPage();
  await enter(tab, url);
  await expect(count(page)).toHaveText('2 chatting');
});

test('a lost network is found out within 30 s', async ({ page, browser, server, watched, complaints }) => {
  test.setTimeout(90_000);
  complaints.allow(/WebSocket|ERR_|Failed to load/);
  await server.createRoom('lost');
  await enter(page, `${server.url}/rooms/lost`);
  const wire = await Wire.to(server.url);
  const other = await visitor(browser, watched, `${wire.url}/rooms/lost`);
  await expect(count(page)).toHaveText('2 chatting');
  wire.cut();
  await expect(count(page)).toHaveText('1 chatting', { timeout: 35_000 });
  wire.mend();
  await expect(count(page)).toHaveText('2 chatting', { timeout: 35_000 });
  await other.close();
  wire.close();
});

test('two minutes offline, forty messages: all there, once, in order', async ({ page, browser, server, watched, complaints }) => {
  test.setTimeout(240_000);
  // The browser's word for a part that cannot be had.
  complaints.allow(/WebSocket|ERR_|Failed to (load|fetch)/);
  await server.createRoom('tunnel');
  await enter(page, `${server.url}/rooms/tunnel`);
  const wire = await Wire.to(server.url);
  const phone = await visitor(browser, watched, `${wire.url}/rooms/tunnel`);
  await sayAndSee(page, 'before');
  await expect(message(phone, 'before')).toBeVisible();
  wire.cut();
  const said: string[] = [];
  for (let n = 1; n <= 40; n += 1) {
    said.push(`while away ${n}.`);
    await sayAndSee(page, `while away ${n}.`);
    // Three seconds apart: two minutes in all.
    await page.waitForTimeout(2_900);
  }
  // The phone has only read so far: what writing needs beyond the field cannot be fetched in here.
  await say(phone, 'from the tunnel');
  await expect(chat(phone)).toContainText('Sent as soon as the connection is back.');
  wire.mend();
  await expect(message(phone, 'from the tunnel')).not.toHaveClass(/pending/, { timeout: 45_000 });
  const all = ['before', ...said, 'from the tunnel'];
  await expect.poll(() => texts(phone)).toEqual(all);
  await expect.poll(() => texts(page)).toEqual(all);
  wire.close();
});

test('what is written in a tunnel stands there, and is sent at its end', async ({ page, browser, server, watched, complaints }) => {
  test.setTimeout(120_000);
  complaints.allow(/WebSocket|ERR_|Failed to load/);
  await server.createRoom('short-tunnel');
  await enter(page, `${server.url}/rooms/short-tunnel`);
  const wire = await Wire.to(server.url);
  const phone = await visitor(browser, watched, `${wire.url}/rooms/short-tunnel`);
  await sayAndSee(phone, 'before');
  wire.cut();
  await say(phone, 'from the tunnel');
  await expect(chat(phone).locator('.msg.pending')).toHaveCount(1);
  wire.mend();
  await expect(message(phone, 'from the tunnel')).not.toHaveClass(/pending/, { timeout: 45_000 });
  await expect.poll(() => texts(page)).toEqual(['before', 'from the tunnel']);
  wire.close();
});

test('what nobody answers is marked, and can be tried again', async ({ page, server }) => {
  test.setTimeout(60_000);
  await server.createRoom('silence');
  // A server that takes messages and says nothing of them.
  let deaf = true;
  await page.routeWebSocket(/\/ws$/, (socket) => {
    const behind = socket.connectToServer();
    socket.onMessage((data) => {
      if (!(deaf && String(data).includes('"say"'))) behind.send(data);
    });
  });
  await enter(page, `${server.url}/rooms/silence`);
  await say(page, 'anybody?');
  await expect(chat(page).locator('.msg.failed')).toContainText('Not sent.', { timeout: 30_000 });
  deaf = false;
  await chat(page).locator('.msg.failed .retry').click();
  await expect(chat(page).locator('.msg.own')).toHaveCount(0);
  expect(await texts(page)).toEqual(['anybody?']);
});

test('a chat that the server did not open says so, and is asked for again', async ({ page, server }) => {
  await server.createRoom('full-house');
  let refusals = 0;
  await page.routeWebSocket(/\/ws$/, (socket) => {
    const behind = socket.connectToServer();
    socket.onMessage((data) => {
      if (String(data).includes('"join"') && refusals < 2) {
        refusals += 1;
        socket.send('[{"type":"refused","reason":"too_fast"}]');
      } else behind.send(data);
    });
  });
  await open(page, `${server.url}/rooms/full-house`);
  await expect(chat(page).locator('.chat-why')).toContainText('Trying again');
  await say(page, 'I wait');
  await expect(count(page)).toHaveText('1 chatting', { timeout: 25_000 });
  expect(refusals).toBe(2);
  await expect(chat(page).locator('.chat-why')).toBeHidden();
  await expect(chat(page).locator('.msg.own')).toHaveCount(0);
  expect(await texts(page)).toEqual(['I wait']);
});

test('what is done before the rest of the chat is there is done when it comes', async ({ page, server }) => {
  await server.createRoom('early');
  let come = (): void => undefined;
  const late = new Promise<void>((resolve) => {
    come = resolve;
  });
  await page.route(/split_chat_deeds.*\.wasm$/, async (route) => {
    await late;
    await route.continue();
  });
  await enter(page, `${server.url}/rooms/early`);
  await say(page, 'first');
  await expect(field(page)).toHaveValue('');
  await say(page, 'second');
  await chat(page).locator('[data-do="rename"]').click();
  expect(await texts(page)).toEqual([]);
  come();
  await expect.poll(() => texts(page)).toEqual(['first', 'second']);
  await expect(chat(page).locator('.chat-naming input')).toBeFocused();
});

test('where the rest of the chat cannot be had, that is said, and nothing written is lost', async ({ page, server, complaints }) => {
  complaints.allow(/ERR_FAILED|Failed to (fetch|load)/);
  await server.createRoom('unhad');
  let broken = true;
  await page.route(/split_chat_deeds.*\.wasm$/, async (route) => (broken ? route.abort() : route.continue()));
  await enter(page, `${server.url}/rooms/unhad`);
  await say(page, 'hello');
  await expect(chat(page).locator('.msg.note').first()).toContainText('could not be loaded');
  await expect(field(page)).toHaveValue('hello');
  broken = false;
  await field(page).press('Enter');
  await expect.poll(() => texts(page)).toEqual(['hello']);
});

test('names, mentions, replies and emoji', async ({ page, browser, server, watched }) => {
  await server.createRoom('talk');
  const url = `${server.url}/rooms/talk`;
  await enter(page, url);
  const other = await visitor(browser, watched, url);
  await rename(page, 'Ana');
  await expect(chat(page).locator('.chat-as b')).toHaveText(/^Ana#[0-9a-f]{3}$/);
  await sayAndSee(page, 'which lock did you pick?');

  await field(other).pressSequentially('@an');
  await expect(other.getByRole('option')).toHaveCount(1);
  await field(other).press('Enter');
  await field(other).pressSequentially('none :joy');
  await field(other).press('Tab');
  await field(other).press('Enter');
  await expect(messages(page).last()).toHaveClass(/\bme\b/);
  await expect(messages(page).last()).toContainText('none 😂');
  await expect(messages(other).last()).not.toHaveClass(/\bme\b/);

  await use(other, 'which lock', 'reply');
  await expect(field(other)).toBeFocused();
  await sayAndSee(other, 'that one');
  await expect(message(page, 'that one').locator('q')).toContainText('which lock did you pick?');

  await sayAndSee(other, 'see https://example.org/x, and javascript:alert(1)');
  const link = message(page, 'see https').locator('a');
  await expect(link).toHaveCount(1);
  await expect(link).toHaveAttribute('href', 'https://example.org/x');
  await expect(link).toHaveAttribute('rel', /noopener.*nofollow.*ugc/);
});

test('scrolling up stops the log, and older messages come', async ({ page, browser, server, watched }) => {
  test.setTimeout(180_000);
  await server.createRoom('long');
  const url = `${server.url}/rooms/long`;
  await enter(page, url);
  const other = await visitor(browser, watched, url);
  for (let n = 1; n <= 30; n += 1) {
    await sayAndSee(other, `line ${n}.`);
    await other.waitForTimeout(700);
  }
  await expect(message(page, 'line 30.')).toBeInViewport();
  await chat(page).locator('.chat-log').evaluate((log) => log.scrollTo({ top: -log.scrollHeight }));
  await expect(message(page, 'line 1.')).toBeInViewport();
  await sayAndSee(other, 'further down');
  await expect(chat(page).locator('.chat-new')).toHaveText('1 new ↓');
  await expect(message(page, 'line 1.')).toBeInViewport();
  await chat(page).locator('.chat-new').click();
  await expect(message(page, 'further down')).toBeInViewport();
  await expect(chat(page).locator('.chat-new')).toBeHidden();
});

test('keys: / goes to the chat, Escape leaves, the arrows walk, Korean is left to its method', async ({ page, server }) => {
  await server.createRoom('keys');
  await enter(page, `${server.url}/rooms/keys`);
  await expectScene(page, 'never');
  await page.keyboard.press('/');
  await expect(field(page)).toBeFocused();
  await expect(field(page)).toHaveValue('');
  await sayAndSee(page, 'one');
  await sayAndSee(page, 'two');
  await page.keyboard.press('Escape');
  await expect(field(page)).not.toBeFocused();
  await chat(page).locator('.chat-log').focus();
  await page.keyboard.press('ArrowUp');
  await expect(message(page, 'two')).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(message(page, 'one')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(chat(page).locator('.chat-tools [data-do="reply"]')).toBeFocused();

  await field(page).fill('안녕');
  await field(page).dispatchEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true });
  await expect(field(page)).toHaveValue('안녕');
  expect(await texts(page)).toEqual(['one', 'two']);
});

test('a command that does not exist is a hint, and is never said', async ({ page, server }) => {
  await server.createRoom('hints');
  await enter(page, `${server.url}/rooms/hints`);
  await say(page, '/nonsense');
  await page.keyboard.press('Escape');
  await expect(chat(page).locator('.msg.note')).toContainText('/help');
  await field(page).fill('/help ');
  await field(page).press('Enter');
  await expect(chat(page).locator('.msg.note').last()).toContainText('/name');
  expect(await texts(page)).toEqual([]);
});

test('unread messages are counted in the title while nobody looks', async ({ page, browser, server, watched }) => {
  await server.createRoom('title');
  const url = `${server.url}/rooms/title`;
  await enter(page, url);
  const other = await visitor(browser, watched, url);
  await hide(page, true);
  await sayAndSee(other, 'psst');
  await expect(page).toHaveTitle(/^\(1\) /);
  await hide(page, false);
  await expect(page).toHaveTitle(/^Room title/);
});

test('a message that is too long is counted and not sent', async ({ page, server }) => {
  await server.createRoom('length');
  await enter(page, `${server.url}/rooms/length`);
  // A family is one character to its readers, and five to a computer.
  await field(page).fill('👨‍👩‍👧'.repeat(450));
  await expect(chat(page).locator('.chat-left')).toHaveText('50 left');
  await field(page).fill('x'.repeat(503));
  await expect(chat(page).locator('.chat-left')).toHaveText('3 too many');
  await expect(chat(page).getByRole('button', { name: 'Chat', exact: true })).toBeDisabled();
  await field(page).press('Enter');
  expect(await texts(page)).toEqual([]);
});
