// The 32 colours of r/place 2022, in the order of its palette, with the names that it showed. Those
// that were placed stand with their shares in harness/load/rplace_event.cc.

export interface PaletteColor {
  readonly name: string;
  readonly color: number; // 0xRRGGBB
}

const NAMED: ReadonlyArray<readonly [string, number]> = [
  ['burgundy', 0x6d001a], ['dark red', 0xbe0039], ['red', 0xff4500], ['orange', 0xffa800],
  ['yellow', 0xffd635], ['pale yellow', 0xfff8b8], ['dark green', 0x00a368], ['green', 0x00cc78],
  ['light green', 0x7eed56], ['dark teal', 0x00756f], ['teal', 0x009eaa], ['light teal', 0x00ccc0],
  ['dark blue', 0x2450a4], ['blue', 0x3690ea], ['light blue', 0x51e9f4], ['indigo', 0x493ac1],
  ['periwinkle', 0x6a5cff], ['lavender', 0x94b3ff], ['dark purple', 0x811e9f],
  ['purple', 0xb44ac0], ['pale purple', 0xe4abff], ['magenta', 0xde107f], ['pink', 0xff3881],
  ['light pink', 0xff99aa], ['dark brown', 0x6d482f], ['brown', 0x9c6926], ['beige', 0xffb470],
  ['black', 0x000000], ['dark grey', 0x515252], ['grey', 0x898d90], ['light grey', 0xd4d7d9],
  ['white', 0xffffff],
];

export const PALETTE: readonly PaletteColor[] = NAMED.map(([name, color]) => ({name, color}));

/** A colour as "#RRGGBB". */
export function colorText(color: number): string {
  return `#${color.toString(16).padStart(6, '0').toUpperCase()}`;
}

/** Reads "#RRGGBB", in either case; null if it is none. */
export function parseColor(text: string): number | null {
  return /^#[0-9a-f]{6}$/i.test(text) ? Number.parseInt(text.slice(1), 16) : null;
}

/** A colour's name in the palette, or "#RRGGBB". */
export function colorName(color: number): string {
  return PALETTE.find((one) => one.color === color)?.name ?? colorText(color);
}

/**
 * Picks a colour by its number, 1 to 32: a second digit that follows soon completes the first, as
 * "1" and "7" do to 17.
 */
export class DigitPicker {
  private first = 0;
  private firstAt = -Infinity;

  constructor(private readonly soonMs = 900) {}

  /** Takes a digit at a time in milliseconds. Returns the index in the palette, or null. */
  press(digit: number, at: number): number | null {
    const both = this.first * 10 + digit;
    if (this.first > 0 && at - this.firstAt <= this.soonMs && both <= PALETTE.length) {
      this.first = 0;
      return both - 1;
    }
    this.first = digit;
    this.firstAt = at;
    return digit === 0 ? null : digit - 1;
  }
}
