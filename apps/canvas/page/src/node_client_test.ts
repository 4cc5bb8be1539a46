import assert from 'node:assert/strict';
import {test} from 'node:test';
import {placeAnswer} from './node_client.js';
import {Nodes, nodeName} from './nodes.js';
import type {Status} from './node_client.js';
import {agoText} from './time.js';

test('an answer says whether a placement was done, was not, or may have been', () => {
  const kind = (status: number, body: Record<string, unknown> = {}): string => placeAnswer(status, body, null).kind;
  const reason = {error: 'no leader is known; nothing was done', reason: 'no_leader'};
  assert.equal(kind(200), 'done');
  assert.equal(kind(400, {error: 'x: 5000 is outside 0 to 999', reason: 'invalid'}), 'invalid');
  assert.equal(kind(403), 'invalid');
  assert.equal(kind(503, reason), 'refused');
  assert.equal(kind(429, {...reason, reason: 'overloaded'}), 'refused');
  assert.equal(kind(429, {...reason, reason: 'cooldown'}), 'early');
  assert.equal(kind(503), 'unknown', 'that was not the node: it may have got the request');
  for (const status of [500, 502, 504]) assert.equal(kind(status, reason), 'unknown');
});

test('the time to wait after a refusal has limits', () => {
  const wait = (header: string | null): number => {
    const answer = placeAnswer(503, {reason: 'no_leader'}, header);
    return answer.kind === 'refused' ? answer.retryMs : -1;
  };
  assert.equal(wait('2'), 2000);
  assert.equal(wait(null), 1000);
  assert.equal(wait('Wed, 21 Oct 2026 07:28:00 GMT'), 1000);
  assert.equal(wait('1e9'), 300_000);
});

const statusOf = (node: number, peers: [number, string | null][]): Status => ({
  ...{node, algorithm: 'raft', role: 'follower', epoch: 1, leader: 1, applied: 0, inDoubt: 0, blocked: false, viewers: 0, cooldownMs: 0, takesFaults: false},
  peers: peers.map(([id, page]) => ({id, page, connected: true})),
});

test('the other nodes are learned once, by number and by address', () => {
  const nodes = new Nodes('http://localhost:8080/');
  const home = nodes.current;
  assert.equal(nodeName(home), 'localhost:8080');
  nodes.learn(home, statusOf(1, [[2, 'http://127.0.0.1:8081/'], [3, null]]));
  assert.equal(nodes.advance().id, 2);
  // The second node knows the first by another name.
  nodes.learn(nodes.current, statusOf(2, [[1, 'http://127.0.0.1:8080/'], [3, 'http://127.0.0.1:8082/path']]));
  assert.deepEqual(nodes.all().map(({base}) => base), [
    'http://localhost:8080/', 'http://127.0.0.1:8081/', 'http://127.0.0.1:8082/']);
  assert.equal(nodes.advance().id, 3);
  assert.equal(nodes.advance(), home);
  assert.equal(nodeName(home), 'node 1');
});

test('addresses that are none are ignored, and their number is bounded', () => {
  const nodes = new Nodes('http://localhost:8080/');
  nodes.learn(nodes.current, statusOf(1, [[2, 'javascript:alert(1)'], [3, 'nonsense']]));
  assert.equal(nodes.count, 1);
  const many = Array.from({length: 100}, (_, i): [number, string] => [i + 2, `http://h${i}/`]);
  nodes.learn(nodes.current, statusOf(1, many));
  assert.equal(nodes.count, 64);
});

test('times are told as people do', () => {
  const now = Date.parse('2026-01-10T12:00:00Z');
  const ago = (seconds: number): string => agoText(now - seconds * 1000, now);
  assert.deepEqual([-5, 3, 42, 61, 7200, 90_000, 300_000].map(ago), [
    'just now', 'just now', '42 s ago', '1 min ago', '2 h ago', 'yesterday', '3 days ago']);
});
