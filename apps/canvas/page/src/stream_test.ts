import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import type {Frame} from './frames.js';
import {Nodes} from './nodes.js';
import {Stream} from './stream.js';

const FIRST = 'http://first:1/';
const SECOND = 'http://second:1/';

/** A WebSocket whose other side is the test. */
class FakeSocket {
  static made: FakeSocket[] = [];
  binaryType = '';
  onmessage: ((event: {data: unknown}) => void) | null = null;
  onclose: (() => void) | null = null;
  closed = false;
  constructor(readonly url: URL) {
    FakeSocket.made.push(this);
  }
  close(): void {
    this.closed = true;
  }
  frame(kind: number, sequence: number, runs = 0, body: number[] = []): void {
    const bytes = new Uint8Array(24 + body.length);
    const head = new DataView(bytes.buffer);
    bytes.set([kind, 1, 1, 0, 1, 0]);
    head.setUint32(8, sequence, true);
    head.setUint32(20, runs, true);
    bytes.set(body, 24);
    this.onmessage?.({data: bytes.buffer});
  }
  picture(sequence: number): void {
    this.frame(1, sequence, 0, [0, 0, 0]);
  }
  changes(sequence: number): void {
    this.frame(2, sequence, 1, [0, 0, 0, 0, 9, 9, 9]);
  }
}

// A stream never ends by itself.
after(() => setImmediate(() => process.exit()));

async function socket(number: number): Promise<FakeSocket> {
  for (let i = 0; i < 5_000 && FakeSocket.made.length < number; ++i) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.equal(FakeSocket.made.length, number, 'one connection after the other');
  return FakeSocket.made[number - 1]!;
}

function setUp() {
  FakeSocket.made = [];
  Object.assign(globalThis, {WebSocket: FakeSocket});
  const nodes = new Nodes(FIRST);
  nodes.learn(nodes.current, {
    ...{node: 1, algorithm: 'raft', role: 'leader', epoch: 1, leader: 1, applied: 0, inDoubt: 0, blocked: false, viewers: 0, cooldownMs: 0, takesFaults: false},
    peers: [{id: 2, connected: true, page: SECOND}],
  });
  const told: string[] = [];
  const stream = new Stream(nodes, {
    frame: (frame: Frame) => told.push(`${frame.kind} ${frame.sequence}`),
    live: (node, resumed) => told.push(`live ${node.id}${resumed ? ' resumed' : ''}`),
    lost: (node, next) => told.push(`lost ${node.id}, next ${next.id}`),
  });
  void stream.run();
  return {told, nodes, stream};
}

test('a connection that drops is taken up again where it ended', async () => {
  const {told} = setUp();
  const first = await socket(1);
  assert.equal(first.url.href, 'ws://first:1/ws');
  first.picture(100);
  first.changes(101);
  first.onclose!();
  const again = await socket(2);
  assert.equal(again.url.href, 'ws://first:1/ws?since=101');
  again.changes(102);
  again.changes(103);
  assert.deepEqual(told, [
    'picture 100', 'live 1', 'changes 101', 'lost 1, next 1', 'changes 102', 'live 1 resumed', 'changes 103']);
});

test('who missed nothing is told so by changes without runs', async () => {
  const {told} = setUp();
  (await socket(1)).picture(100);
  (await socket(1)).onclose!();
  (await socket(2)).frame(2, 100);
  (await socket(2)).changes(101);
  assert.deepEqual(told.slice(3), ['changes 100', 'live 1 resumed', 'changes 101']);
});

test('a node that does not come back is left for the next one, and its numbers with it', async () => {
  const {told} = setUp();
  (await socket(1)).picture(100);
  (await socket(1)).onclose!();
  (await socket(2)).onclose!();
  const other = await socket(3);
  assert.equal(other.url.href, 'ws://second:1/ws');
  other.picture(7);
  other.changes(8);
  assert.deepEqual(told.slice(2), ['lost 1, next 1', 'lost 1, next 2', 'picture 7', 'live 2', 'changes 8']);
});

test('what does not follow ends the connection and is asked for as a whole', async () => {
  const {told} = setUp();
  const first = await socket(1);
  first.picture(100);
  first.changes(102);
  assert.ok(first.closed);
  const again = await socket(2);
  assert.equal(again.url.href, 'ws://first:1/ws');
  again.picture(102);
  assert.deepEqual(told, ['picture 100', 'live 1', 'lost 1, next 1', 'picture 102', 'live 1']);
});

test('changes without a picture before them, and texts, are no beginning', async () => {
  const {told} = setUp();
  (await socket(1)).changes(100);
  (await socket(2)).onmessage!({data: '{"type":"connected"}'});
  assert.deepEqual(told, ['lost 1, next 2']);
});

test('a choice of the user ends the present connection', async () => {
  const {told, nodes, stream} = setUp();
  (await socket(1)).picture(1);
  nodes.select(nodes.all()[1]!);
  stream.reconnect();
  (await socket(2)).picture(5);
  assert.deepEqual(told.slice(2), ['lost 1, next 2', 'picture 5', 'live 2']);
});
