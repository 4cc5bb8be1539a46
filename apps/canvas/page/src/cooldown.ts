// How long this user has to wait for the next pixel, where the canvas has a cooldown. The cluster
// decides; this only says beforehand what it would say.

export class Cooldown {
  private ms = 0; // between two placements; 0: no cooldown
  private readyAt = 0; // by performance.now()

  /** What the node says of the canvas. */
  set(ms: number): void {
    this.ms = ms;
  }

  get isOn(): boolean {
    return this.ms > 0;
  }

  /** A pixel of this user was placed: at the latest just now. */
  placed(now: number): void {
    if (this.isOn) this.readyAt = now + this.ms;
  }

  /** The node refused a pixel, for so long. */
  refused(waitMs: number, now: number): void {
    this.readyAt = Math.max(this.readyAt, now + waitMs);
  }

  /** Whole seconds that are left. */
  secondsLeft(now: number): number {
    return Math.max(0, Math.ceil((this.readyAt - now) / 1000));
  }
}
