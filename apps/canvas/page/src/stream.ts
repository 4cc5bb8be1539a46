// The updates of the node that serves this page, over one WebSocket at a time. When the connection
// ends it goes on from the last number seen, so that nothing is missed; when the node does not come
// back, with another node, from a whole picture.

import {decodeFrame, FrameError, type Frame} from './frames.js';
import type {NodeAddress, Nodes} from './nodes.js';
import {jittered, pause} from './time.js';

const OPEN_MS = 5_000; // within which a connection has to stand
const FIRST_FRAME_MS = 60_000; // and to show something: a whole picture over a slow line
const AGAIN_MS = 80; // before the first try after a loss
const ROUND_MS = 400; // after all nodes were tried in vain; doubles each round
const MAX_ROUND_MS = 5_000;
const SHORT_LIFE_MS = 1_000;

export interface StreamEvents {
  /** The picture has to take this in before the next one. Throws FrameError if it cannot. */
  frame(frame: Frame): void;
  /** The first frame has arrived. `resumed` says that nothing had to be sent again. */
  live(node: NodeAddress, resumed: boolean): void;
  /** The connection is gone, or could not be made; `next` is tried next. */
  lost(node: NodeAddress, next: NodeAddress): void;
}

export class Stream {
  private leave: (() => void) | null = null; // ends the present connection
  private sequence: number | null = null; // of what the picture shows
  private origin: NodeAddress | null = null; // whose numbers these are
  private hurry = new AbortController(); // ends a pause
  private resumed = false; // the latest first frame was one of changes

  constructor(
    private readonly nodes: Nodes,
    private readonly events: StreamEvents,
  ) {}

  /** Connects, and again whenever the connection ends; never returns. */
  async run(): Promise<never> {
    let failures = 0; // connections in a row that never worked
    let shortLives = 0; // that worked, but hardly longer than it takes to say so
    for (;;) {
      const node = this.nodes.current;
      const lifeMs = await this.connection(node);
      failures = lifeMs > 0 ? 0 : failures + 1;
      shortLives = lifeMs > 0 && lifeMs < SHORT_LIFE_MS ? shortLives + 1 : 0;
      // Who worked until now is tried once more: it may only have dropped the connection.
      if (failures > 0 && this.nodes.current === node) this.nodes.advance();
      this.events.lost(node, this.nodes.current);
      await this.wait(failures, shortLives);
    }
  }

  /** Leaves the present connection, if any, for the node that is then current. */
  reconnect(): void {
    this.leave?.();
    this.hurry.abort();
  }

  private wait(failures: number, shortLives: number): Promise<void> {
    const doubled = (times: number): number => Math.min(ROUND_MS * 2 ** times, MAX_ROUND_MS);
    let ms = shortLives > 1 ? doubled(shortLives - 2) : AGAIN_MS;
    if (failures > 0) {
      ms = failures % this.nodes.count > 0 ? 0 : doubled(failures / this.nodes.count - 1);
    }
    this.hurry = new AbortController();
    return pause(jittered(ms), this.hurry.signal);
  }

  /** Follows a node until the connection ends. Resolves with how long it worked; 0: never. */
  private connection(node: NodeAddress): Promise<number> {
    return new Promise((resolve) => {
      const resuming = this.origin === node && this.sequence !== null;
      const socket = new WebSocket(socketUrl(node, resuming ? this.sequence : null));
      socket.binaryType = 'arraybuffer';
      let liveSince = 0;
      // Does not wait for the other side to close too: that may be a node that hangs.
      const end = (): void => {
        clearTimeout(silence);
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
        this.leave = null;
        resolve(liveSince > 0 ? Math.max(1, performance.now() - liveSince) : 0);
      };
      let silence = setTimeout(end, OPEN_MS);
      this.leave = socket.onclose = end;
      socket.onopen = (): void => {
        clearTimeout(silence);
        silence = setTimeout(end, FIRST_FRAME_MS);
      };
      socket.onmessage = ({data}): void => {
        if (!this.take(node, data, liveSince === 0)) return end();
        if (liveSince > 0) return;
        clearTimeout(silence);
        liveSince = performance.now();
        this.events.live(node, this.resumed);
      };
    });
  }

  /** Takes in a message; false if it does not fit, and then the next one has to be a picture. */
  private take(node: NodeAddress, data: unknown, first: boolean): boolean {
    try {
      if (!(data instanceof ArrayBuffer)) throw new FrameError('a text is no frame');
      const frame = decodeFrame(data);
      if (frame.kind === 'changes' && !this.fits(node, frame, first)) {
        throw new FrameError(`changes: ${frame.sequence} does not follow ${this.sequence}`);
      }
      if (first) this.resumed = frame.kind === 'changes';
      this.events.frame(frame);
      this.sequence = frame.sequence;
      this.origin = node;
      return true;
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      console.warn(`parley: ${error.message}; asking for a whole picture`);
      this.sequence = null;
      return false;
    }
  }

  private fits(node: NodeAddress, frame: Frame, first: boolean): boolean {
    if (this.origin !== node || this.sequence === null) return false;
    const nothingMissed = first && frame.runs === 0 && frame.sequence === this.sequence;
    return nothingMissed || frame.sequence === this.sequence + 1;
  }
}

function socketUrl(node: NodeAddress, since: number | null): URL {
  const url = new URL(since === null ? 'ws' : `ws?since=${since}`, node.base);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}
