// Links to a place on the canvas: #x,y,zoom, the cell in the middle of the view and pixels a cell.

import {MAX_SCALE, MIN_SCALE} from './view.js';

export interface Place {
  readonly x: number; // cells
  readonly y: number;
  readonly zoom: number; // CSS pixels a cell
}

export type ParsedLink =
  | {readonly place: Place}
  | {readonly problem: string} // for people: names the part and what is allowed
  | null; // no link

export const DEFAULT_ZOOM = 16;

/** Reads the part of an address from '#' on; the zoom may be left out. */
export function parseLink(hash: string, width: number, height: number): ParsedLink {
  if (hash === '' || hash === '#') return null;
  const parts = hash.slice(1).split(',');
  if (parts.length < 2 || parts.length > 3) {
    return {problem: 'The link is not #x,y,zoom, such as #120,80,16.'};
  }
  const x = whole(parts[0]!, width - 1);
  if (x === null) return {problem: `The link's x, “${short(parts[0]!)}”, is not 0 to ${width - 1}.`};
  const y = whole(parts[1]!, height - 1);
  if (y === null) return {problem: `The link's y, “${short(parts[1]!)}”, is not 0 to ${height - 1}.`};
  const zoom = parts[2] === undefined ? DEFAULT_ZOOM : decimal(parts[2]);
  if (zoom === null || zoom < MIN_SCALE || zoom > MAX_SCALE) {
    return {problem: `The link's zoom, “${short(parts[2]!)}”, is not ${MIN_SCALE} to ${MAX_SCALE}.`};
  }
  return {place: {x, y, zoom}};
}

export function linkText({x, y, zoom}: Place): string {
  return `#${x},${y},${Number(zoom.toFixed(2))}`;
}

function whole(text: string, highest: number): number | null {
  return /^\d{1,5}$/.test(text) && Number(text) <= highest ? Number(text) : null;
}

function decimal(text: string): number | null {
  return /^\d{1,3}(\.\d{1,4})?$/.test(text) ? Number(text) : null;
}

const short = (text: string): string => (text.length > 12 ? `${text.slice(0, 12)}…` : text);
