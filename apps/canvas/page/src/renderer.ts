// Draws the canvas, what this page has painted on top of it, and the cursor; only when something
// has changed, and at most once a frame of the screen.

import type {Cursor} from './cursor.js';
import {colorText} from './palette.js';
import type {Picture} from './picture.js';
import type {Placement, Placements} from './placements.js';
import {clamp, type Point, type View} from './view.js';

const GRID_FROM_SCALE = 14;
const FADE_MS = 600;

interface Inks {
  ground: string;
  shadow: string;
  good: string;
  bad: string;
}

export class Renderer {
  color = 0; // that is chosen: of the cursor
  private readonly pen: CanvasRenderingContext2D;
  private readonly calm = matchMedia('(prefers-reduced-motion: reduce)');
  private inks: Inks = {ground: '', shadow: '', good: '', bad: ''};
  private asked = false;

  constructor(
    private readonly stage: HTMLCanvasElement,
    private readonly picture: Picture,
    private readonly view: View,
    private readonly placements: Placements,
    private readonly cursor: Cursor,
  ) {
    const pen = stage.getContext('2d', {alpha: false});
    if (pen === null) throw new Error('this browser cannot draw');
    this.pen = pen;
    this.readInks();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.readInks());
  }

  draw(): void {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame((now) => {
      this.asked = false;
      this.drawNow(now);
    });
  }

  private readInks(): void {
    const style = getComputedStyle(document.documentElement);
    const ink = (name: string): string => style.getPropertyValue(`--${name}`).trim();
    this.inks = {ground: ink('ground'), shadow: ink('sheet-shadow'), good: ink('good'), bad: ink('bad')};
    this.draw();
  }

  private drawNow(now: number): void {
    const ratio = this.fitStage();
    this.pen.fillStyle = this.inks.ground;
    this.pen.fillRect(0, 0, this.stage.clientWidth, this.stage.clientHeight);
    if (this.picture.width === 0) return;
    this.drawSheet(ratio);
    if (this.view.scale >= GRID_FROM_SCALE) this.drawGrid();
    const overlay = this.placements.overlay(now);
    for (const one of overlay) this.drawPlacement(one, now - one.since);
    if (overlay.length > 0) this.draw();
    if (this.cursor.cell !== null) this.drawCursor(this.cursor.cell);
  }

  /** Gives the stage a pixel for each of the screen's; returns how many of them are one CSS pixel. */
  private fitStage(): number {
    const ratio = devicePixelRatio || 1;
    const width = Math.round(this.stage.clientWidth * ratio);
    const height = Math.round(this.stage.clientHeight * ratio);
    if (this.stage.width !== width || this.stage.height !== height) Object.assign(this.stage, {width, height});
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    return ratio;
  }

  private drawSheet(ratio: number): void {
    const {pen, view, picture} = this;
    const [width, height] = [picture.width * view.scale, picture.height * view.scale];
    pen.save();
    pen.shadowColor = this.inks.shadow;
    pen.shadowBlur = 36 * ratio;
    pen.shadowOffsetY = 8 * ratio;
    pen.fillStyle = '#fff';
    pen.fillRect(view.left, view.top, width, height);
    pen.restore();
    picture.paintSurface();
    pen.imageSmoothingEnabled = view.scale * ratio < 1;
    pen.drawImage(picture.surface, view.left, view.top, width, height);
  }

  private drawGrid(): void {
    const {pen, view, picture, stage} = this;
    const step = view.scale;
    const right = Math.min(view.left + picture.width * step, stage.clientWidth);
    const bottom = Math.min(view.top + picture.height * step, stage.clientHeight);
    const [left, top] = [Math.max(view.left, 0), Math.max(view.top, 0)];
    const firstOf = (edge: number): number => (edge >= 0 ? edge : edge % step);
    pen.strokeStyle = `rgb(128 128 128 / ${clamp((step - GRID_FROM_SCALE) / 30, 0, 1) * 0.14 + 0.04})`;
    pen.lineWidth = 1;
    pen.beginPath();
    for (let x = firstOf(view.left); x <= right; x += step) {
      pen.moveTo(Math.round(x) + 0.5, top);
      pen.lineTo(Math.round(x) + 0.5, bottom);
    }
    for (let y = firstOf(view.top); y <= bottom; y += step) {
      pen.moveTo(left, Math.round(y) + 0.5);
      pen.lineTo(right, Math.round(y) + 0.5);
    }
    pen.stroke();
  }

  // A placement on its way breathes in a dashed frame, one that nobody can tell of has a question
  // mark, one that arrived lights up once, one that was taken back is struck out and fades.
  private drawPlacement(one: Placement, age: number): void {
    const {pen, inks} = this;
    const faded = clamp(age / FADE_MS, 0, 1);
    const open = one.state === 'pending' || one.state === 'unknown';
    const breath = this.calm.matches ? 0.8 : 0.78 + 0.22 * Math.cos(age / 180);
    if (!(one.state === 'confirmed' && one.seen)) {
      pen.globalAlpha = open ? breath : one.state === 'reverted' ? 1 - faded : 1;
      this.fillCell(one);
    }
    pen.globalAlpha = open ? 1 : 1 - faded;
    if (open) this.drawDashes(one);
    if (one.state === 'unknown') this.drawMark(one, '?');
    if (one.state === 'reverted') {
      this.outline(one, inks.bad, 2, 1);
      this.drawMark(one, '×');
    }
    if (one.state === 'confirmed') this.outline(one, inks.good, 2, this.calm.matches ? 1 : 1 + 6 * faded);
    pen.globalAlpha = 1;
  }

  private fillCell({x, y, color}: Placement): void {
    const {pen, view} = this;
    pen.fillStyle = colorText(color);
    pen.fillRect(view.left + x * view.scale, view.top + y * view.scale, view.scale, view.scale);
  }

  private drawDashes(one: Placement): void {
    const dash = clamp(this.view.scale / 4, 2, 6);
    // Black on white is seen on every colour.
    this.outline(one, '#fff', 2, 1);
    this.pen.setLineDash([dash, dash]);
    this.outline(one, '#000', 2, 1);
    this.pen.setLineDash([]);
  }

  private drawMark({x, y}: Placement, mark: string): void {
    const {pen, view} = this;
    if (view.scale < 10) return;
    pen.font = `700 ${Math.round(view.scale * 0.7)}px system-ui, sans-serif`;
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    const middle = {x: view.left + (x + 0.5) * view.scale, y: view.top + (y + 0.5) * view.scale};
    pen.lineWidth = 3;
    pen.strokeStyle = 'rgb(255 255 255 / 85%)';
    pen.strokeText(mark, middle.x, middle.y);
    pen.fillStyle = '#1b1b1b';
    pen.fillText(mark, middle.x, middle.y);
  }

  private drawCursor(cell: Point): void {
    const grow = this.view.scale < 6 ? 3 : 0;
    this.outline(cell, 'rgb(255 255 255 / 90%)', 4, grow + 1);
    this.outline(cell, colorText(this.color), 2.5, grow + 1);
    this.outline(cell, 'rgb(0 0 0 / 75%)', 1, grow + 3);
  }

  private outline({x, y}: Point, color: string, width: number, grow: number): void {
    const {pen, view} = this;
    const side = view.scale + 2 * grow;
    pen.strokeStyle = color;
    pen.lineWidth = width;
    pen.strokeRect(view.left + x * view.scale - grow, view.top + y * view.scale - grow, side, side);
  }
}
