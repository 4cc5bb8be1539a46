import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Identity} from './identity.js';
import type {NodeClient, PixelInfo, PlaceAnswer, PlaceRequest} from './node_client.js';
import type {Changed, Picture} from './picture.js';
import {MAX_OPEN, Placements} from './placements.js';

const DONE: PlaceAnswer = {kind: 'done'};
const REFUSED: PlaceAnswer = {kind: 'refused', text: 'no leader', reason: 'no_leader', retryMs: 1};
const UNKNOWN: PlaceAnswer = {kind: 'unknown', text: 'no answer', reason: 'no_answer'};
const TOO_OLD: PlaceAnswer = {kind: 'unknown', text: 'seq: is too far behind', reason: 'too_old'};

/** A node that answers as the test says, when it says so. */
class FakeNode {
  readonly asked: PlaceRequest[] = [];
  pixelInfo: PixelInfo = {painted: false, color: null, user: null, when: null};
  private readonly answers: ((answer: PlaceAnswer) => void)[] = [];

  place(request: PlaceRequest): Promise<PlaceAnswer> {
    this.asked.push(request);
    return new Promise((resolve) => this.answers.push(resolve));
  }
  pixel(): Promise<PixelInfo> {
    return Promise.resolve(this.pixelInfo);
  }
  /** Answers the oldest request once there is one. */
  async answer(answer: PlaceAnswer): Promise<void> {
    await until(() => this.answers.length > 0);
    this.answers.shift()!(answer);
    await turn();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 5_000 && !done(); ++i) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.ok(done(), 'it happened in time');
}

function setUp() {
  const listeners: Changed[] = [];
  const cells = new Map<string, number>();
  const picture = {
    onChange: (listener: Changed) => listeners.push(listener),
    contains: (x: number, y: number) => x >= 0 && x < 100 && y >= 0 && y < 100,
    color: (x: number, y: number) => cells.get(`${x},${y}`) ?? 0xffffff,
  };
  const update = (x: number, y: number, color: number): void => {
    cells.set(`${x},${y}`, color);
    for (const tell of listeners) tell({x, y, length: 1});
  };
  let seq = 0;
  const identity = {user: 7, next: () => ({client: 1, seq: ++seq})};
  const node = new FakeNode();
  const reach = {node, left: new AbortController()};
  const failed: string[] = [];
  const early: number[] = [];
  const placements = new Placements(
    picture as unknown as Picture,
    identity as unknown as Identity,
    () => Promise.resolve({client: reach.node as unknown as NodeClient, left: reach.left.signal}),
    {
      ...{changed: () => {}, confirmed: () => {}, refused: () => {}, early: (ms) => early.push(ms)},
      failed: (_, kind, text) => failed.push(`${kind}: ${text}`),
    },
  );
  const state = (): string | undefined => placements.overlay(performance.now())[0]?.state;
  return {placements, node, reach, failed, early, update, state};
}

test('a pixel is pending until the node says that it is done', async () => {
  const {placements, node, state, update} = setUp();
  assert.equal(placements.place(3, 4, 0xff4500), '');
  assert.equal(state(), 'pending');
  assert.equal(placements.color(3, 4), 0xff4500);
  await node.answer(DONE);
  assert.equal(state(), 'confirmed');
  assert.equal(placements.color(3, 4), 0xff4500, 'the updates are not there yet');
  assert.deepEqual(node.asked, [{x: 3, y: 4, color: '#FF4500', user: 7, client: 1, seq: 1}]);
  update(3, 4, 0x00ff00);
  assert.equal(placements.color(3, 4), 0x00ff00, 'somebody painted over it');
});

test('what was refused for the moment is sent again under the same number', async () => {
  const {placements, node, state} = setUp();
  placements.place(1, 1, 0);
  await node.answer(REFUSED);
  assert.equal(placements.leaderless(), 1);
  assert.equal(state(), 'pending');
  await node.answer(DONE);
  assert.equal(state(), 'confirmed');
  assert.deepEqual(node.asked.map(({seq}) => seq), [1, 1]);
});

test('what the node finds wrong is taken back, with its words', async () => {
  const {placements, node, state, failed} = setUp();
  placements.place(1, 1, 0);
  await node.answer({kind: 'invalid', text: 'color: is wrong'});
  assert.equal(state(), 'reverted');
  assert.equal(placements.color(1, 1), 0xffffff);
  assert.deepEqual(failed, ['reverted: color: is wrong']);
});

