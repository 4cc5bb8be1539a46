import assert from 'node:assert/strict';
import {test} from 'node:test';
import {shared} from './shared.mjs';

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

/** `own` and `common` together. */
function joined(common, own) {
  const out = {...common};
  for (const [name, value] of Object.entries(own)) {
    out[name] = isObject(value) && isObject(common[name]) ? joined(common[name], value) : value;
  }
  return out;
}

test('what is common stands once, and nothing is lost', () => {
  const objects = [
    {algorithm: 'raft', nodes: 3, host: {cpu: 'X', sync: 70.5, notes: []}, options: {a: 1, b: {c: 2, d: 3}}},
    {algorithm: 'raft', nodes: 5, host: {cpu: 'X', sync: 71.5, notes: []}, options: {a: 1, b: {c: 2, d: 4}}, departures: [1]},
    {algorithm: 'raft', nodes: 5, host: {cpu: 'X', sync: null, notes: []}, options: {}, departures: []},
  ];
  const {common, own} = shared(objects);
  assert.deepEqual(common, {algorithm: 'raft', host: {cpu: 'X', notes: []}});
  assert.deepEqual(own[0], {nodes: 3, host: {sync: 70.5}, options: {a: 1, b: {c: 2, d: 3}}});
  assert.deepEqual(own[2], {nodes: 5, host: {sync: null}, options: {}, departures: []});
  objects.forEach((object, at) => assert.deepEqual(joined(common, own[at]), object));
});

test('equal objects have nothing of their own, and one alone has everything', () => {
  assert.deepEqual(shared([{a: {b: 1}}, {a: {b: 1}}]), {common: {a: {b: 1}}, own: [{}, {}]});
  assert.deepEqual(shared([{a: 1}]), {common: {}, own: [{a: 1}]});
  assert.deepEqual(shared([]), {common: {}, own: []});
});
