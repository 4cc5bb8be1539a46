// The binary frames that a node sends to its viewers; apps/canvas/README.md describes the bytes.

export const MAX_SIDE = 4096; // cells
const HEADER_BYTES = 24;
const RUN_HEAD_BYTES = 4;
const COLOR_BYTES = 3;
const FORMAT = 1;

export interface Frame {
  readonly kind: 'picture' | 'changes';
  readonly width: number;
  readonly height: number;
  readonly sequence: number; // of the state that it leads to
  readonly viewers: number; // of the node
  readonly runs: number;
  readonly body: Uint8Array; // of a picture: three bytes a cell
}

/** What came is not a frame of this format: a newer node, or no node at all. */
export class FrameError extends Error {}

export function decodeFrame(buffer: ArrayBuffer): Frame {
  if (buffer.byteLength < HEADER_BYTES) throw new FrameError(`${buffer.byteLength} bytes are no frame`);
  const head = new DataView(buffer);
  const kind = head.getUint8(0);
  if (kind !== 1 && kind !== 2) throw new FrameError(`kind: ${kind} is neither 1 nor 2`);
  if (head.getUint8(1) !== FORMAT) throw new FrameError(`format: ${head.getUint8(1)} is not ${FORMAT}`);
  const frame: Frame = {
    kind: kind === 1 ? 'picture' : 'changes',
    width: head.getUint16(2, true),
    height: head.getUint16(4, true),
    sequence: head.getUint32(8, true) + head.getUint32(12, true) * 2 ** 32,
    viewers: head.getUint32(16, true),
    runs: head.getUint32(20, true),
    body: new Uint8Array(buffer, HEADER_BYTES),
  };
  check(frame);
  return frame;
}

function check({kind, width, height, sequence, body}: Frame): void {
  for (const side of [width, height]) {
    if (side < 1 || side > MAX_SIDE) throw new FrameError(`size: ${width} × ${height} is out of range`);
  }
  if (!Number.isSafeInteger(sequence)) throw new FrameError('sequence: is out of range');
  if (kind === 'picture' && body.length !== width * height * COLOR_BYTES) {
    throw new FrameError(`picture: ${body.length} bytes are not ${width} × ${height} cells`);
  }
}

/** Calls back for each run of changed cells, with three bytes for each, from (x, y) to the right. */
export function forEachRun(frame: Frame, tell: (x: number, y: number, rgb: Uint8Array) => void): void {
  const {body, width, height, runs} = frame;
  const words = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let at = 0;
  for (let run = 0; run < runs; ++run) {
    if (at + RUN_HEAD_BYTES > body.length) throw new FrameError('changes: end within a run');
    const head = words.getUint32(at, true);
    const [x, y, cells] = [head & 0xfff, (head >>> 12) & 0xfff, (head >>> 24) + 1];
    const end = at + RUN_HEAD_BYTES + cells * COLOR_BYTES;
    if (end > body.length) throw new FrameError('changes: end within a run');
    if (y >= height || x + cells > width) throw new FrameError(`changes: ${x}, ${y} is outside`);
    tell(x, y, body.subarray(at + RUN_HEAD_BYTES, end));
    at = end;
  }
  if (at !== body.length) throw new FrameError('changes: more bytes than runs');
}
