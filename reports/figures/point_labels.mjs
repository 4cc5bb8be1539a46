// Names beside points, in a scatter of few: none covers another one, however close the points lie.

import {leastPanel, textWidth} from '../layout.mjs';

const FONT = 10.5;
const LINE = 12.4; // from one name to the next, in pixels
const BESIDE = 10; // from a point to its name
const MOVED = 0.25; // lines; a name that stands further from its point's height has a leader
const FAR = 4; // lines; so far away it names nothing any more

/** The place of a value on a scale as a figure states it, from 0 to 1. */
function placeOn({type, domain: [low, high]}, value) {
  return type === 'log' ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

function valueAt({type, domain: [low, high]}, place) {
  return type === 'log' ? low * (high / low) ** place : low + (high - low) * place;
}

/**
 * The places nearest to these, which are sorted, with so much between each two, from `low` to `high`: least
 * squares, by pooling neighbours that violate the order (Ayer et al., 1955). There must be room for all.
 */
export function apart(places, gap, low, high) {
  const pools = [];
  places.forEach((place, at) => {
    let pool = {sum: place - at * gap, count: 1};
    while (pools.length && pools.at(-1).sum / pools.at(-1).count > pool.sum / pool.count) {
      const before = pools.pop();
      pool = {sum: before.sum + pool.sum, count: before.count + pool.count};
    }
    pools.push(pool);
  });
  const last = high - (places.length - 1) * gap;
  return pools
    .flatMap(({sum, count}) => Array(count).fill(Math.min(Math.max(sum / count, low), last)))
    .map((place, at) => place + at * gap);
}

/** Those that share some of the panel's width, directly or by way of others, together. */
function stacksOf(labels) {
  const stacks = [];
  let end = -Infinity;
  for (const label of [...labels].sort((a, b) => a.from - b.from)) {
    if (label.from >= end) stacks.push([]);
    stacks.at(-1).push(label);
    end = Math.max(end, label.to);
  }
  return stacks;
}

/**
 * The rows with the height where the name of each stands, as `field`. The panel's size is known when it is
 * drawn only: what keeps its distance in the smallest one does in all. None where there is no room for all
 * close to their points.
 */
function placed(rows, x, y, panel, field) {
  const labels = rows.map((row) => {
    const across = placeOn(x.scale, row[x.field]);
    const wide = textWidth(row.series, FONT) + BESIDE;
    const from = across * panel.width - (across > 0.5 ? wide : 0);
    return {row, right: across > 0.5, from, to: from + wide, place: placeOn(y.scale, row[y.field])};
  });
  const gap = LINE / panel.height;
  const stacks = stacksOf(labels);
  if (stacks.some((stack) => stack.length * gap > 1)) return [];
  const found = stacks.flatMap((stack) => {
    stack.sort((a, b) => a.place - b.place);
    const places = apart(stack.map(({place}) => place), gap, gap / 2, 1 - gap / 2);
    return stack.map((label, at) => ({...label, stands: places[at], away: Math.abs(places[at] - label.place) / gap}));
  });
  if (found.some(({away}) => away > FAR)) return [];
  return found.map(({row, right, stands, away}) => {
    return {...row, [field]: valueAt(y.scale, stands), right, moved: away > MOVED};
  });
}

/**
 * Layers that name these rows (a point each, of a series each) beside their points, in a panel `height`
 * high: on the side with more room, with a leader where the name had to move up or down.
 */
export function pointLabels(rows, {x, y, color, height}) {
  const field = `${y.field}_of_name`;
  const labels = placed(rows, x, y, leastPanel(height), field);
  const named = {...y, field};
  const layers = (right) => {
    const values = labels.filter((label) => label.right === right);
    const sign = right ? -1 : 1;
    return [
      {
        data: {values: values.filter((label) => label.moved)},
        mark: {type: 'rule', strokeWidth: 0.8, x2Offset: sign * (BESIDE - 1)},
        encoding: {x, x2: {field: x.field}, y, y2: {field}, color},
      },
      {
        data: {values},
        mark: {type: 'text', fontSize: FONT, baseline: 'middle', align: right ? 'right' : 'left', dx: sign * BESIDE},
        encoding: {x, y: named, color, text: {field: 'series'}},
      },
    ];
  };
  return [...layers(false), ...layers(true)];
}
