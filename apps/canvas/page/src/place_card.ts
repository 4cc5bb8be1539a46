// What is under the cursor: where, which colour, who placed it and when. The last two are asked of
// the node once the cursor rests.

import type {Cursor} from './cursor.js';
import {by, capital, setText} from './dom.js';
import type {NodeClient, PixelInfo} from './node_client.js';
import {colorName, colorText} from './palette.js';
import type {Picture} from './picture.js';
import type {Placements} from './placements.js';
import {agoText} from './time.js';

const REST_MS = 180;
const AGAIN_MS = 15_000; // the time since then has to be right, roughly

export class PlaceCard {
  private readonly card = by('place');
  private timer = 0;
  private asking = new AbortController();
  private infoText = '';

  constructor(
    private readonly cursor: Cursor,
    private readonly picture: Picture,
    private readonly placements: Placements,
    private readonly user: number,
    private readonly node: () => NodeClient,
  ) {
    cursor.onMove(() => this.moved());
    picture.onChange((cells) => {
      const cell = this.cursor.cell;
      const here = cells === null || (cell?.y === cells.y && cell.x >= cells.x && cell.x < cells.x + cells.length);
      if (cell === null || !here) return;
      this.show();
      this.askAfter(REST_MS);
    });
  }

  /** Shows the cell's present colour. */
  show(): void {
    const cell = this.cursor.cell;
    this.card.dataset['hand'] = cell === null ? 'none' : this.cursor.hand;
    if (cell === null) {
      const {width, height} = this.picture;
      setText(by('place-where'), width === 0 ? '–' : `${width} × ${height}`);
      setText(by('place-who'), '');
      by('place-swatch').style.background = 'transparent';
      return;
    }
    const color = this.placements.color(cell.x, cell.y);
    setText(by('place-where'), `${cell.x}, ${cell.y}`);
    setText(by('place-who'), [capital(colorName(color)), this.infoText].filter(Boolean).join(' · '));
    by('place-swatch').style.background = colorText(color);
  }

  private moved(): void {
    this.infoText = '';
    this.show();
    this.askAfter(REST_MS);
    if (this.cursor.hand === 'keys') this.say();
  }

  private askAfter(ms: number): void {
    clearTimeout(this.timer);
    this.asking.abort();
    if (this.cursor.cell !== null) this.timer = setTimeout(() => void this.ask(), ms);
  }

  private async ask(): Promise<void> {
    const cell = this.cursor.cell;
    if (cell === null || document.hidden) return;
    const asking = (this.asking = new AbortController());
    const info = await this.node().pixel(cell.x, cell.y, asking.signal).catch(() => null);
    if (asking.signal.aborted) return;
    this.infoText = info === null ? '' : this.describe(info);
    this.show();
    this.askAfter(AGAIN_MS);
    if (this.cursor.hand === 'keys') this.say();
  }

  private describe({painted, user, when}: PixelInfo): string {
    if (!painted) return 'never painted';
    const who = user === this.user ? 'by you' : user ? `by user ${user}` : 'by somebody';
    return when === null ? who : `${who}, ${agoText(Date.parse(when), Date.now())}`;
  }

  /** Tells those who do not see it where the keys have moved the cursor. */
  private say(): void {
    setText(by('spoken'), `${by('place-where').textContent}, ${by('place-who').textContent}`);
  }
}
