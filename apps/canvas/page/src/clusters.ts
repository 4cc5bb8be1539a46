// Clusters side by side, one a strategy, each seen from both sides of a network that can be cut. A click
// paints the same cell in all of them, through the node of its side.

import {Cursor} from './cursor.js';
import {by, capital, make, setText} from './dom.js';
import {AnswerError, NodeClient, type Fault, type Status} from './node_client.js';
import {nodeName, Nodes, type NodeAddress} from './nodes.js';
import {Toasts} from './notices.js';
import {PaletteBar} from './palette_bar.js';
import {Panel} from './panel.js';
import {portsOf, sidesOf, type Side} from './sides.js';
import {differing, Tally} from './tally.js';
import {pause} from './time.js';
import type {Point} from './view.js';

const AGAIN_MS = 500; // a cluster that does not answer yet
const NOTICED_MS = 3_000; // a node that is not heard for a second counts as away

export class SideBySide {
  private readonly toasts = new Toasts();
  private clusters: ClusterColumn[] = [];
  private readonly cursors = [new Cursor(), new Cursor()] as const; // of each side
  private readonly palette = new PaletteBar((color) => this.eachPanel((panel) => (panel.color = color)));

  async start(): Promise<void> {
    const ports = portsOf(location.hash);
    if (ports.length === 0) {
      return this.say('Open the address that “parley canvas --algorithm all” shows: it names the clusters.', false);
    }
    const found = await Promise.all(ports.map((port) => nodesAt(`${location.protocol}//${location.hostname}:${port}/`)));
    this.clusters = found.map(({algorithm, nodes}) => new ClusterColumn(algorithm, sidesOf(nodes), this.cursors, {
      paint: (side, cell) => this.paint(side, cell),
      failed: (text) => this.say(text, false),
    }));
    by('strategies').replaceChildren(...this.clusters.map(({element}) => element));
    this.eachPanel((panel) => {
      panel.color = this.palette.color;
      panel.start();
    });
    by('cut').addEventListener('click', () => void this.cut(true));
    by('heal').addEventListener('click', () => void this.cut(false));
    addEventListener('hashchange', () => location.reload());
  }

  private paint(side: 0 | 1, cell: Point): void {
    for (const {algorithm, panels} of this.clusters) {
      const problem = panels[side].placements.place(cell.x, cell.y, this.palette.color);
      if (problem !== '') this.say(`${algorithm}: ${problem}`, false);
    }
  }

  /** Cuts the network of all clusters between their sides, or mends all that is broken in them. */
  private async cut(cut: boolean): Promise<void> {
    by<HTMLButtonElement>('cut').disabled = by<HTMLButtonElement>('heal').disabled = true;
    const done = await Promise.all(this.clusters.map((cluster) => this.inject(cluster, cut)));
    by<HTMLButtonElement>('heal').disabled = false;
    // What is cut twice would have to be healed once for all; one cut is enough.
    by<HTMLButtonElement>('cut').disabled = cut && done.every(Boolean);
    if (!done.every(Boolean)) return;
    this.say(cut ? 'The network is cut: paint on both sides.' : 'All links work again.', true);
  }

  private async inject(cluster: ClusterColumn, cut: boolean): Promise<boolean> {
    const groups = cluster.sides.map(({nodes}) => nodes.map(({id}) => id ?? 0));
    const fault: Fault = cut ? {fault: 'cut', groups} : {fault: 'heal'};
    let problem = 'no node answers';
    // Any node hands it on; one that is dead or paused does not.
    for (const node of cluster.sides.flatMap(({nodes}) => nodes)) {
      try {
        await new NodeClient(node.base).inject(fault);
        cluster.isCut = cut;
        return true;
      } catch (error) {
        if (!(error instanceof AnswerError && error.told)) continue;
        problem = error.message;
        break;
      }
    }
    this.say(`${cluster.algorithm}: ${problem}`, false);
    return false;
  }

