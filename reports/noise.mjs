// What the baseline runs say about the machine: how far they are apart, and whether they drift.

import {median} from './format.mjs';

/** Above this share of the median the machine was too uneven for smaller differences. */
export const WIDE_SPREAD = 0.2;
const LEAST_DRIFT = 0.05;
const CHANCE = 0.05;

const rateOf = (run) => run.summary.achieved_ops_per_s;

/** {low, high, median, share}: the distance of the extremes as a share of the median. */
export function spreadOf(runs) {
  const rates = runs.map(rateOf);
  const [low, high, middle] = [Math.min(...rates), Math.max(...rates), median(rates)];
  return {low, high, median: middle, share: middle > 0 ? (high - low) / middle : 0};
}

/** In how many orders of n values exactly k pairs stand the wrong way round, as a share of all. */
function inversionShares(n) {
  let shares = [1];
  for (let size = 2; size <= n; size += 1) {
    const next = new Array(shares.length + size - 1).fill(0);
    shares.forEach((share, k) => {
      for (let more = 0; more < size; more += 1) next[k + more] += share / size;
    });
    shares = next;
  }
  return shares;
}

/**
 * The probability that values without a trend are ordered at least as much as these, one way or the
 * other: Mann, "Nonparametric tests against trend" (1945), exact. Two equal values count as half a pair
 * the wrong way round; a half that is left is rounded up, so that it never makes a trend of chance.
 */
export function trendChance(values) {
  let score = 0;
  let pairs = 0;
  values.forEach((value, at) => {
    for (const later of values.slice(at + 1)) {
      score += Math.sign(later - value);
      pairs += 1;
    }
  });
  const inverted = Math.ceil((pairs - Math.abs(score)) / 2);
  const tail = inversionShares(values.length)
    .slice(0, inverted + 1)
    .reduce((sum, share) => sum + share, 0);
  return Math.min(1, 2 * tail);
}

/**
 * By what share of the median the machine moved from the first to the last run (the slope of Sen,
 * 1968: the median of those between all pairs), if that is no chance and more than 5 %; else null.
 */
export function driftOf(runs) {
  const inOrder = [...runs].sort((a, b) => (a.manifest.started_at < b.manifest.started_at ? -1 : 1));
  const rates = inOrder.map(rateOf);
  if (trendChance(rates) > CHANCE) return null;
  const slopes = rates.flatMap((rate, at) =>
    rates.slice(at + 1).map((later, steps) => (later - rate) / (steps + 1)),
  );
  const moved = (median(slopes) * (rates.length - 1)) / median(rates);
  return Math.abs(moved) > LEAST_DRIFT ? moved : null;
}
