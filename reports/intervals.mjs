// How sure a median over repetitions is. From six repetitions on: the distribution-free 95 %
// confidence interval of the median by order statistics (Le Boudec, "Performance Evaluation of
// Computer and Communication Systems", EPFL Press 2010, §2.2, theorem 2.1), here with ranks at equal
// distances from both ends. With fewer, no two order statistics hold the median that often: then
// the whole range is shown, and called that.

import {median} from './format.mjs';
import {groupBy} from './model.mjs';

/** From so many repetitions on the lowest and the highest hold the median in 95 % of all cases. */
export const LEAST_FOR_95 = 6;
const MISS = 0.05;
const EXACT = 1000;

/** The rank, counted from 1, of the order statistic at which the interval of n values begins. */
export function lowerRank(n) {
  if (n > EXACT) return Math.floor(0.5 * n - 0.98 * Math.sqrt(n)); // the book's, from 71 on
  let term = 0.5 ** n; // of values below the median there are `rank - 1` with this probability
  let below = term;
  let rank = 1;
  while (rank < n) {
    term *= (n - rank + 1) / rank;
    if (2 * (below + term) > MISS) break;
    below += term;
    rank += 1;
  }
  return rank;
}

/**
 * {median, low, high, n} of numbers, of which Infinity is one; null of none. The interval is that of
 * the median from LEAST_FOR_95 numbers on, else their range.
 */
export function medianInterval(values) {
  const sorted = values.filter((v) => typeof v === 'number' && !Number.isNaN(v));
  if (sorted.length === 0) return null;
  sorted.sort((a, b) => a - b);
  const n = sorted.length;
  const rank = n < LEAST_FOR_95 ? 1 : lowerRank(n);
  return {median: median(sorted), low: sorted[rank - 1], high: sorted[n - rank], n};
}

/** What the interval of n repetitions is: "95 %", "range of 3", "one run". */
export function intervalName(n) {
  if (n >= LEAST_FOR_95) return '95 %';
  return n === 1 ? 'one run' : `range of ${n}`;
}

/**
 * "201 (200 – 202)", each number as `show` has it; only the median where all three look the same.
 * @param of {median, low, high} as medianInterval() returns them
 */
export function intervalWords({median: middle, low, high}, show) {
  const [from, to] = [show(low), show(high)];
  return from === to ? show(middle) : `${show(middle)} (${from} – ${to})`;
}

/**
 * The interval (of medianInterval(), or null) of a row's field: <field>_low and <field>_high, of how
 * many values as <field>_n, and what it is in words as <field>_interval. In another unit with `by`.
 */
export function intervalFields(field, of, by = 1) {
  return {
    [`${field}_low`]: of ? of.low * by : null,
    [`${field}_high`]: of ? of.high * by : null,
    [`${field}_n`]: of ? of.n : 0,
    [`${field}_interval`]: of ? intervalName(of.n) : null,
  };
}

/**
 * One row for the repetitions of the same thing: the first one's fields, the number of `repetitions`,
 * and the median of each of `fields` with its intervalFields() (null where none is known). Not every
 * repetition need have every field, so each has an interval of its own kind.
 */
export function summarized(rows, key, fields) {
  return [...groupBy(rows, key).values()].map((cell) => {
    const {run: _run, repetition: _repetition, ...first} = cell[0];
    const parts = fields.map((field) => {
      const of = medianInterval(cell.map((row) => row[field]));
      return {[field]: of?.median ?? null, ...intervalFields(field, of)};
    });
    return Object.assign(first, ...parts, {repetitions: cell.length});
  });
}

/** Of how many values the intervals in these rows are. */
const sizesIn = (rows) =>
  rows.flatMap((row) => Object.keys(row).filter((name) => name.endsWith('_n')).map((name) => row[name]));

/**
 * A sentence for a caption that says what the intervals of these rows (with intervalFields()) are;
 * '' if there is none.
 */
export function intervalText(rows, shape = 'Bars with caps') {
  const sizes = sizesIn(rows);
  const many = sizes.some((n) => n >= LEAST_FOR_95);
  const few = sizes.some((n) => n > 1 && n < LEAST_FOR_95);
  const confidence =
    'the 95 % confidence interval of the median (by order statistics; Le Boudec 2010, §2.2)';
  const range = `the whole range of the repetitions (fewer than ${LEAST_FOR_95}, too few for a confidence interval)`;
  if (!many && !few) return '';
  if (!many) return ` ${shape}: ${range}.`;
  return few
    ? ` ${shape}: ${confidence}, or, of fewer than ${LEAST_FOR_95} repetitions, their whole range.`
    : ` ${shape}: ${confidence}.`;
}
