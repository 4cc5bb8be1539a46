// Which part of the canvas is where on the screen. Knows nothing of the page: all lengths on the
// screen are CSS pixels.

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The part of the window that no card covers. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export const MAX_SCALE = 64; // pixels a cell
export const MIN_SCALE = 0.01;
const IN_SIGHT = 60; // pixels of the canvas that stay in the area, however far it is dragged

export const clamp = (value: number, low: number, high: number): number =>
  Math.min(Math.max(value, low), high);

export class View {
  scale = 1; // pixels a cell
  left = 0; // of the canvas on the screen
  top = 0;
  fitted = true; // the whole canvas is shown, and stays so when the window changes
  private width = 0; // of the canvas, in cells
  private height = 0;
  private area: Area = {left: 0, top: 0, width: 1, height: 1};

  /** A canvas of another size is shown whole. */
  setCanvas(width: number, height: number): void {
    if (width === this.width && height === this.height) return;
    Object.assign(this, {width, height});
    this.fit();
  }

  setArea(area: Area): void {
    const {left, top, width, height} = this.area;
    if (left === area.left && top === area.top && width === area.width && height === area.height) return;
    const middle = this.middle();
    this.area = area;
    if (this.fitted) this.fit();
    else this.show(middle, this.scale);
  }

  fitScale(): number {
    const {width, height} = this.area;
    return clamp(Math.min(width / this.width, height / this.height), MIN_SCALE, MAX_SCALE);
  }

  fit(): void {
    if (this.width === 0) return;
    this.show({x: this.width / 2, y: this.height / 2}, this.fitScale());
    this.fitted = true;
  }

  /** Shows a point of the canvas, in cells, in the middle of the area. */
  show(point: Point, scale: number): void {
    const {left, top, width, height} = this.area;
    this.scale = this.allowed(scale);
    this.left = left + width / 2 - point.x * this.scale;
    this.top = top + height / 2 - point.y * this.scale;
    this.fitted = false;
    this.keepInSight();
  }

  /** The point of the canvas, in cells, in the middle of the area. */
  middle(): Point {
    const {left, top, width, height} = this.area;
    return this.pointAt(left + width / 2, top + height / 2);
  }

  /** Zooms so that what is at (x, y) on the screen stays there. */
  zoomAt(x: number, y: number, scale: number): void {
    const ratio = this.allowed(scale) / this.scale;
    this.left = x - (x - this.left) * ratio;
    this.top = y - (y - this.top) * ratio;
    this.scale *= ratio;
    this.fitted = false;
    this.keepInSight();
  }

  pan(dx: number, dy: number): void {
    this.left += dx;
    this.top += dy;
    this.fitted = false;
    this.keepInSight();
  }

  /** Pans no more than needed to bring a cell into the area. */
  reveal(cell: Point): void {
    const {left, top, width, height} = this.area;
    const margin = Math.min(24, width / 4, height / 4);
    const x = this.left + (cell.x + 0.5) * this.scale;
    const y = this.top + (cell.y + 0.5) * this.scale;
    const dx = clamp(x, left + margin, left + width - margin) - x;
    const dy = clamp(y, top + margin, top + height - margin) - y;
    if (dx !== 0 || dy !== 0) this.pan(dx, dy);
  }

  /** The point of the canvas, in cells, at (x, y) on the screen. */
  pointAt(x: number, y: number): Point {
    return {x: (x - this.left) / this.scale, y: (y - this.top) / this.scale};
  }

  cellAt(x: number, y: number): Point {
    const {x: column, y: row} = this.pointAt(x, y);
    return {x: Math.floor(column), y: Math.floor(row)};
  }

  private allowed(scale: number): number {
    return clamp(scale, Math.min(this.fitScale() / 2, 1), MAX_SCALE);
  }

  private keepInSight(): void {
    const {left, top, width, height} = this.area;
    this.left = clamp(this.left, left + IN_SIGHT - this.width * this.scale, left + width - IN_SIGHT);
    this.top = clamp(this.top, top + IN_SIGHT - this.height * this.scale, top + height - IN_SIGHT);
  }
}
