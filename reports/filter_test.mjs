import assert from 'node:assert/strict';
import {test} from 'node:test';
import {filterFigure, readHash, writeHash} from './filter.mjs';

const KNOWN = [
  {label: 'raft · 3 nodes', algorithm: 'raft', nodes: 3},
  {label: 'raft · 5 nodes', algorithm: 'raft', nodes: 5},
  {label: 'bully_2pc, pipeline 1 · 3 nodes', algorithm: 'bully_2pc, pipeline 1', nodes: 3},
];
const ALL = {algorithm: [], nodes: []};
const layer = (values, encoding = {}) => ({data: {values}, mark: 'point', encoding});
const figure = (panels, legend = []) => ({name: 'f', legend, panels});
const panel = (layers, more = {}) => ({rows: [{height: 100, spec: {layer: layers}}], ...more});
const valuesIn = ({panels}) => panels[0].rows[0].spec.layer.map((part) => part.data.values);

test('rows go by their series, or by their strategy and node count', () => {
  const rows = [{series: 'raft · 3 nodes'}, {series: 'raft · 5 nodes', nodes: '1 2'}];
  const others = [{algorithm: 'raft', nodes: 3}, {algorithm: 'bully_2pc, pipeline 1', nodes: 3}];
  const one = figure([panel([layer(rows), layer(others), layer([{t: 0}])])]);
  const shown = (choice) => valuesIn(filterFigure(one, KNOWN, {...ALL, ...choice}));
  assert.deepEqual(shown({}), [rows, others, [{t: 0}]]);
  assert.deepEqual(shown({nodes: [3]}), [[rows[0]], others, [{t: 0}]]);
  assert.deepEqual(shown({algorithm: ['raft'], nodes: [5]}), [[rows[1]], [], [{t: 0}]]);
  const large = figure([panel([layer([{algorithm: 'raft', nodes: 1000}])])]);
  assert.equal(valuesIn(filterFigure(large, KNOWN, {...ALL, nodes: [3]}))[0].length, 1, 'no such choice');
});

test('panels and legend items go with what they are of', () => {
  const one = figure(
    [panel([layer([{t: 1}])], {series: 'raft · 5 nodes'}), panel([layer([{series: 'raft · 3 nodes'}])])],
    [{label: 'raft · 3 nodes'}, {label: 'raft'}, {label: 'bully_2pc, pipeline 1'}, {label: 'refused'}],
  );
  const few = filterFigure(one, KNOWN, {algorithm: ['raft'], nodes: [5]});
  assert.deepEqual(few.panels, [one.panels[0]], 'a panel without a row that is left goes, too');
  assert.deepEqual(few.legend, [{label: 'raft', of: {algorithm: 'raft'}}, {label: 'refused'}]);
  assert.deepEqual(filterFigure(one, KNOWN, {...ALL, algorithm: ['bully_2pc, pipeline 1']}).panels, []);
});

test('an axis of names loses those that are gone, and its height', () => {
  const y = {field: 'at', type: 'ordinal', scale: {domain: ['a', 'b', 'c', 'd']}};
  const rows = ['a', 'b', 'c', 'd'].map((at, i) => ({at, series: KNOWN[i % 2].label}));
  const one = figure([panel([layer(rows, {y})])]);
  const [{rows: [row]}] = filterFigure(one, KNOWN, {...ALL, nodes: [5]}).panels;
  assert.deepEqual(row.spec.layer[0].encoding.y.scale.domain, ['b', 'd']);
  assert.equal(row.height, 50);
  assert.deepEqual(filterFigure(one, KNOWN, ALL).panels, one.panels);
});

test('the address keeps a choice and the place, and names of options too', () => {
  const choice = {algorithm: ['bully_2pc, pipeline 1', 'raft'], nodes: [3], at: 'recovery'};
  assert.deepEqual(readHash(writeHash(choice), KNOWN), choice);
  assert.equal(writeHash({...ALL, at: null}), '');
  assert.equal(writeHash({...ALL, at: 'knee'}), '#knee');
  assert.deepEqual(readHash('#run-table', KNOWN), {...ALL, at: 'run-table'});
  assert.deepEqual(readHash('#strategy=paxos&nodes=4', KNOWN), {...ALL, at: null}, 'not in this report');
  assert.deepEqual(readHash('', KNOWN), {...ALL, at: null});
});
