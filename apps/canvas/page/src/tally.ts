// What became of the pixels that were painted through this page in one cluster, and how its sides differ.

/** Whatever has a colour for each cell. */
export interface Cells {
  color(x: number, y: number): number;
}

/** The cells that the panels show. */
export interface Part {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const WIDTH = 36; // cells that are large enough to be hit
const HEIGHT = 24;

/** What is shown of a canvas of that size: its middle. */
export function shownPart(width: number, height: number): Part {
  const part = {width: Math.min(width, WIDTH), height: Math.min(height, HEIGHT)};
  return {left: Math.floor((width - part.width) / 2), top: Math.floor((height - part.height) / 2), ...part};
}

/** In how many cells of a part two sides differ. */
export function differing(one: Cells, other: Cells, {left, top, width, height}: Part): number {
  let count = 0;
  for (let y = top; y < top + height; ++y) {
    for (let x = left; x < left + width; ++x) if (one.color(x, y) !== other.color(x, y)) ++count;
  }
  return count;
}

export class Tally {
  placed = 0; // acknowledged
  failed = 0; // not placed, as far as anybody can tell
  private readonly colors = new Map<string, Set<number>>(); // acknowledged, of each cell

  confirmed(x: number, y: number, color: number): void {
    ++this.placed;
    const key = `${x},${y}`;
    const known = this.colors.get(key);
    if (known === undefined) this.colors.set(key, new Set([color]));
    else known.add(color);
  }

  /** How many pixels were acknowledged and are seen on no side any more. */
  paintedOver(sides: readonly Cells[]): number {
    let seen = 0;
    for (const [key, colors] of this.colors) {
      const [x, y] = key.split(',').map(Number) as [number, number];
      seen += new Set(sides.map((side) => side.color(x, y)).filter((color) => colors.has(color))).size;
    }
    return this.placed - seen;
  }
}
