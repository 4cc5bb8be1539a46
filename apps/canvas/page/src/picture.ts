// What the node's canvas looks like as far as this page was told, and the same as a drawable
// surface, which takes over only those tiles that have changed.

import {forEachRun, type Frame} from './frames.js';

const TILE = 128; // cells a side
const OPAQUE = 0xff000000;

/** Called for cells that were told anew; a whole picture is told as null. */
export type Changed = (cells: {x: number; y: number; length: number} | null) => void;

export class Picture {
  width = 0;
  height = 0;
  readonly surface = document.createElement('canvas');
  private image: ImageData | null = null;
  private words = new Uint32Array(); // the same bytes as the image's: 0xAABBGGRR on little-endian machines
  private dirty = new Set<number>(); // tiles that the surface lacks
  private tilesAcross = 0;
  private readonly listeners: Changed[] = [];

  onChange(listener: Changed): void {
    this.listeners.push(listener);
  }

  /** Takes in a frame. Throws FrameError, perhaps after some of it, if it is malformed. */
  take(frame: Frame): void {
    if (frame.kind === 'picture') return this.takePicture(frame);
    forEachRun(frame, (x, y, rgb) => this.takeRun(x, y, rgb));
  }

  contains(x: number, y: number): boolean {
    return x >= 0 && y >= 0 && x < this.width && y < this.height;
  }

  /** The colour of a cell, 0xRRGGBB. */
  color(x: number, y: number): number {
    const word = this.words[y * this.width + x] ?? 0;
    return ((word & 255) << 16) | (word & 0xff00) | ((word >> 16) & 255);
  }

  /** Brings the surface up to date. */
  paintSurface(): void {
    const pen = this.surface.getContext('2d');
    if (pen === null || this.image === null) return;
    for (const tile of this.dirty) {
      const left = (tile % this.tilesAcross) * TILE;
      const top = Math.floor(tile / this.tilesAcross) * TILE;
      pen.putImageData(this.image, 0, 0, left, top, TILE, TILE);
    }
    this.dirty.clear();
  }

  private takePicture({width, height, body}: Frame): void {
    if (width !== this.width || height !== this.height) this.resize(width, height);
    const {words} = this;
    for (let i = 0, at = 0; i < words.length; ++i, at += 3) {
      words[i] = OPAQUE | (body[at + 2]! << 16) | (body[at + 1]! << 8) | body[at]!;
    }
    const tiles = this.tilesAcross * Math.ceil(height / TILE);
    for (let tile = 0; tile < tiles; ++tile) this.dirty.add(tile);
    for (const tell of this.listeners) tell(null);
  }

  private takeRun(x: number, y: number, rgb: Uint8Array): void {
    const length = rgb.length / 3;
    const start = y * this.width + x;
    for (let i = 0, at = 0; i < length; ++i, at += 3) {
      this.words[start + i] = OPAQUE | (rgb[at + 2]! << 16) | (rgb[at + 1]! << 8) | rgb[at]!;
    }
    const row = Math.floor(y / TILE) * this.tilesAcross;
    for (let tile = Math.floor(x / TILE); tile * TILE < x + length; ++tile) this.dirty.add(row + tile);
    for (const tell of this.listeners) tell({x, y, length});
  }

  private resize(width: number, height: number): void {
    Object.assign(this, {width, height, tilesAcross: Math.ceil(width / TILE)});
    Object.assign(this.surface, {width, height});
    this.image = new ImageData(width, height);
    this.words = new Uint32Array(this.image.data.buffer);
    this.dirty.clear();
  }
}
