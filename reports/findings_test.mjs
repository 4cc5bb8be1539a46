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

/** The findings of a synthetic sweep, as {title: [sentence, ...]}. */
function findingsOf(plan) {
  const dir = mkdtempSync(join(tmpdir(), 'parley-findings-'));
  try {
    writeSweep(join(dir, 'sweep'), planRuns(plan));
    const groups = buildFindings(buildModel(readResults([join(dir, 'sweep')])));
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

test('of many node counts one sentence tells of all', () => {
  const findings = findingsOf({nodes: {raft: [3, 5, 7]}, kills: {raft: [3, 5, 7]}});
  const steady = findings['Without faults'];
  const faults = findings['With faults'].filter((sentence) => / back to 95 % /.test(sentence));
  assert.equal(faults.length, 1);
  assert.match(faults[0], /^raft · 3 to 7 nodes, kill-leader: noticed after \d+ – \d+ ms, first success after /);
  assert.match(faults[0], /; of those acknowledged \d+ were lost in \d+ runs\.$/);
  assert.ok(steady.some((sentence) => /^raft .*3 nodes.*5 nodes.*7 nodes/.test(sentence)), steady.join('\n'));
});
