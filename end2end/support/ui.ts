// The pages as tests speak of them: one place that knows how a thing is found.
import { expect, type BrowserContext, type Locator, type Page } from '@playwright/test';

/** The windows in which pages are looked at. */
export const SIZES = [
  { name: 'desktop', viewport: { width: 1440, height: 900 }, isMobile: false },
  { name: 'phone', viewport: { width: 390, height: 844 }, isMobile: true },
];

/** What a stream key looks like, wherever it turns up. */
export const KEY_FORM = /sk_[0-9a-z]{32}/;

/** What is typed into the form of a new room. */
export interface RoomFields {
  owner_name: string;
  title: string;
  slug?: string;
  description?: string;
  category?: string;
  tags?: string;
  language?: string;
  visibility?: 'public' | 'unlisted' | 'password' | 'invitation';
}

/** The field that is sent under this name. */
export const field = (page: Page, name: string): Locator => page.locator(`main [name="${name}"]`);

/** Fills in what is given, whatever kind of field it is. */
export async function fillRoomForm(page: Page, fields: RoomFields): Promise<void> {
  for (const [name, value] of Object.entries(fields) as [string, string][]) {
    const first = field(page, name).first();
    const kind = await first.evaluate((element) => `${element.tagName}:${element.getAttribute('type') ?? ''}`);
    if (kind.startsWith('SELECT')) await first.selectOption(value);
    else if (kind === 'INPUT:radio') await page.locator(`main [name="${name}"][value="${value}"]`).check({ force: true });
    else await first.fill(value);
  }
}

export const createButton = (page: Page): Locator => page.locator('main').getByRole('button', { name: /^Create the room/ });

/** The key and the server address that a page shows once, as a person would copy them. */
export async function shownKey(page: Page): Promise<{ key: string; rtmp: string }> {
  const key = page.locator('#stream-key');
  await expect(key, 'the key is shown').toHaveText(KEY_FORM);
  return { key: (await key.innerText()).trim(), rtmp: (await page.locator('#server-url').innerText()).trim() };
}

/** The room's tile in the directory. */
export const tile = (page: Page, slug: string): Locator =>
  page.locator('article.card', { has: page.locator(`a[href="/rooms/${slug}"]`) });

export const player = (page: Page): Locator => page.locator('.player');

/** How far one can go back, in ms. The bar says it to who moves: for nobody it stands still. */
export async function wayBack(page: Page): Promise<number> {
  await player(page).dispatchEvent('pointermove');
  return Number(await player(page).locator('.player-seek').getAttribute('max'));
}

/** Waits until the player shows this: `never`, `offline`, `starting`, `connecting`, `playing`, `ended`, `not-found` … */
export async function expectScene(page: Page, scene: string | RegExp, timeout = 20_000): Promise<void> {
  await expect(player(page)).toHaveAttribute('data-scene', scene, { timeout });
}

/** What the video element has done so far. */
export interface Played {
  /** Frames decoded and shown or dropped. */
  frames: number;
  audioBytes: number;
  /** Seconds. */
  at: number;
  width: number;
  paused: boolean;
  muted: boolean;
}

export async function played(page: Page): Promise<Played> {
  return page.locator('video').first().evaluate((element) => {
    const video = element as HTMLVideoElement & { webkitAudioDecodedByteCount?: number };
    return {
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
      audioBytes: video.webkitAudioDecodedByteCount ?? 0,
      at: video.currentTime,
      width: video.videoWidth,
      paused: video.paused,
      muted: video.muted,
    };
  });
}

/** Waits until more than this has been decoded from now on; a media source that is built anew counts from zero. */
export async function expectMore(page: Page, what: 'frames' | 'audioBytes', more: number, timeout = 20_000): Promise<void> {
  let from = (await played(page))[what];
  const grown = async (): Promise<number> => {
    const now = (await played(page))[what];
    if (now < from) from = now;
    return now - from;
  };
  await expect.poll(grown, { timeout, message: `${what} grow` }).toBeGreaterThan(more);
}

/** Waits until the picture has moved on by about a second: at the lowest delay sound goes past the element. */
export const expectFrames = (page: Page): Promise<void> => expectMore(page, 'frames', 25);

/** Waits until both picture and sound have moved on by about a second from now. */
export async function expectMoving(page: Page, timeout = 20_000): Promise<Played> {
  let from = await played(page);
  await expect
    .poll(
      async () => {
        const now = await played(page);
        // A rebuilt media source counts from zero again.
        if (now.frames < from.frames || now.audioBytes < from.audioBytes) from = now;
        return now.frames >= from.frames + 20 && now.audioBytes > from.audioBytes && now.at > from.at;
      },
      { timeout, message: 'decoded frames and decoded audio bytes grow' },
    )
    .toBe(true);
  return played(page);
}

/** Waits until the statistics name this way. */
export async function expectWay(page: Page, way: 'WebCodecs' | 'MediaSource'): Promise<void> {
  const stats = player(page).getByRole('region', { name: 'Statistics' });
  if (!(await stats.isVisible())) await page.keyboard.press('s');
  await expect(stats).toContainText(`HTTP-FLV, ${way}`, { timeout: 20_000 });
}

/** Says to the page that nobody sees it, or that somebody does: headless pages are always shown. */
export const hide = (page: Page, hidden: boolean): Promise<void> =>
  page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  }, hidden);

/** Makes the browser's coming pages those of one that does not play HEVC, as many do not. */
export async function withoutHevc(pages: Page | BrowserContext): Promise<void> {
  await pages.addInitScript(() => {
    const plays = MediaSource.isTypeSupported.bind(MediaSource);
    MediaSource.isTypeSupported = (type) => !type.includes('hvc1') && plays(type);
  });
}
