// The palette: a group of radio buttons, and one more for any other colour.

import {by, capital, make} from './dom.js';
import {colorText, PALETTE, parseColor} from './palette.js';

const KEY = 'parley-color';
const FIRST = 2; // red

export class PaletteBar {
  private readonly bar = by('swatches');
  private readonly swatches: HTMLElement[] = [];
  private readonly any = make('label', 'color any');
  private readonly input = make('input');
  private chosen = FIRST; // index of a swatch
  color = PALETTE[FIRST]!.color;

  /** `chose` is called with each choice, the remembered one too. */
  constructor(private readonly chose: (color: number) => void) {
    PALETTE.forEach(({name, color}, index) => this.addSwatch(name, color, index));
    this.addAny();
    this.bar.addEventListener('keydown', (event) => this.onKey(event));
    this.restore();
  }

  /** Chooses by the place in the palette; one past the last is the first. */
  choose(index: number): void {
    const at = (index + PALETTE.length) % PALETTE.length;
    this.take(at, PALETTE[at]!.color);
  }

  next(by: number): void {
    // From a colour of one's own, which has no place, on to the first or back to the last.
    const from = this.chosen < PALETTE.length ? this.chosen : by > 0 ? -1 : 0;
    this.choose(from + by);
  }

  private addSwatch(name: string, color: number, index: number): void {
    const swatch = make('button', 'color');
    swatch.type = 'button';
    swatch.title = `${capital(name)} (${index + 1})`;
    swatch.setAttribute('role', 'radio');
    swatch.setAttribute('aria-label', capital(name));
    swatch.style.setProperty('--color', colorText(color));
    swatch.addEventListener('click', () => this.choose(index));
    this.swatches.push(swatch);
    this.bar.append(swatch);
  }

  private addAny(): void {
    this.input.type = 'color';
    this.input.value = '#3690ea';
    this.input.setAttribute('aria-label', 'Any colour');
    this.input.addEventListener('input', () => this.takeAny(this.input.value));
    this.any.title = 'Any colour';
    this.any.append(this.input);
    this.swatches.push(this.any);
    by('palette').append(this.any);
  }

  private takeAny(text: string): void {
    const color = parseColor(text);
    if (color !== null) this.take(this.swatches.length - 1, color);
  }

  private take(index: number, color: number): void {
    this.chosen = index;
    this.color = color;
    this.swatches.forEach((swatch, at) => this.mark(swatch, at === index));
    this.any.style.setProperty('--color', colorText(color));
    try {
      localStorage.setItem(KEY, colorText(color));
    } catch {
      // A private window: not remembered.
    }
    this.chose(color);
  }

  private mark(swatch: HTMLElement, chosen: boolean): void {
    if (swatch === this.any) {
      this.any.classList.toggle('chosen', chosen);
      return;
    }
    swatch.setAttribute('aria-checked', String(chosen));
    // One stop for the Tab key; arrows move within.
    swatch.tabIndex = chosen ? 0 : -1;
  }

  private onKey(event: KeyboardEvent): void {
    const by = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
    if (by === undefined) return;
    event.preventDefault();
    this.next(by);
    this.swatches[this.chosen]?.focus();
  }

  private restore(): void {
    let remembered: number | null = null;
    try {
      remembered = parseColor(localStorage.getItem(KEY) ?? '');
    } catch {
      // As above.
    }
    const known = PALETTE.findIndex(({color}) => color === remembered);
    if (remembered === null) return this.choose(FIRST);
    if (known >= 0) return this.choose(known);
    this.input.value = colorText(remembered).toLowerCase();
    this.take(this.swatches.length - 1, remembered);
  }
}