  private eachPanel(act: (panel: Panel) => void): void {
    for (const {panels} of this.clusters) panels.forEach(act);
  }

  private say(text: string, good: boolean): void {
    this.toasts.show(text, good ? 'good' : 'bad');
  }
}

interface ColumnEvents {
  paint(side: 0 | 1, cell: Point): void;
  failed(text: string): void;
}

const COUNTS = {
  placed: ['placed', 'Acknowledged: the client was told that it is done'],
  waiting: ['waiting', 'No answer yet, or refused for the moment and tried again'],
  failed: ['not placed', 'Given up, or nobody can tell'],
  over: ['painted over', 'Acknowledged, and seen on neither side any more'],
  differing: ['cells differ', 'Cells in which the two sides show different colours now'],
} as const;
type Count = keyof typeof COUNTS;

class ClusterColumn {
  readonly element = make('section', 'card strategy');
  readonly panels: readonly [Panel, Panel];
  private readonly tally = new Tally();
  private readonly counts = new Map<Count, HTMLElement>();
  private readonly wire = make('p', 'wire');
  private asked = false; // to count anew
  private told = {cut: false, until: 0};
  private readonly hears: [boolean | null, boolean | null] = [null, null]; // of each side, the other

  constructor(
    readonly algorithm: string,
    readonly sides: readonly [Side, Side],
    cursors: readonly [Cursor, Cursor],
    private readonly events: ColumnEvents,
  ) {
    const first = this.makeSide(0, cursors[0]);
    const second = this.makeSide(1, cursors[1]);
    this.panels = [first.panel, second.panel];
    this.element.append(make('h2', '', algorithm), first.element, this.wire, second.element, this.makeCounts());
    this.element.dataset['algorithm'] = algorithm;
    this.showWire();
  }

  /** What has just been done to the links; nodes notice it a little later. */
  set isCut(cut: boolean) {
    this.told = {cut, until: performance.now() + NOTICED_MS};
    this.showWire();
  }

  /** Whether any node of the other side is heard. */
  private hearsOther(side: 0 | 1, status: Status): boolean {
    const others = this.sides[side === 0 ? 1 : 0].nodes;
    return status.peers.some(({id, connected}) => connected && others.some((other) => other.id === id));
  }

  private showWire(): void {
    const told = performance.now() < this.told.until;
    // Of a node that does not answer nothing is known.
    const cut = told ? this.told.cut : this.hears.every((hears) => hears === false);
    this.wire.dataset['cut'] = String(cut);
    const names = this.sides.map(({nodes}) => nodes.map(({id}) => id).join(', '));
    setText(this.wire, cut ? `cut: ${names[0]} apart from ${names[1]}` : 'connected');
  }

  private makeSide(side: 0 | 1, cursor: Cursor): {element: HTMLElement; panel: Panel} {
    const node = this.sides[side].shown;
    const link = make('a', '', nodeName(node));
    Object.assign(link, {href: node.base, target: '_blank', rel: 'noopener', title: 'The page of this node'});
    const facts = make('span', 'facts');
    const who = make('p', 'who', make('span', 'dot'), link, facts);
    const stage = make('canvas', 'panel');
    stage.tabIndex = 0;
    stage.setAttribute('role', 'application');
    stage.setAttribute('aria-label', `${this.algorithm}, ${nodeName(node)}: arrow keys move, Enter paints`);
    const panel = new Panel(node, stage, cursor, {
      changed: () => this.countSoon(),
      confirmed: ({x, y, color}) => {
        this.tally.confirmed(x, y, color);
        this.countSoon();
      },
      failed: ({x, y}, kind, text) => {
        ++this.tally.failed;
        this.countSoon();
        this.events.failed(`${this.algorithm}, ${nodeName(node)}: ${x}, ${y} ${kind === 'unknown' ? 'may not have been placed' : 'was not placed'}: ${text}`);
      },
      status: (status) => {
        showStatus(who, facts, status);
        this.hears[side] = status === null ? null : this.hearsOther(side, status);
        this.showWire();
      },
    });
    this.listen(stage, panel, side, cursor);
    return {element: make('div', 'side', who, stage), panel};
  }

