import assert from 'node:assert/strict';
import {test} from 'node:test';
import {decodeFrame, forEachRun, FrameError} from './frames.js';

// A frame as apps/canvas/README.md describes it.
function frame(kind: number, runs: number, body: number[], size = [4, 3], format = 1): ArrayBuffer {
  const bytes = new Uint8Array(24 + body.length);
  const head = new DataView(bytes.buffer);
  head.setUint8(0, kind);
  head.setUint8(1, format);
  head.setUint16(2, size[0]!, true);
  head.setUint16(4, size[1]!, true);
  head.setUint32(8, 7, true);
  head.setUint32(12, 1, true); // 2^32 + 7
  head.setUint32(16, 12, true);
  head.setUint32(20, runs, true);
  bytes.set(body, 24);
  return bytes.buffer;
}

const run = (x: number, y: number, cells: number, rgb: number[]): number[] => {
  const head = x | (y << 12) | ((cells - 1) << 24);
  return [head & 255, (head >>> 8) & 255, (head >>> 16) & 255, head >>> 24, ...rgb];
};

function runsOf(buffer: ArrayBuffer): unknown[] {
  const told: unknown[] = [];
  forEachRun(decodeFrame(buffer), (x, y, rgb) => told.push([x, y, [...rgb]]));
  return told;
}

test('a picture has its size, number and viewers', () => {
  const picture = decodeFrame(frame(1, 0, new Array(36).fill(9)));
  assert.deepEqual([picture.kind, picture.width, picture.height], ['picture', 4, 3]);
  assert.equal(picture.sequence, 2 ** 32 + 7);
  assert.equal(picture.viewers, 12);
  assert.equal(picture.body.length, 36);
});

test('changes come as runs to the right', () => {
  const body = [...run(1, 2, 2, [1, 2, 3, 4, 5, 6]), ...run(3, 0, 1, [7, 8, 9])];
  assert.deepEqual(runsOf(frame(2, 2, body)), [[1, 2, [1, 2, 3, 4, 5, 6]], [3, 0, [7, 8, 9]]]);
  assert.deepEqual(runsOf(frame(2, 0, [])), []);
  const row = new Array(256 * 3).fill(1);
  assert.deepEqual(runsOf(frame(2, 1, run(3840, 4095, 256, row), [4096, 4096])), [[3840, 4095, row]]);
});

test('what is not a frame is refused', () => {
  const refused = (buffer: ArrayBuffer, words: RegExp): void => {
    assert.throws(() => runsOf(buffer), (error: Error) => error instanceof FrameError && words.test(error.message));
  };
  refused(new ArrayBuffer(23), /no frame/);
  refused(frame(3, 0, []), /kind: 3/);
  refused(frame(2, 0, [], [4, 3], 2), /format: 2/);
  refused(frame(2, 0, [], [0, 3]), /size/);
  refused(frame(2, 0, [], [4, 4097]), /size/);
  refused(frame(1, 0, new Array(35).fill(0)), /35 bytes/);
  refused(frame(2, 1, run(0, 0, 1, [1, 2])), /within a run/);
  refused(frame(2, 2, run(0, 0, 1, [1, 2, 3])), /within a run/);
  refused(frame(2, 0, [1]), /more bytes/);
  refused(frame(2, 1, run(3, 0, 2, [1, 2, 3, 4, 5, 6])), /outside/);
  refused(frame(2, 1, run(0, 3, 1, [1, 2, 3])), /outside/);
});
