// The page as a whole: who tells whom of what.

import {Cooldown} from './cooldown.js';
import {Cursor, type Hand} from './cursor.js';
import {by, capital, setText} from './dom.js';
import {Faults} from './faults.js';
import type {Frame} from './frames.js';
import {Gestures} from './gestures.js';
import {Glide} from './glide.js';
import {Identity} from './identity.js';
import {listenToKeys} from './keyboard.js';
import {DEFAULT_ZOOM, linkText, parseLink} from './link.js';
import {NodeCard, type Health} from './node_card.js';
import {NodeClient} from './node_client.js';
import {nodeName, Nodes, type NodeAddress} from './nodes.js';
import {Banner, Toasts} from './notices.js';
import {DigitPicker} from './palette.js';
import {PaletteBar} from './palette_bar.js';
import {Picture} from './picture.js';
import {PlaceCard} from './place_card.js';
import {Placements} from './placements.js';
import {Reach} from './reach.js';
import {Renderer} from './renderer.js';
import {copyText, savePng} from './save.js';
import {StatusWatch} from './status_watch.js';
import {Stream} from './stream.js';
import {clamp, View, type Point} from './view.js';

const PAINT_FROM_SCALE = 4; // pixels a cell: a smaller one is shown larger before it is painted
const AIM_SCALE = 20;
const BUTTON_ZOOM = 1.6;
const LINK_AFTER_MS = 250; // of the view's last move

export class App {
  private readonly identity = new Identity();
  private readonly nodes = new Nodes(new URL('/', location.href).href);
  private readonly picture = new Picture();
  private readonly view = new View();
  private readonly cursor = new Cursor();
  private readonly reach = new Reach();
  private readonly cooldown = new Cooldown();
  private readonly banner = new Banner();
  private readonly toasts = new Toasts();
  private readonly placements = new Placements(this.picture, this.identity, () => this.reach.inReach(), {
    changed: () => this.placementsChanged(),
    confirmed: () => this.waitAfter((now) => this.cooldown.placed(now)),
    early: (waitMs) => this.waitAfter((now) => this.cooldown.refused(waitMs, now)),
    refused: () => this.watch.soon(),
    failed: ({x, y}, kind, text) => this.toasts.show(
      `${x}, ${y} ${kind === 'unknown' ? 'may not have been placed' : 'was not placed'}: ${text}`,
      kind === 'unknown' ? 'unknown' : 'bad'),
  });
  private readonly renderer = new Renderer(
    by<HTMLCanvasElement>('stage'), this.picture, this.view, this.placements, this.cursor);
  private readonly glide = new Glide(this.view, () => this.viewMoved());
  private readonly palette = new PaletteBar((color) => {
    this.renderer.color = color;
    this.renderer.draw();
  });
  private readonly digits = new DigitPicker();
  private readonly nodeCard = new NodeCard(this.nodes, (node) => this.use(node));
  private readonly faults = new Faults(
    this.nodes, (text, good) => this.toasts.show(text, good ? 'good' : 'bad'));
  private readonly placeCard = new PlaceCard(
    this.cursor, this.picture, this.placements, this.identity.user, () => new NodeClient(this.nodes.current.base));
  private readonly stream = new Stream(this.nodes, {
    frame: (frame) => this.takeFrame(frame),
    live: (node) => this.nodeLive(node),
    lost: (node, next) => this.nodeLost(node, next),
  });
  private readonly watch = new StatusWatch(this.nodes, {
    status: (node, status) => {
      this.cooldown.set(status.cooldownMs);
      this.faults.show(status.takesFaults);
      this.nodeCard.showStatus(node, status, this.health());
      this.showBanner();
    },
    silent: () => this.use(this.nodes.advance()),
    better: (node) => this.use(node),
  });
  private served: NodeAddress | null = null; // whose updates arrived last
  private lostText = '';
  private linkTimer = 0;
  private waitTimer = 0;
  private linkRead = false;

  start(): void {
    this.listen();
    this.measure();
    void this.stream.run();
    void this.watch.run();
  }

  // --- the node ---

  private takeFrame(frame: Frame): void {
    this.picture.take(frame);
    this.view.setCanvas(this.picture.width, this.picture.height);
    if (!this.linkRead) this.readLink();
    this.nodeCard.showViewers(frame.viewers);
    if (this.cursor.cell === null) this.placeCard.show();
    this.renderer.draw();
  }

  private nodeLive(node: NodeAddress): void {
    if (this.served !== null && this.served !== node) {
      this.toasts.show(`${nodeName(node)} serves you now.`, 'good');
    }
    this.served = node;
    this.lostText = '';
    this.reach.live(node);
    this.nodeCard.showNode(node, this.health());
    this.watch.soon();
    this.showBanner();
  }

