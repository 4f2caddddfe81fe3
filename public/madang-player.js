// <madang-player>: a room's picture in a page of another site.
//   <script src="https://HOST/madang-player.js" defer></script>
//   <madang-player src="https://HOST/rooms/my-room" delay="lowest"></madang-player>
// `src`: the room's page, its stream (/live/my-room.flv), or its name alone, which is one of the host that this script came from.
// `delay`: lowest, balanced or smooth. `muted`: begins without sound. As wide as its place and 16 to 9 high, unless the page's styles say otherwise.
'use strict';
(() => {
  const HOME = new URL('.', document.currentScript?.src ?? location.href);
  const ALLOWED = 'autoplay; fullscreen; picture-in-picture; screen-wake-lock';

  /** The address of the frame; undefined where `src` names no room. */
  const frameOf = (src, delay, muted) => {
    let url;
    try {
      url = new URL(src.includes('/') ? src : `rooms/${src}`, HOME);
    } catch {
      return undefined;
    }
    const slug = url.pathname.match(/\/(?:rooms|embed|live)\/([a-z0-9-]+?)(?:\.flv)?\/?$/)?.[1];
    if (!slug || !/^https?:$/.test(url.protocol)) return undefined;
    const frame = new URL(`/embed/${slug}`, url.origin);
    if (delay) frame.searchParams.set('delay', delay);
    if (muted) frame.searchParams.set('muted', '1');
    return frame.href;
  };

  class MadangPlayer extends HTMLElement {
    static observedAttributes = ['src', 'delay', 'muted', 'title'];
    #frame = document.createElement('iframe');

    constructor() {
      super();
      const style = new CSSStyleSheet();
      style.replaceSync(':host { display: block; aspect-ratio: 16 / 9; } iframe { display: block; width: 100%; height: 100%; border: 0; }');
      this.#frame.allow = ALLOWED;
      const root = this.attachShadow({ mode: 'open' });
      root.adoptedStyleSheets = [style];
      root.append(this.#frame);
    }

    attributeChangedCallback() {
      this.#frame.title = this.title || 'Madang';
      const address = frameOf(this.getAttribute('src') ?? '', this.getAttribute('delay'), this.hasAttribute('muted')) ?? 'about:blank';
      if (this.#frame.src !== address) this.#frame.src = address;
    }
  }

  customElements.get('madang-player') ?? customElements.define('madang-player', MadangPlayer);
})();
