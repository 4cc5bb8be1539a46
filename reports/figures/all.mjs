// The figures of a report, in reading order.

import {ablated, ablation} from './ablation.mjs';
import {baseline} from './baseline.mjs';
import {bothSides} from './both_sides.mjs';
import {contended, contention} from './contention.mjs';
import {costNodes} from './cost_nodes.mjs';
import {costPerOperation} from './cost_per_operation.mjs';
import {distribution} from './distribution.mjs';
import {divergence} from './divergence.mjs';
import {faultTimeline} from './fault_timeline.mjs';
import {locality, placed} from './locality.mjs';
import {heatMap, mapped} from './heat_map.mjs';
import {knee, searched} from './knee.mjs';
import {latencyThroughput} from './latency_throughput.mjs';
import {options, variedGroups} from './options.mjs';
import {isPredicted, predicted} from './predicted.mjs';
import {recovery} from './recovery.mjs';
import {scaling} from './scaling.mjs';
import {staleness} from './staleness.mjs';

const BUILDERS = [
  latencyThroughput,
  faultTimeline,
  recovery,
  bothSides,
  divergence,
  staleness,
  distribution,
  costNodes,
  costPerOperation,
];

/** Every figure of the model: drawn ones have `panels`, the others `absent` with the reason. */
export function buildFigures(model) {
  const figures = BUILDERS.map((build) => build(model));
  // Measurements of their own, which most results do not hold: they are not missing there.
  if (placed(model).length > 0) figures.push(locality(model));
  if (searched(model).length > 0) figures.push(knee(model));
  if (variedGroups(model).length > 0) figures.push(options(model));
  if (contended(model).length > 0) figures.push(contention(model));
  if (mapped(model).length > 0) figures.push(heatMap(model));
  if (ablated(model).length > 0) figures.push(ablation(model));
  if (isPredicted(model)) figures.push(predicted(model));
  if (model.baseline.length > 1) figures.push(baseline(model));
  if (model.scaling.length > 0) figures.push(scaling(model));
  return figures;
}
