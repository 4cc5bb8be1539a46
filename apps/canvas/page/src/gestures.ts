// Mouse, pen and fingers on the canvas: drag to pan, wheel or two fingers to zoom, click or tap.

import type {Hand} from './cursor.js';
import {clamp, type Point} from './view.js';

const DRAG_FROM_PX = 5;
const TOUCH_DRAG_FROM_PX = 9;
const LINE_PX = 16; // of a wheel that counts lines

export interface GestureEvents {
  hover(at: Point | null): void; // the mouse, on the screen
  press(at: Point, hand: Hand): void; // a click or tap
  pan(dx: number, dy: number): void;
  zoom(at: Point, factor: number): void;
}

export class Gestures {
  private readonly pointers = new Map<number, Point>();
  private moved = 0;
  private noPress = false; // two fingers, or the middle button, only ever move

  constructor(
    private readonly stage: HTMLElement,
    private readonly events: GestureEvents,
  ) {
    stage.addEventListener('pointerdown', (event) => this.down(event));
    stage.addEventListener('pointermove', (event) => this.move(event));
    stage.addEventListener('pointerup', (event) => this.up(event));
    stage.addEventListener('pointercancel', (event) => this.up(event));
    stage.addEventListener('pointerleave', (event) => {
      if (event.pointerType === 'mouse' && this.pointers.size === 0) events.hover(null);
    });
    stage.addEventListener('wheel', (event) => this.wheel(event), {passive: false});
    stage.addEventListener('contextmenu', (event) => event.preventDefault());
  }

  private down(event: PointerEvent): void {
    if (event.button > 1) return;
    this.stage.setPointerCapture(event.pointerId);
    if (this.pointers.size === 0) [this.moved, this.noPress] = [0, event.button === 1];
    this.pointers.set(event.pointerId, {x: event.clientX, y: event.clientY});
    if (this.pointers.size > 1) this.noPress = true;
  }

  private move(event: PointerEvent): void {
    const now = {x: event.clientX, y: event.clientY};
    const last = this.pointers.get(event.pointerId);
    if (last === undefined) {
      if (event.pointerType !== 'touch') this.events.hover(now);
      return;
    }
    const before = this.pinch();
    this.pointers.set(event.pointerId, now);
    this.moved += Math.hypot(now.x - last.x, now.y - last.y);
    const after = this.pinch();
    if (before !== null && after !== null) {
      this.events.pan(after.x - before.x, after.y - before.y);
      if (before.gap > 0) this.events.zoom(after, after.gap / before.gap);
    } else if (this.dragging(event)) {
      this.stage.classList.add('dragging');
      this.events.pan(now.x - last.x, now.y - last.y);
    }
  }

  private up(event: PointerEvent): void {
    const known = this.pointers.delete(event.pointerId);
    if (this.pointers.size > 0) return;
    this.stage.classList.remove('dragging');
    if (!known || event.type === 'pointercancel' || this.noPress || this.dragging(event)) return;
    this.events.press({x: event.clientX, y: event.clientY}, event.pointerType === 'mouse' ? 'mouse' : 'touch');
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const delta = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1);
    // A pinch on a touchpad comes as a wheel with the control key, in smaller steps.
    const speed = event.ctrlKey ? 0.012 : 0.0022;
    this.events.zoom({x: event.clientX, y: event.clientY}, Math.exp(-clamp(delta, -240, 240) * speed));
  }

  private dragging(event: PointerEvent): boolean {
    return this.moved > (event.pointerType === 'touch' ? TOUCH_DRAG_FROM_PX : DRAG_FROM_PX);
  }

  /** The middle and the distance of two fingers. */
  private pinch(): (Point & {gap: number}) | null {
    const [a, b] = [...this.pointers.values()];
    if (a === undefined || b === undefined || this.pointers.size > 2) return null;
    return {x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, gap: Math.hypot(a.x - b.x, a.y - b.y)};
  }
}