  private listen(stage: HTMLCanvasElement, panel: Panel, side: 0 | 1, cursor: Cursor): void {
    stage.addEventListener('pointermove', ({offsetX, offsetY}) => cursor.move(panel.cellAt(offsetX, offsetY), 'mouse'));
    stage.addEventListener('pointerleave', () => cursor.move(null, 'mouse'));
    stage.addEventListener('click', ({offsetX, offsetY}) => {
      const cell = panel.cellAt(offsetX, offsetY);
      if (cell !== null) this.events.paint(side, cell);
    });
    stage.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const move = STEPS[event.key];
      if (move !== undefined) step(panel, cursor, move);
      else if (event.key !== 'Enter' && event.key !== ' ') return;
      else if (cursor.cell !== null) this.events.paint(side, cursor.cell);
      event.preventDefault();
    });
  }

  private makeCounts(): HTMLElement {
    const list = make('dl', 'tally');
    for (const [name, [label, title]] of Object.entries(COUNTS)) {
      const value = make('dd', '', '0');
      value.dataset['count'] = name;
      this.counts.set(name as Count, value);
      const row = make('div', '', make('dt', '', label), value);
      row.title = title;
      list.append(row);
    }
    return list;
  }

  private countSoon(): void {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.count();
    });
  }

  private count(): void {
    const pictures = this.panels.map(({picture}) => picture);
    const [one, other] = this.panels;
    const waiting = one.placements.count() + other.placements.count();
    const bothSeen = one.part !== null && other.part !== null;
    this.show('placed', this.tally.placed);
    this.show('waiting', waiting);
    this.show('failed', this.tally.failed);
    this.show('over', bothSeen ? this.tally.paintedOver(pictures) : 0);
    this.show('differing', bothSeen ? differing(one.picture, other.picture, one.part!) : 0);
  }

  private show(name: Count, value: number): void {
    const element = this.counts.get(name)!;
    setText(element, String(value));
    element.dataset['none'] = String(value === 0);
  }
}

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};

function step(panel: Panel, cursor: Cursor, [dx, dy]: readonly [number, number]): void {
  const {part} = panel;
  if (part === null) return;
  const from = cursor.cell ?? {x: part.left + (part.width >> 1), y: part.top + (part.height >> 1)};
  const to = cursor.cell === null ? from : {x: from.x + dx, y: from.y + dy};
  if (panel.shows(to)) cursor.move(to, 'keys');
}

function showStatus(who: HTMLElement, facts: HTMLElement, status: Status | null): void {
  if (status === null) {
    who.dataset['state'] = 'bad';
    return setText(facts, 'does not answer');
  }
  const role = capital(status.role.replace('_', '-'));
  const leader = status.leader === null ? 'knows no leader' : `leader ${status.leader}`;
  const {leads, text} = status.epoch === 0 && status.leader === null
    ? {leads: true, text: role} // a strategy without leaders
    : {leads: status.leader !== null, text: `${role}, ${leader}, epoch ${status.epoch}`};
  who.dataset['state'] = leads && !status.blocked ? 'good' : 'waiting';
  setText(facts, status.blocked ? `${text}, blocked` : text);
}

/** All nodes of the cluster whose first one serves at that address; waits for it. */
async function nodesAt(base: string): Promise<{algorithm: string; nodes: readonly NodeAddress[]}> {
  for (;;) {
    const status = await new NodeClient(base).status().catch(() => null);
    if (status !== null) {
      const nodes = new Nodes(base);
      nodes.learn(nodes.current, status);
      return {algorithm: status.algorithm, nodes: nodes.all()};
    }
    await pause(AGAIN_MS);
  }
}
