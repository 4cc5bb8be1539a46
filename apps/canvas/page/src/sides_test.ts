import assert from 'node:assert/strict';
import {test} from 'node:test';
import {portsOf, sidesOf} from './sides.js';

const nodes = (count: number): {id: number; base: string}[] =>
  Array.from({length: count}, (_, i) => ({id: i + 1, base: `http://127.0.0.1:${8080 + i}/`}));

test('the address names the clusters by their ports', () => {
  assert.deepEqual(portsOf('#8080,8083,8086'), [8080, 8083, 8086]);
  assert.deepEqual(portsOf('#8080'), [8080]);
  for (const bad of ['', '#', '#x', '#8080,', '#0', '#70000', '#8080,-1']) assert.deepEqual(portsOf(bad), [], bad);
});

test('the first side has the fewer nodes, the second a majority', () => {
  for (const [count, few] of [[3, 1], [4, 1], [5, 2], [7, 3]] as const) {
    const [first, second] = sidesOf(nodes(count));
    assert.deepEqual([first.nodes.length, second.nodes.length], [few, count - few]);
    assert.ok(second.nodes.length > count / 2);
    assert.deepEqual([first.shown.id, second.shown.id], [1, count]);
  }
});
