// What is going on: a banner while something is wrong, and short messages that go by themselves.

import {by, capital, make, setText} from './dom.js';

const TOAST_MS = 6_000;
const MAX_TOASTS = 3;
const BANNER_LEAST_MS = 1_200; // else nobody could read it

export class Banner {
  private readonly banner = by('banner');
  private shownAt = 0;
  private timer = 0;

  /** Shows a text, or with none lets the banner go. */
  set(text: string): void {
    clearTimeout(this.timer);
    if (text !== '') {
      if (this.banner.hidden) this.shownAt = performance.now();
      this.banner.hidden = false;
      setText(by('banner-text'), text);
      return;
    }
    if (this.banner.hidden) return;
    const left = this.shownAt + BANNER_LEAST_MS - performance.now();
    this.timer = setTimeout(() => {
      this.banner.hidden = true;
      setText(by('banner-text'), '');
    }, Math.max(0, left));
  }
}

export type ToastKind = 'good' | 'unknown' | 'bad';

export class Toasts {
  private readonly list = by('toasts');

  show(text: string, kind: ToastKind): void {
    // The same trouble again says nothing new.
    for (const old of this.list.children) if (old.textContent === capital(text)) old.remove();
    const toast = make('div', `card toast ${kind}`, capital(text));
    this.list.append(toast);
    while (this.list.children.length > MAX_TOASTS) this.list.firstElementChild?.remove();
    setTimeout(() => toast.remove(), TOAST_MS);
  }
}
