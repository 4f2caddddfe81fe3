// Who is counted where: viewers in the room and in the directory, the streamer in the chat.
import { expect, open, test } from '../support/fixtures.ts';
import { chat, count, enter, message, sayAndSee, visitor } from '../support/chat.ts';
import { createButton, expectMoving, fillRoomForm, shownKey, tile } from '../support/ui.ts';

test('viewers are counted up and down in the room and in an open directory', async ({ page, browser, server, publish, watched }) => {
  publish(await server.createRoom('counted'));
  await expect.poll(async () => (await server.room('counted')).live.state).toBe('live');
  const url = `${server.url}/rooms/counted`;
  await open(page, server.url);
  const inDirectory = tile(page, 'counted').locator('.pill.bl');
  await expect(inDirectory).toHaveText('0 watching');
  const first = await visitor(browser, watched, url);
  await expectMoving(first);
  await expect(inDirectory).toHaveText('1 watching');
  const inRoom = first.locator('.watching .offscreen');
  await expect(inRoom).toHaveText('1 watching');
  const second = await visitor(browser, watched, url);
  await expectMoving(second);
  await expect(inDirectory).toHaveText('2 watching');
  await expect(inRoom).toHaveText('2 watching');
  await expect(count(first)).toHaveText('2 chatting');
  // Another tab of the same browser is the same viewer.
  const tab = await second.context().newPage();
  await enter(tab, url);
  await expectMoving(tab);
  await expect(inRoom).toHaveText('2 watching');
  await tab.close();
  await second.close();
  await expect(inRoom).toHaveText('1 watching');
  await expect(inDirectory).toHaveText('1 watching');
  await first.locator('.watch-close').click();
  await expect(inDirectory).toHaveText('0 watching');
});

test('the streamer is in the chat from the moment the room is made', async ({ page, browser, server, watched }) => {
  const early = await (await watched(await browser.newContext())).newPage();
  await open(early, server.url);
  await open(page, `${server.url}/rooms/new`);
  await fillRoomForm(page, { owner_name: 'Mina', title: 'From the start', slug: 'from-the-start', category: 'software', language: 'en' });
  await createButton(page).click();
  await shownKey(page);
  // The page with the key still stands, and somebody comes in from an open directory.
  await tile(early, 'from-the-start').getByRole('link', { name: 'From the start' }).click();
  await expect(count(early)).toHaveText('2 chatting');
  await sayAndSee(early, 'first!');
  await page.getByRole('link', { name: 'Open the studio' }).click();
  await expect(message(page, 'first!')).toBeVisible();
  await expect(chat(page).locator('.chat-as b')).toHaveText(/^Mina/);
  await expect(count(early)).toHaveText('2 chatting');
});
