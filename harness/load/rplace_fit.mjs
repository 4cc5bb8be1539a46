// Fits the parameters in rplace_event.cc to published figures of r/place and prints them.
//
//   node harness/load/rplace_fit.mjs FOLDER
//
// FOLDER holds density2017_index.csv and density2017_145x200x200_u8.bin.gz (placements per half hour,
// and where), users_2017_hist.csv and hot_pixels_2022.csv; they are no part of the project. The model
// is described in rplace.h.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {gunzipSync} from 'node:zlib';

const HALF_HOURS = 144;
const BLOCKS = 200 * 200;
const CLASSES = 50;  // of blocks, by how much they are painted over the event
const MEMBERS = BLOCKS / CLASSES;
const PLACEMENTS_2022 = 160_353_105;
const HOT_PIXELS = 99;
const TOPS = [0.01, 0.05, 0.1, 0.2];

const folder = process.argv[2];
if (!folder) {
  console.error('usage: node rplace_fit.mjs FOLDER');
  process.exit(2);
}

/** The rows of a CSV file as arrays of numbers, by name of the column. */
function columns(name) {
  const [header, ...rows] = readFileSync(join(folder, name), 'utf8').trim().split('\n').map((line) => line.split(','));
  return Object.fromEntries(header.map((key, i) => [key.trim(), rows.map((row) => Number(row[i]))]));
}

/** Abramowitz and Stegun 26.2.17 is too coarse in the tails: the continued fraction of Numerical Recipes' erfcc. */
function normalCdf(x) {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + z / 2);
  const series = [-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
    -0.82215223, 0.17087277].reduceRight((sum, c) => sum * t + c, 0);
  const tail = (t * Math.exp(-z * z + series)) / 2;
  return x > 0 ? 1 - tail : tail;
}

function bisect(low, high, isBelow) {
  for (let i = 0; i < 60; ++i) {
    const middle = (low + high) / 2;
    if (isBelow(middle)) low = middle;
    else high = middle;
  }
  return low;
}

const edges = new Map();
/** Shares of `count` equal groups, the hottest first, whose members' weights are log-normal. */
function logNormal(count, sigma) {
  if (!edges.has(count)) {
    edges.set(count, Array.from({length: count - 1}, (_, i) => bisect(-9, 9, (z) => normalCdf(-z) > (i + 1) / count)));
  }
  const above = [0, ...edges.get(count).map((z) => normalCdf(sigma - z)), 1];
  return Array.from({length: count}, (_, i) => above[i + 1] - above[i]);
}

function topShare(values, share) {
  const sorted = Float64Array.from(values).sort().reverse();
  const total = sorted.reduce((a, b) => a + b, 0);
  return sorted.subarray(0, Math.round(values.length * share)).reduce((a, b) => a + b, 0) / total;
}