test('an unknown outcome is shown as such until a retry is recognised', async () => {
  const {placements, node, state} = setUp();
  placements.place(1, 1, 0);
  await node.answer(UNKNOWN);
  assert.equal(state(), 'unknown');
  await node.answer(REFUSED);
  assert.equal(state(), 'unknown', 'the first attempt may still have been done');
  await node.answer(DONE);
  assert.equal(state(), 'confirmed');
  assert.deepEqual(node.asked.map(({seq}) => seq), [1, 1, 1]);
});

test('who comes too early is told how long to wait, and nothing is sent again', async () => {
  const {placements, node, state, failed, early} = setUp();
  placements.place(1, 1, 0);
  await node.answer(UNKNOWN);
  await node.answer({kind: 'early', waitMs: 4200});
  assert.equal(state(), 'reverted');
  assert.deepEqual(early, [4200]);
  assert.deepEqual(failed, ['reverted: the next pixel is possible in 5 s']);
  assert.equal(placements.count(), 0);
});

test('another node is first asked what the canvas shows', async () => {
  const {placements, node, reach, state} = setUp();
  placements.place(1, 1, 0x112233);
  await until(() => node.asked.length === 1);
  const other = new FakeNode();
  other.pixelInfo = {painted: true, color: '#112233', user: 7, when: null};
  reach.node = other;
  await node.answer(UNKNOWN);
  await until(() => state() === 'confirmed');
  assert.equal(other.asked.length, 0);
});

test('what a node has forgotten is settled by the canvas', async () => {
  const {placements, node, state, failed} = setUp();
  placements.place(1, 1, 0x112233);
  await node.answer(TOO_OLD);
  await until(() => state() === 'reverted');
  assert.deepEqual(failed, ['unknown: seq: is too far behind; the canvas does not show it']);
});

test('an expired session is forgotten only for what was tried before', async () => {
  const expired: PlaceAnswer = {kind: 'unknown', text: 'was silent for too long', reason: 'session_expired'};
  const {placements, node, state} = setUp();
  placements.place(1, 1, 0);
  await node.answer(expired);
  await node.answer(DONE);
  assert.equal(state(), 'confirmed', 'the first attempt found no session: the second is the first');

  const second = setUp();
  second.placements.place(1, 1, 0);
  await second.node.answer(UNKNOWN);
  await second.node.answer(expired);
  await until(() => second.state() === 'reverted');
  assert.equal(second.node.asked.length, 2, 'another attempt might do it twice');
});

test('two placements on one cell do not overtake each other', async () => {
  const {placements, node} = setUp();
  placements.place(1, 1, 0x000001);
  placements.place(1, 1, 0x000002);
  placements.place(2, 2, 0x000003);
  await turn();
  assert.deepEqual(node.asked.map(({color}) => color), ['#000001', '#000003']);
  assert.equal(placements.color(1, 1), 0x000002, 'the latest is shown');
  await node.answer(DONE);
  await until(() => node.asked.length === 3);
  assert.equal(node.asked[2]!.color, '#000002');
});

test('what has not been sent, or was refused, can be taken back; what is on its way cannot', async () => {
  const {placements, node, state} = setUp();
  placements.place(1, 1, 0);
  await turn();
  assert.equal(placements.cancel(), 0);
  await node.answer({...REFUSED, retryMs: 60_000});
  assert.equal(placements.cancel(), 1);
  assert.equal(state(), 'reverted');
  assert.equal(placements.count('pending'), 0);
});

test('there are never more than so many without an outcome, and four on the line', async () => {
  const {placements, node} = setUp();
  for (let i = 0; i < MAX_OPEN; ++i) assert.equal(placements.place(i, 0, 0), '');
  assert.match(placements.place(0, 1, 0), /48 pixels are on their way/);
  await turn();
  assert.equal(node.asked.length, 4);
  for (let i = 0; i < MAX_OPEN; ++i) await node.answer(DONE);
  assert.equal(placements.count('pending'), 0);
  assert.equal(placements.place(0, 1, 0), '');
  assert.match(placements.place(100, 1, 0), /not on the canvas/);
});
