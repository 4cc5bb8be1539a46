// What the page asks of a node over HTTP. Nothing here throws but AnswerError, and no call lasts
// longer than its limit.

export const PLACE_LIMIT_MS = 10_000; // a node gives up after 8 s and says so
const STATUS_LIMIT_MS = 4_000;
const PIXEL_LIMIT_MS = 4_000;
const MAX_RETRY_AFTER_S = 300;
const MAX_COOLDOWN_S = 2 * 86_400;

/** A placement as the node is told. */
export interface PlaceRequest {
  readonly x: number;
  readonly y: number;
  readonly color: string; // "#RRGGBB"
  readonly user: number;
  readonly client: number;
  readonly seq: number;
}

/** What the cluster is to suffer. */
export interface Fault {
  readonly fault: 'cut' | 'slow-link' | 'slow-disk' | 'full-disk' | 'rolling-restart' | 'pause' | 'kill' | 'heal';
  readonly delay_ms?: number;
  readonly node?: number;
  readonly side?: 'alone' | 'minority';
  readonly groups?: readonly (readonly number[])[]; // connected is whom a group holds
}

export type PlaceAnswer =
  | {readonly kind: 'done'}
  | {readonly kind: 'invalid'; readonly text: string} // never will be done
  | {readonly kind: 'early'; readonly waitMs: number} // not done: this user has to wait
  | {readonly kind: 'refused'; readonly text: string; readonly reason: string; readonly retryMs: number}
  | {readonly kind: 'unknown'; readonly text: string; readonly reason: string}; // may have been done

export interface PeerStatus {
  readonly id: number;
  readonly connected: boolean;
  readonly page: string | null; // its web page, if the node knows it
}

export interface Status {
  readonly node: number;
  readonly algorithm: string;
  readonly role: string;
  readonly epoch: number;
  readonly leader: number | null;
  readonly applied: number; // commands
  readonly inDoubt: number; // runs that are prepared, and whose outcome is not known
  readonly blocked: boolean; // and has not been heard of for long
  readonly viewers: number;
  readonly cooldownMs: number; // between two placements of a user; 0: none
  readonly takesFaults: boolean;
  readonly peers: readonly PeerStatus[];
}

export interface PixelInfo {
  readonly painted: boolean;
  readonly color: string | null;
  readonly user: number | null;
  readonly when: string | null; // ISO 8601
}

/** A node did not answer, or not as one does; or it told why it does not do what it was asked. */
export class AnswerError extends Error {
  constructor(message: string, readonly told = false) {
    super(message);
  }
}

export class NodeClient {
  constructor(readonly base: string) {}

  /** Asks for a placement. What may have arrived and has no answer is unknown, never an error. */
  async place(request: PlaceRequest, signal: AbortSignal): Promise<PlaceAnswer> {
    let reply: Response;
    let body: Record<string, unknown>;
    try {
      reply = await fetch(`${this.base}pixel`, {
        method: 'POST',
        headers: {'Content-Type': 'application/json'},
        body: JSON.stringify(request),
        cache: 'no-store',
        signal: anyOf(signal, PLACE_LIMIT_MS),
      });
      body = await objectOf(reply);
    } catch {
      return {kind: 'unknown', text: 'the node did not answer', reason: 'no_answer'};
    }
    return placeAnswer(reply.status, body, reply.headers.get('Retry-After'));
  }

  async status(signal?: AbortSignal): Promise<Status> {
    return readStatus(await this.get('status', STATUS_LIMIT_MS, signal));
  }

  async pixel(x: number, y: number, signal?: AbortSignal): Promise<PixelInfo> {
    const body = await this.get(`pixel?x=${x}&y=${y}`, PIXEL_LIMIT_MS, signal);
    return {
      painted: body['painted'] === true,
      color: textOrNull(body['color']),
      user: typeof body['user'] === 'number' ? body['user'] : null,
      when: textOrNull(body['when']),
    };
  }

