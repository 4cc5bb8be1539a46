// One node's canvas beside those of others: what it shows, and what is painted through it.

import type {Cursor} from './cursor.js';
import {Identity} from './identity.js';
import {NodeClient, type Status} from './node_client.js';
import {Nodes, type NodeAddress} from './nodes.js';
import {Picture} from './picture.js';
import {Placements, type Placement} from './placements.js';
import {Reach} from './reach.js';
import {Renderer} from './renderer.js';
import {Stream} from './stream.js';
import {shownPart, type Part} from './tally.js';
import {pause} from './time.js';
import {View, type Point} from './view.js';

const STATUS_EVERY_MS = 500;

export interface PanelEvents {
  /** Something that is shown or counted is different. */
  changed(): void;
  confirmed(placement: Placement): void;
  /** A placement has ended otherwise than well; `text` is for people. */
  failed(placement: Placement, kind: 'reverted' | 'unknown', text: string): void;
  /** What the node says of itself; null: it does not answer. */
  status(status: Status | null): void;
}

export class Panel {
  readonly picture = new Picture();
  readonly placements: Placements;
  part: Part | null = null; // what is shown; null before the first picture
  private readonly view = new View();
  private readonly reach = new Reach();
  private readonly renderer: Renderer;

  constructor(
    private readonly node: NodeAddress,
    private readonly stage: HTMLCanvasElement,
    cursor: Cursor,
    private readonly events: PanelEvents,
  ) {
    this.placements = new Placements(this.picture, new Identity(false), () => this.reach.inReach(), {
      changed: () => this.draw(),
      confirmed: (placement) => events.confirmed(placement),
      early: () => {},
      refused: () => {},
      failed: (placement, kind, text) => events.failed(placement, kind, text),
    });
    this.renderer = new Renderer(stage, this.picture, this.view, this.placements, cursor);
    cursor.onMove(() => this.renderer.draw());
    new ResizeObserver(() => this.measure()).observe(stage);
  }

  start(): void {
    // It stays with its node, whatever happens to that.
    const stream = new Stream(new Nodes(this.node.base), {
      frame: (frame) => {
        this.picture.take(frame);
        this.measure();
        this.draw();
      },
      live: () => this.reach.live(this.node),
      lost: () => this.reach.lost(),
    });
    void stream.run();
    void this.watch();
  }

  /** The colour of the cursor. */
  set color(color: number) {
    this.renderer.color = color;
    this.renderer.draw();
  }

  /** The cell at a point of the stage, or null if none is shown there. */
  cellAt(x: number, y: number): Point | null {
    const cell = this.view.cellAt(x, y);
    return this.shows(cell) ? cell : null;
  }

  /** Whether a cell is among those that are shown. */
  shows({x, y}: Point): boolean {
    const {part} = this;
    return part !== null && x >= part.left && y >= part.top && x < part.left + part.width && y < part.top + part.height;
  }

  private draw(): void {
    this.renderer.draw();
    this.events.changed();
  }

  private measure(): void {
    const {width, height} = this.picture;
    if (width === 0) return;
    const part = (this.part = shownPart(width, height));
    this.stage.style.aspectRatio = `${part.width} / ${part.height}`;
    this.view.setCanvas(width, height);
    this.view.setArea({left: 0, top: 0, width: this.stage.clientWidth, height: this.stage.clientHeight});
    const middle = {x: part.left + part.width / 2, y: part.top + part.height / 2};
    this.view.show(middle, this.stage.clientWidth / part.width);
    this.renderer.draw();
  }

  private async watch(): Promise<never> {
    for (;;) {
      this.events.status(await new NodeClient(this.node.base).status().catch(() => null));
      await pause(STATUS_EVERY_MS);
    }
  }
}
