// The cell that is meant: under the mouse, tapped, or moved to by keys.

import type {Point} from './view.js';

export type Hand = 'mouse' | 'touch' | 'keys';

export class Cursor {
  cell: Point | null = null;
  hand: Hand = 'mouse'; // that moved it last
  private readonly listeners: (() => void)[] = [];

  onMove(listener: () => void): void {
    this.listeners.push(listener);
  }

  move(cell: Point | null, hand: Hand): void {
    const same = cell?.x === this.cell?.x && cell?.y === this.cell?.y && hand === this.hand;
    if (same) return;
    this.cell = cell;
    this.hand = hand;
    for (const tell of this.listeners) tell();
  }
}
