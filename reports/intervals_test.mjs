import assert from 'node:assert/strict';
import {test} from 'node:test';
import {intervalName, intervalText, intervalWords, lowerRank, medianInterval, summarized} from './intervals.mjs';

/** How often an interval of these ranks holds the median, summed from Pascal's triangle. */
function coverage(n, rank) {
  let row = [1];
  for (let i = 0; i < n; i += 1) row = [...row, 0].map((v, at) => v + (row[at - 1] ?? 0));
  const within = row.slice(rank, n - rank + 1).reduce((a, b) => a + b, 0);
  return within / 2 ** n;
}

test('the interval holds the median in 95 % of all cases, and the next narrower one does not', () => {
  for (let n = 6; n <= 50; n += 1) {
    const rank = lowerRank(n);
    assert.ok(coverage(n, rank) >= 0.95, `${n}: ${coverage(n, rank)}`);
    assert.ok(coverage(n, rank + 1) < 0.95, `${n} has a narrower one`);
  }
  assert.ok(coverage(5, 1) < 0.95, 'five are too few for any');
});

test('ranks are those of the book where its own are symmetric', () => {
  assert.deepEqual([6, 7, 9, 12, 15, 20, 70].map(lowerRank), [1, 1, 2, 3, 4, 6, 27]);
  assert.ok(Math.abs(lowerRank(1001) - lowerRank(1000)) <= 1, 'the approximation joins');
});

test('few repetitions have a range, many an interval', () => {
  assert.deepEqual(medianInterval([3, 1, 2]), {median: 2, low: 1, high: 3, n: 3});
  const nine = medianInterval([9, 1, 8, 2, 7, 3, 6, 4, 5]);
  assert.deepEqual(nine, {median: 5, low: 2, high: 8, n: 9});
  assert.deepEqual(medianInterval([1, Infinity]), {median: Infinity, low: 1, high: Infinity, n: 2});
  assert.equal(medianInterval([null, undefined, NaN]), null);
  assert.deepEqual([1, 3, 5, 6].map(intervalName), ['one run', 'range of 3', 'range of 5', '95 %']);
});

test('repetitions become one row that says what its interval is', () => {
  const rows = [3, 1, 2].map((value, at) => ({at: 'a', value, other: null, repetition: at, run: 'r'}));
  assert.deepEqual(summarized(rows, (row) => row.at, ['value', 'other']), [
    {
      at: 'a',
      value: 2,
      value_low: 1,
      value_high: 3,
      value_n: 3,
      value_interval: 'range of 3',
      other: null,
      other_low: null,
      other_high: null,
      other_n: 0,
      other_interval: null,
      repetitions: 3,
    },
  ]);
  assert.match(intervalText([{x_n: 3}]), /whole range of the repetitions/);
  assert.match(intervalText([{x_n: 6}]), /Le Boudec 2010, §2\.2/);
  assert.match(intervalText([{x_n: 6}, {x_n: 2}]), /or, of fewer than 6/);
  assert.equal(intervalText([{x_n: 1, y_n: 0, repetitions: 6}]), '');
});

test('a field that few repetitions have is not called what the others are', () => {
  const rows = [1, 2, 3, 4, 5, 6].map((all) => ({at: 'a', all, p: all < 3 ? all : null}));
  const [row] = summarized(rows, ({at}) => at, ['all', 'p']);
  assert.deepEqual([row.all_low, row.all_high, row.all_n, row.all_interval], [1, 6, 6, '95 %']);
  assert.deepEqual([row.p_low, row.p_high, row.p_n, row.p_interval], [1, 2, 2, 'range of 2']);
  assert.match(intervalText([row]), /or, of fewer than 6/);
});

test('an interval in words is left out where its ends look like one', () => {
  assert.equal(intervalWords({median: 2, low: 1, high: 3}, String), '2 (1 – 3)');
  assert.equal(intervalWords({median: 2.2, low: 2.1, high: 2.4}, (v) => v.toFixed(0)), '2');
});
