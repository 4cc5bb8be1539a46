// This page's placements, from the click to the outcome. A placement is pending until the node says
// that it is done; one that was refused for the moment is sent again, and so is one whose outcome is
// unknown: with the same client and number, by which a node recognises it.

import type {Identity} from './identity.js';
import type {NodeClient, PlaceAnswer, PlaceRequest} from './node_client.js';
import {colorText} from './palette.js';
import type {Picture} from './picture.js';
import {jittered, pause} from './time.js';

export const MAX_OPEN = 48; // without an outcome; a session remembers 64
const MAX_SENDING = 4; // at one time: a browser has six connections to a node
const TRY_FOR_MS = 45_000; // then a refusal is final, and what is unknown is left to the canvas
const UNKNOWN_PAUSE_MS = 400;
const FADE_MS = 700; // for which an outcome is shown
const SHOWN_LIMIT_MS = 2_000; // of a confirmed pixel that the updates do not show: overwritten at once

export type PlacementState =
  | 'pending' // on its way, or waiting to be sent again
  | 'unknown' // may have been done
  | 'confirmed'
  | 'reverted'; // definitely not done, or the canvas says so

export interface Placement {
  readonly x: number;
  readonly y: number;
  readonly color: number;
  state: PlacementState;
  since: number; // when it came into its state, by performance.now()
  seen: boolean; // confirmed, and the picture shows it, or what came after it
}

interface Open extends Placement {
  readonly request: PlaceRequest;
  readonly cancelled: AbortController;
  readonly started: number;
  readonly earlier: Promise<void>; // the one before on the same cell: two must not overtake each other
  sent: boolean; // at least once
  waitsFor: string; // why it was refused last
}

export interface PlacementEvents {
  changed(): void;
  confirmed(placement: Placement): void;
  /** A placement came before this user's next one is due, in so many milliseconds. */
  early(waitMs: number): void;
  /** A placement has ended otherwise than well; `text` is for people. */
  failed(placement: Placement, kind: 'reverted' | 'unknown', text: string): void;
  refused(reason: string): void;
}

/** The node to speak with: waits until there is one. `left` is aborted when another one takes over. */
export type NodeInReach = () => Promise<{client: NodeClient; left: AbortSignal}>;

export class Placements {
  private readonly shown = new Map<string, Open>(); // the latest of each cell, until its outcome was seen
  private readonly open = new Set<Open>(); // without an outcome
  private readonly ends = new Map<string, Promise<void>>(); // of the latest of each cell
  private sending = 0;
  private readonly waiting: (() => void)[] = []; // for a turn to send; at most MAX_OPEN

  constructor(
    private readonly picture: Picture,
    private readonly identity: Identity,
    private readonly node: NodeInReach,
    private readonly events: PlacementEvents,
  ) {
    picture.onChange((cells) => this.pictureChanged(cells));
  }

  /** Places a pixel. Returns empty, or why it cannot. */
  place(x: number, y: number, color: number): string {
    if (!this.picture.contains(x, y)) return `${x}, ${y} is not on the canvas.`;
    if (this.open.size >= MAX_OPEN) return `${MAX_OPEN} pixels are on their way; wait a moment.`;
    const {user} = this.identity;
    const now = performance.now();
    const one: Open = {
      ...{x, y, color, state: 'pending', since: now, started: now},
      request: {x, y, color: colorText(color), user, ...this.identity.next()},
      cancelled: new AbortController(),
      earlier: this.ends.get(cellKey(x, y)) ?? Promise.resolve(),
      ...{sent: false, waitsFor: '', seen: false},
    };
    this.open.add(one);
    this.shown.set(cellKey(x, y), one);
    const end = this.carry(one).finally(() => {
      if (this.ends.get(cellKey(x, y)) === end) this.ends.delete(cellKey(x, y));
    });
    this.ends.set(cellKey(x, y), end);
    this.events.changed();
    return '';
  }

  /** Gives up what is definitely not done. Returns how many that were. */
  cancel(): number {
    const idle = [...this.open].filter((one) => one.state === 'pending' && (!one.sent || one.waitsFor !== ''));
    for (const one of idle) {
      one.cancelled.abort();
      this.revert(one, '');
    }
    return idle.length;
  }

  /** What is to be drawn over the picture. Forgets what has been shown for long enough. */
  overlay(now: number): readonly Placement[] {
    for (const [key, one] of this.shown) {
      const age = now - one.since;
      const told = one.state === 'reverted' || (one.state === 'confirmed' && (one.seen || age > SHOWN_LIMIT_MS));
      if (told && age > FADE_MS) this.shown.delete(key);
    }
    return [...this.shown.values()];
  }

  /** How many placements have no outcome yet, or those in one state. */
  count(state?: PlacementState): number {
    if (state === undefined) return this.open.size;
    let count = 0;
    for (const one of this.open) if (one.state === state) ++count;
    return count;
  }

  /** How many placements wait for a leader. */
  leaderless(): number {
    return [...this.open].filter((one) => one.waitsFor === 'no_leader').length;
  }

  /** The colour that this page shows at a cell. */
  color(x: number, y: number): number {
    const one = this.shown.get(cellKey(x, y));
    const above = one !== undefined && one.state !== 'reverted' && !one.seen;
    return above ? one.color : this.picture.color(x, y);
  }