  /** Breaks the cluster. Throws AnswerError with what the node says, or because it does not answer. */
  async inject(fault: Fault): Promise<void> {
    let reply: Response;
    let body: Record<string, unknown>;
    try {
      reply = await fetch(`${this.base}faults`, {
        method: 'POST',
        headers: {'Content-Type': 'application/json'},
        body: JSON.stringify(fault),
        cache: 'no-store',
        signal: anyOf(undefined, PLACE_LIMIT_MS),
      });
      body = await objectOf(reply);
    } catch {
      throw new AnswerError('faults: no answer');
    }
    if (!reply.ok) throw new AnswerError(textOrNull(body['error']) ?? `HTTP ${reply.status}`, true);
  }

  private async get(path: string, limitMs: number, signal?: AbortSignal): Promise<Record<string, unknown>> {
    try {
      const reply = await fetch(this.base + path, {cache: 'no-store', signal: anyOf(signal, limitMs)});
      if (!reply.ok) throw new AnswerError(`${path}: HTTP ${reply.status}`);
      return await objectOf(reply);
    } catch (error) {
      throw error instanceof AnswerError ? error : new AnswerError(`${path}: no answer`);
    }
  }
}

/** What an answer to a placement means. Exported for its test. */
export function placeAnswer(status: number, body: Record<string, unknown>, retryAfter: string | null): PlaceAnswer {
  const text = textOrNull(body['error']) ?? `HTTP ${status}`;
  const reason = textOrNull(body['reason']);
  if (status === 200) return {kind: 'done'};
  // Only a node gives a reason; a proxy that says 503 may have passed the request on before.
  if ((status === 429 || status === 503) && reason !== null) {
    const seconds = Math.max(Number(retryAfter) || 1, 0);
    if (reason === 'cooldown') return {kind: 'early', waitMs: 1000 * Math.min(seconds, MAX_COOLDOWN_S)};
    return {kind: 'refused', text, reason, retryMs: 1000 * Math.min(seconds, MAX_RETRY_AFTER_S)};
  }
  if (status >= 400 && status < 500) return {kind: 'invalid', text};
  return {kind: 'unknown', text, reason: reason ?? `http_${status}`};
}

function readStatus(body: Record<string, unknown>): Status {
  const list = body['peers'];
  const peers = Array.isArray(list) ? (list as Record<string, unknown>[]) : [];
  return {
    node: numberOf(body, 'node'),
    algorithm: textOrNull(body['algorithm']) ?? 'unknown',
    role: textOrNull(body['role']) ?? 'unknown',
    epoch: numberOf(body, 'epoch'),
    leader: typeof body['leader'] === 'number' ? body['leader'] : null,
    applied: numberOf(body, 'commands_applied'),
    inDoubt: typeof body['in_doubt'] === 'number' ? body['in_doubt'] : 0,
    blocked: body['blocked'] === true,
    viewers: numberOf(body, 'viewers'),
    cooldownMs: cooldownOf(body['canvas']),
    takesFaults: body['takes_faults'] === true,
    peers: peers.map((peer) => ({
      id: numberOf(peer, 'id'),
      connected: peer['connected'] === true,
      page: textOrNull(peer['page']),
    })),
  };
}

function cooldownOf(canvas: unknown): number {
  const ms = (canvas as Record<string, unknown> | null | undefined)?.['cooldown_ms'];
  return typeof ms === 'number' && ms > 0 ? ms : 0;
}

async function objectOf(reply: Response): Promise<Record<string, unknown>> {
  const body: unknown = JSON.parse((await reply.text()) || '{}');
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
}

function numberOf(body: Record<string, unknown>, name: string): number {
  const value = body[name];
  if (typeof value !== 'number') throw new AnswerError(`${name}: is missing in the node's answer`);
  return value;
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function anyOf(signal: AbortSignal | undefined, limitMs: number): AbortSignal {
  const limit = AbortSignal.timeout(limitMs);
  return signal === undefined ? limit : AbortSignal.any([signal, limit]);
}