  private nodeLost(node: NodeAddress, next: NodeAddress): void {
    this.reach.lost();
    this.lostText = next === node
      ? `Lost ${nodeName(node)}. Reconnecting…`
      : `${capital(nodeName(node))} does not answer. Trying ${nodeName(next)}…`;
    this.nodeCard.showNode(node, 'bad');
    this.showBanner();
  }

  private health(): Health {
    if (!this.reach.isLive) return 'bad';
    return this.watch.leaderless ? 'waiting' : 'good';
  }

  private use(node: NodeAddress): void {
    this.nodes.select(node);
    this.stream.reconnect();
  }

  private showBanner(): void {
    const waits = this.reach.isLive && (this.watch.leaderless || this.placements.leaderless() > 0);
    this.banner.set(this.lostText || (waits ? 'No leader at the moment. Pixels wait until there is one.' : ''));
  }

  // --- painting ---

  private paint(): void {
    const cell = this.cursor.cell;
    if (cell === null) return;
    const problem = this.tooEarly() || this.placements.place(cell.x, cell.y, this.palette.color);
    if (problem !== '') this.toasts.show(problem, 'bad');
  }

  /** Why a pixel would be refused now, or empty. */
  private tooEarly(): string {
    const seconds = this.cooldown.secondsLeft(performance.now());
    if (seconds > 0) return `The next pixel is possible in ${seconds} s.`;
    const another = this.cooldown.isOn && this.placements.count() > 0;
    return another ? 'Your last pixel is still on its way; the next one has to wait.' : '';
  }

  /** The cooldown has begun: counts it down on the page. */
  private waitAfter(begin: (now: number) => void): void {
    begin(performance.now());
    clearInterval(this.waitTimer);
    const show = (): void => {
      const seconds = this.cooldown.secondsLeft(performance.now());
      by('wait').hidden = seconds === 0;
      setText(by('wait'), `next pixel in ${seconds} s`);
      if (seconds === 0) clearInterval(this.waitTimer);
    };
    this.waitTimer = setInterval(show, 200);
    show();
  }

  private placementsChanged(): void {
    const [pending, unknown] = [this.placements.count('pending'), this.placements.count('unknown')];
    const parts = [pending > 0 ? `${pending} on the way` : '', unknown > 0 ? `${unknown} unknown` : ''];
    by('flight').hidden = pending + unknown === 0;
    setText(by('flight'), parts.filter(Boolean).join(' · '));
    this.showBanner();
    this.placeCard.show();
    this.renderer.draw();
  }

  private press(at: Point, hand: Hand): void {
    const cell = this.view.cellAt(at.x, at.y);
    if (!this.picture.contains(cell.x, cell.y)) return;
    const again = hand === 'touch' && this.cursor.hand === 'touch' && same(cell, this.cursor.cell);
    this.cursor.move(cell, hand);
    if (this.view.scale < PAINT_FROM_SCALE) this.glide.to(middleOf(cell), AIM_SCALE);
    // A finger hides what it touches: the first tap only aims.
    else if (hand === 'mouse' || again) this.paint();
  }

  private cancel(): void {
    if (this.nodeCard.isOpen) return this.nodeCard.close();
    const taken = this.placements.cancel();
    if (taken > 0) return this.toasts.show(taken === 1 ? 'Taken back.' : `${taken} taken back.`, 'good');
    this.cursor.move(null, 'keys');
  }

  // --- looking ---

  private step(dx: number, dy: number): void {
    const {width, height} = this.picture;
    if (width === 0) return;
    const from = this.cursor.cell ?? this.middleCell();
    const cell = {x: clamp(from.x + dx, 0, width - 1), y: clamp(from.y + dy, 0, height - 1)};
    this.cursor.move(cell, 'keys');
    if (this.view.fitted) return;
    this.view.reveal(cell);
    this.viewMoved();
  }

  private middleCell(): Point {
    const {x, y} = this.view.middle();
    return {
      x: clamp(Math.floor(x), 0, this.picture.width - 1),
      y: clamp(Math.floor(y), 0, this.picture.height - 1),
    };
  }

  /** Zooms towards the cursor, or to the middle if the cursor is a mouse that is elsewhere. */
  private zoom(factor: number): void {
    const cell = this.cursor.hand === 'mouse' ? null : this.cursor.cell;
    const {x, y} = cell === null ? this.view.middle() : middleOf(cell);
    this.glide.zoom(this.view.left + x * this.view.scale, this.view.top + y * this.view.scale, factor);
  }

  private fit(): void {
    const middle = {x: this.picture.width / 2, y: this.picture.height / 2};
    this.glide.to(middle, this.view.fitScale(), () => this.view.fit());
  }

