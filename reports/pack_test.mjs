import assert from 'node:assert/strict';
import {test} from 'node:test';
import {pack, unpack} from './pack.mjs';

const figureOf = (...tables) => [{name: 'f', panels: [{rows: [{spec: {layer: tables.map((values) => ({data: {values}}))}}]}]}];
const again = (figures) => unpack(JSON.parse(JSON.stringify(pack(figures))));

const timeline = (run) =>
  Array.from({length: 80}, (_, i) => ({t_ms: 100 * i + 0.123456789, completed_per_s: 490.5 + i, run, fault_number: 1}));

test('what is packed is what it was, with six digits', () => {
  const rows = timeline('037-bully_2pc-n5-r500-partition-rep1');
  const others = [{t: 0}, {t: null, name: 'a'}, {name: 'b'}, {t: 1e9 + 1, name: 'c'}, {t: true}];
  const [figure] = again(figureOf(rows, others, [1, 2, 3, 4, 5], []));
  const [first, second, third, fourth] = figure.panels[0].rows[0].spec.layer.map((part) => part.data.values);
  assert.equal(figure.name, 'f');
  assert.deepEqual(first, rows.map((row) => ({...row, t_ms: Number(row.t_ms.toPrecision(6))})));
  assert.deepEqual([second, third, fourth], [others, [1, 2, 3, 4, 5], []]);
});

test('values of every kind come back, in columns of words, of numbers and of both', () => {
  const rows = ['a', 'b', 'a', 'a', 'b', 'a'].map((name, i) => {
    return {name, own: `only ${i}`, mixed: i % 2 ? 'text' : i, truth: i > 2, none: null, list: [i], large: 123456789 + i};
  });
  assert.deepEqual(again(figureOf(rows)), figureOf(rows));
});

test('data that several marks draw is kept once, and so are the names of its fields', () => {
  const figures = figureOf(timeline('a run'), timeline('a run'), timeline('another run'));
  const packed = pack(figures);
  assert.equal(packed.tables.length, 2);
  const [before, after] = [figures, packed].map((each) => JSON.stringify(each).length);
  assert.ok(5 * after < before, `${after} of ${before} bytes`);
});

test('only data is packed, wherever it lies', () => {
  const values = [2, 10, 100, 1000];
  const spec = {axis: {values}, layer: [{data: {values: timeline('r')}, layer: [{data: {name: 'd'}, mark: 'line'}]}]};
  const packed = pack(spec);
  assert.deepEqual(packed.figures.axis, {values});
  assert.equal(packed.figures.layer[0].data.values, 0);
  assert.deepEqual(packed.figures.layer[0].layer, spec.layer[0].layer);
});
