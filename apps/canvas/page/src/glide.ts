// Moves the view smoothly to where it should be.

import {clamp, type Point, type View} from './view.js';

const GLIDE_MS = 180;

export class Glide {
  private run = 0; // the latest one; earlier ones end
  private readonly calm = matchMedia('(prefers-reduced-motion: reduce)');

  constructor(
    private readonly view: View,
    private readonly moved: () => void,
  ) {}

  /** Shows a point of the canvas in the middle of the free area. */
  to(point: Point, scale: number, arrived = (): void => {}): void {
    const from = {...this.view.middle(), scale: this.view.scale};
    this.animate((part) => {
      const now = from.scale * (scale / from.scale) ** part;
      // Straight on the screen rather than on the canvas, whose cells grow on the way.
      const done = scale === from.scale ? part : (1 / from.scale - 1 / now) / (1 / from.scale - 1 / scale);
      this.view.show({x: from.x + (point.x - from.x) * done, y: from.y + (point.y - from.y) * done}, now);
      if (part === 1) arrived();
    });
  }

  /** Zooms by a factor; (x, y) stays where it is on the screen. */
  zoom(x: number, y: number, factor: number): void {
    const from = this.view.scale;
    this.animate((part) => this.view.zoomAt(x, y, from * factor ** part));
  }

  /** The hand has taken over. */
  stop(): void {
    ++this.run;
  }

  private animate(step: (part: number) => void): void {
    const run = ++this.run;
    const started = performance.now();
    const next = (): void => {
      if (run !== this.run) return;
      const part = this.calm.matches ? 1 : clamp((performance.now() - started) / GLIDE_MS, 0, 1);
      step(1 - (1 - part) ** 3);
      this.moved();
      if (part < 1) requestAnimationFrame(next);
    };
    next();
  }
}
