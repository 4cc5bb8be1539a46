import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'node:test';
import {buildFindings} from './findings.mjs';
import {buildModel} from './model.mjs';
import {readResults} from './read.mjs';
import {planRuns, writeSweep} from './testdata/fixture.mjs';

const text = (sentence) => sentence.map((part) => part.strong ?? part).join('');

/** The findings of a synthetic sweep, whose results `change` may alter, as {title: [sentence, ...]}. */
function findingsOf(plan, change = () => {}) {
  const dir = mkdtempSync(join(tmpdir(), 'parley-findings-'));
  try {
    writeSweep(join(dir, 'sweep'), planRuns(plan));
    const results = readResults([join(dir, 'sweep')]);
    results.runs.forEach(change);
    const groups = buildFindings(buildModel(results));
    return Object.fromEntries(groups.map(({title, sentences}) => [title, sentences.map(text)]));
  } finally {
    rmSync(dir, {recursive: true});
  }
}

test('two node counts are told of one by one', () => {
  const findings = findingsOf({nodes: {raft: [3, 5]}, kills: {raft: [3, 5]}});
  const faults = findings['With faults'].filter((sentence) => / back to 95 % /.test(sentence));
  assert.equal(faults.length, 2);
  assert.match(faults[0], /^raft · 3 nodes, kill-leader: noticed after /);
  assert.match(faults[1], /^raft · 5 nodes, kill-leader: noticed after /);
});

test('a load that was not carried is not passed over', () => {
  let late = 0;
  const findings = findingsOf({nodes: {raft: [3, 5, 7]}}, ({manifest, summary}) => {
    if (manifest.nodes !== 7 || manifest.rate < 200_000) return;
    summary.achieved_ops_per_s = summary.offered_ops_per_s / 2;
    ++late;
  });
  assert.ok(late > 0);
  const steady = findings['Without faults'];
  assert.ok(steady.some((sentence) => /^raft · 7 nodes /.test(sentence)), steady.join('\n'));
  assert.ok(!steady.some((sentence) => /carried all of/.test(sentence)), steady.join('\n'));
});

test('of many node counts one sentence tells of all', () => {
  const findings = findingsOf({nodes: {raft: [3, 5, 7]}, kills: {raft: [3, 5, 7]}});
  const steady = findings['Without faults'];
  const faults = findings['With faults'].filter((sentence) => / back to 95 % /.test(sentence));
  assert.equal(faults.length, 1);
  assert.match(faults[0], /^raft · 3 to 7 nodes, kill-leader: noticed after \d+ – \d+ ms, first success after /);
  assert.match(faults[0], /; of what was acknowledged in \d+ runs \d+ were lost\.$/);
  assert.ok(steady.some((sentence) => /^raft .*3 nodes.*5 nodes.*7 nodes/.test(sentence)), steady.join('\n'));
});