  private async carry(one: Open): Promise<void> {
    await one.earlier;
    let askedBefore: NodeClient | null = null; // and got no certain answer
    while (!one.cancelled.signal.aborted) {
      const reach = await this.reach(one);
      if (reach === null) break;
      const {client, left} = reach;
      // A strategy without one order of all writes knows a retry only at the node that had it first.
      if (askedBefore !== null && askedBefore !== client && (await this.isThere(one, client))) {
        return this.confirm(one);
      }
      const answer = await this.send(one, client, left);
      if (answer === null) break;
      if (answer.kind === 'unknown') askedBefore = client;
      if (await this.ended(one, answer, client)) return;
    }
  }

  /** Waits for a node. Null if the placement ends before. */
  private async reach(one: Open): Promise<Awaited<ReturnType<NodeInReach>> | null> {
    // What may have been done is never given up here: only a node can tell.
    if (one.state === 'unknown') return this.node();
    const giveUp = new AbortController();
    const stop = AbortSignal.any([one.cancelled.signal, giveUp.signal]);
    const limit = pause(Math.max(0, one.started + TRY_FOR_MS - performance.now()), stop);
    const reach = await Promise.race([this.node(), limit.then(() => null)]);
    giveUp.abort();
    if (reach === null && this.open.has(one)) this.revert(one, 'no node answers');
    return reach;
  }

  /** Sends when it is its turn. Null if it was cancelled before. */
  private async send(one: Open, client: NodeClient, left: AbortSignal): Promise<PlaceAnswer | null> {
    if (this.sending >= MAX_SENDING) await new Promise<void>((resolve) => this.waiting.push(resolve));
    ++this.sending;
    try {
      if (one.cancelled.signal.aborted) return null;
      one.sent = true;
      one.waitsFor = '';
      return await client.place(one.request, left);
    } finally {
      --this.sending;
      this.waiting.shift()?.();
    }
  }

  /** Draws the conclusion from an answer; false if it is to be sent again, after a pause. */
  private async ended(one: Open, answer: PlaceAnswer, client: NodeClient): Promise<boolean> {
    const late = performance.now() - one.started > TRY_FOR_MS;
    switch (answer.kind) {
      case 'done':
        this.confirm(one);
        return true;
      case 'early':
        // Also of an earlier attempt: a retry is told what became of that.
        this.revert(one, `the next pixel is possible in ${Math.ceil(answer.waitMs / 1000)} s`);
        this.events.early(answer.waitMs);
        return true;
      case 'invalid':
        if (one.state === 'unknown') await this.settle(one, client, answer.text);
        else this.revert(one, answer.text);
        return true;
      case 'refused':
        if (one.state === 'pending') one.waitsFor = answer.reason;
        this.events.refused(answer.reason);
        if (!late) break;
        // Of an earlier attempt nobody knows, whatever became of this one.
        if (one.state === 'unknown') await this.settle(one, client, answer.text);
        else this.revert(one, answer.text);
        return true;
      case 'unknown':
        if (!late && !forgotten(one, answer.reason)) {
          this.become(one, 'unknown');
          break;
        }
        await this.settle(one, client, answer.text);
        return true;
    }
    const ms = answer.kind === 'refused' ? answer.retryMs : UNKNOWN_PAUSE_MS;
    await pause(jittered(ms), one.cancelled.signal);
    return false;
  }

  /** Looks at the canvas for what nobody can tell any more. */
  private async settle(one: Open, client: NodeClient, text: string): Promise<void> {
    if (await this.isThere(one, client)) return this.confirm(one);
    this.finish(one, 'reverted');
    this.events.failed(one, 'unknown', `${text}; the canvas does not show it`);
  }

  private async isThere(one: Open, client: NodeClient): Promise<boolean> {
    try {
      const {color, user} = await client.pixel(one.x, one.y);
      return color === one.request.color && user === one.request.user;
    } catch {
      return false;
    }
  }

  private confirm(one: Open): void {
    one.seen = this.picture.color(one.x, one.y) === one.color;
    this.finish(one, 'confirmed');
    this.events.confirmed(one);
  }

  private revert(one: Open, text: string): void {
    this.finish(one, 'reverted');
    if (text !== '') this.events.failed(one, 'reverted', text);
  }

  private finish(one: Open, state: PlacementState): void {
    one.waitsFor = '';
    this.open.delete(one);
    this.become(one, state);
  }

  private become(one: Open, state: PlacementState): void {
    if (one.state !== state) Object.assign(one, {state, since: performance.now()});
    this.events.changed();
  }

  private pictureChanged(cells: {x: number; y: number; length: number} | null): void {
    if (this.shown.size === 0) return;
    for (const one of this.shown.values()) {
      const told = cells === null || (one.y === cells.y && one.x >= cells.x && one.x < cells.x + cells.length);
      if (told && one.state === 'confirmed') one.seen = true;
    }
  }
}

// Whether a retry would be taken for a new placement. One that meets an expired session with its first
// attempt was not done before.
function forgotten(one: Placement, reason: string): boolean {
  return reason === 'too_old' || (reason === 'session_expired' && one.state === 'unknown');
}

const cellKey = (x: number, y: number): string => `${x},${y}`;