  private viewMoved(): void {
    this.renderer.draw();
    clearTimeout(this.linkTimer);
    this.linkTimer = setTimeout(() => history.replaceState(null, '', this.fullLink()), LINK_AFTER_MS);
  }

  private fullLink(place = this.view.fitted ? null : {...this.middleCell(), zoom: this.view.scale}): string {
    return location.pathname + location.search + (place === null ? '' : linkText(place));
  }

  private readLink(): void {
    const {width, height} = this.picture;
    this.linkRead = true;
    const link = parseLink(location.hash, width, height);
    if (link === null) return;
    if ('problem' in link) return this.toasts.show(link.problem, 'bad');
    this.cursor.move({x: link.place.x, y: link.place.y}, 'keys');
    this.view.show(middleOf(link.place), link.place.zoom);
    this.renderer.draw();
  }

  private async copyLink(): Promise<void> {
    const cell = this.cursor.cell ?? this.middleCell();
    const zoom = this.view.fitted ? DEFAULT_ZOOM : this.view.scale;
    const link = this.fullLink({...cell, zoom});
    if (await copyText(new URL(link, location.href).href)) {
      return this.toasts.show(`A link to ${cell.x}, ${cell.y} is copied.`, 'good');
    }
    history.replaceState(null, '', link);
    this.toasts.show('The link is in the address bar.', 'good');
  }

  private async save(): Promise<void> {
    try {
      await savePng(this.picture);
    } catch (error) {
      this.toasts.show(`The picture could not be saved: ${(error as Error).message}.`, 'bad');
    }
  }

  /** Sees which part of the window the cards leave free. */
  private measure(): void {
    const head = by('head').getBoundingClientRect();
    const dock = by('dock').getBoundingClientRect();
    const place = by('place').getBoundingClientRect();
    const narrow = innerWidth < 640;
    const [side, gap] = narrow ? [10, 10] : [64, 14];
    const bottom = narrow ? place.top : dock.top;
    document.documentElement.style.setProperty('--dock-height', `${dock.height}px`);
    document.documentElement.style.setProperty('--head-height', `${head.height}px`);
    const top = head.bottom + gap;
    const [width, height] = [Math.max(innerWidth - 2 * side, 40), Math.max(bottom - gap - top, 40)];
    this.view.setArea({left: side, top, width, height});
    this.renderer.draw();
  }

  // --- hands ---

  private listen(): void {
    this.cursor.onMove(() => this.renderer.draw());
    new Gestures(by('stage'), {
      hover: (at) => this.hover(at),
      press: (at, hand) => this.press(at, hand),
      pan: (dx, dy) => this.handMoves(() => this.view.pan(dx, dy)),
      zoom: (at, factor) => this.handMoves(() => this.view.zoomAt(at.x, at.y, this.view.scale * factor)),
    });
    listenToKeys({
      step: (dx, dy) => this.step(dx, dy),
      zoom: (factor) => this.zoom(factor),
      fit: () => this.fit(),
      paint: () => this.paint(),
      digit: (digit) => this.pickDigit(digit),
      nextColor: (by) => this.palette.next(by),
      cancel: () => this.cancel(),
      help: () => by<HTMLDialogElement>('help-text').showModal(),
    });
    this.listenToButtons();
    addEventListener('hashchange', () => this.readLink());
    addEventListener('resize', () => this.measure());
    addEventListener('online', () => {
      if (!this.reach.isLive) this.stream.reconnect();
    });
    const sizes = new ResizeObserver(() => this.measure());
    for (const id of ['head', 'dock', 'place']) sizes.observe(by(id));
  }

  private listenToButtons(): void {
    const onClick = (id: string, act: () => void): void => by(id).addEventListener('click', act);
    onClick('zoom-in', () => this.zoom(BUTTON_ZOOM));
    onClick('zoom-out', () => this.zoom(1 / BUTTON_ZOOM));
    onClick('zoom-fit', () => this.fit());
    onClick('paint', () => this.paint());
    onClick('save', () => void this.save());
    onClick('link', () => void this.copyLink());
    onClick('help', () => by<HTMLDialogElement>('help-text').showModal());
  }

  private hover(at: Point | null): void {
    const cell = at === null ? null : this.view.cellAt(at.x, at.y);
    const inside = cell !== null && this.picture.contains(cell.x, cell.y);
    this.cursor.move(inside ? cell : null, 'mouse');
  }

  private handMoves(move: () => void): void {
    this.glide.stop();
    move();
    this.viewMoved();
  }

  private pickDigit(digit: number): void {
    const index = this.digits.press(digit, performance.now());
    if (index !== null) this.palette.choose(index);
  }
}

const middleOf = (cell: Point): Point => ({x: cell.x + 0.5, y: cell.y + 0.5});
const same = (a: Point, b: Point | null): boolean => a.x === b?.x && a.y === b.y;