/** Mulberry32: placing things at random must give the same fit each time. */
function randomOf(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Adds one half hour's shares of all blocks to `sum`: classes x members, turned by `turns`, and the hot pixels. */
function addHalfHour(sum, weight, persistent, moving, turns, hot) {
  for (let i = 0; i < CLASSES; ++i) {
    for (let j = 0; j < MEMBERS; ++j) {
      sum[i * MEMBERS + ((j + turns[i]) % MEMBERS)] += weight * (1 - hot.share) * persistent[i] * moving[j];
    }
  }
  for (const {block, share} of hot.pixels) sum[block] += weight * share;
}

/** A function that says how much the moving part must vary for the hottest 1 % of the blocks to have a given share. */
function movingFor(sigma, hot) {
  const persistent = logNormal(CLASSES, sigma);
  const turns = new Array(CLASSES).fill(0);
  const step = 0.1;
  const shares = Array.from({length: 32}, (_, i) => {
    const sum = new Float64Array(BLOCKS);
    addHalfHour(sum, 1, persistent, logNormal(MEMBERS, i * step), turns, hot);
    return topShare(sum, 0.01);
  });
  return (target) => {
    const i = Math.max(1, shares.findIndex((share) => share >= target));
    return step * Math.max(0, i - 1 + (target - shares[i - 1]) / (shares[i] - shares[i - 1]));
  };
}

/** The shares of the hottest blocks over the event, and how the parts make them. */
function event(sigma, life, moving, halfHours, hot) {
  const random = randomOf(1);
  const persistent = logNormal(CLASSES, sigma);
  const sum = new Float64Array(BLOCKS);
  const turns = Array.from({length: CLASSES}, () => Math.floor(random() * MEMBERS));
  halfHours.counts.forEach((count, w) => {
    for (let i = 0; i < CLASSES; ++i) {
      if ((w + i) % life === 0) turns[i] = Math.floor(random() * MEMBERS);
    }
    addHalfHour(sum, count, persistent, logNormal(MEMBERS, moving[w]), turns, hot);
  });
  return {sigma, life, moving, tops: TOPS.map((share) => topShare(sum, share))};
}

function fitHotPixels() {
  const counts = columns('hot_pixels_2022.csv').count;
  const share = counts.reduce((a, b) => a + b, 0) / PLACEMENTS_2022;
  // The exponent that gives the hottest one its share.
  const exponent = bisect(0, 2, (e) => {
    let sum = 0;
    for (let k = 1; k <= HOT_PIXELS; ++k) sum += k ** -e;
    return share / sum < counts[0] / PLACEMENTS_2022;
  });
  const random = randomOf(2);
  let sum = 0;
  for (let k = 1; k <= HOT_PIXELS; ++k) sum += k ** -exponent;
  const pixels = Array.from({length: HOT_PIXELS}, (_, k) => (
    {block: Math.floor(random() * BLOCKS), share: (share * (k + 1) ** -exponent) / sum}));
  return {share, exponent, pixels};
}

/** Users in groups of similar numbers of placements: the mean of each group, and its users per million. */
function fitUsers() {
  const {posts, users} = columns('users_2017_hist.csv');
  const total = users.reduce((a, b) => a + b, 0);
  const groups = [];
  for (let from = 1; from <= Math.max(...posts);) {
    // No user beyond what the cooldown lets through at the event's busiest: the last group is open.
    const next = from >= 330 ? Infinity : Math.max(from + 1, Math.ceil(from * 1.12));
    let people = 0;
    let placements = 0;
    posts.forEach((n, i) => {
      if (n < from || n >= next) return;
      people += users[i];
      placements += n * users[i];
    });
    groups.push([Math.round(placements / people), Math.round((people / total) * 1e6)]);
    from = next;
  }
  return groups;
}

const observed = event2017();
function event2017() {
  const index = columns('density2017_index.csv');
  const bytes = gunzipSync(readFileSync(join(folder, 'density2017_145x200x200_u8.bin.gz')));
  const counts = index.placements_in_30min.slice(0, HALF_HOURS);
  const sum = new Float64Array(BLOCKS);
  counts.forEach((count, w) => {
    const cells = bytes.subarray(w * BLOCKS, (w + 1) * BLOCKS);
    const total = cells.reduce((a, b) => a + b, 0) + BLOCKS / 2;
    cells.forEach((cell, i) => (sum[i] += ((cell + 0.5) / total) * count));
  });
  return {counts, hottest: index.hottest1pct_cell_share.slice(0, HALF_HOURS), tops: TOPS.map((share) => topShare(sum, share))};
}

const hot = fitHotPixels();
const badness = (found) => found.tops.reduce((sum, top, i) => sum + (Math.log(top / observed.tops[i])) ** 2, 0);
let best = null;
for (let sigma = 0.4; sigma < 0.96; sigma += 0.05) {
  const moving = observed.hottest.map(movingFor(sigma, hot));
  for (const life of [4, 6, 8, 12, 16, 24]) {
    const found = event(sigma, life, moving, observed, hot);
    if (best === null || badness(found) < badness(best)) best = found;
  }
}
const mean = observed.counts.reduce((a, b) => a + b, 0) / HALF_HOURS;
console.log('hot pixels: share', hot.share, 'exponent', hot.exponent);
console.log('persistent sigma', best.sigma.toFixed(2), 'life', best.life, 'half hours');
console.log('hottest', TOPS.join(' / '), 'of the blocks: observed', observed.tops.map((t) => t.toFixed(4)).join(' '), 'model', best.tops.map((t) => t.toFixed(4)).join(' '));
console.log('half hours {rate / mean, moving sigma}, both per mille:');
console.log(observed.counts.map((count, w) => `{${Math.round((count / mean) * 1000)}, ${Math.round(best.moving[w] * 1000)}}`).join(', '));
console.log('users {placements each, users per million}:');
console.log(fitUsers().map(([n, users]) => `{${n}, ${users}}`).join(', '));
