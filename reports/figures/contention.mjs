// What contention costs: throughput, latency and what failed or was overwritten, over how often two
// placements meet on one cell.

import {conditions} from '../conditions.mjs';
import {list, significant} from '../format.mjs';
import {intervalText} from '../intervals.mjs';
import {
  SPEED,
  conditionAxis,
  endlessText,
  groupsOver,
  mediansOver,
  panelsOf,
  rowOver,
  rowsOver,
  valuesOf,
} from './over.mjs';
import {MAX_SETTINGS, seriesLegend, seriesScales} from './style.mjs';

const PER = 1000;
const perThousand = (n, of) => (typeof n === 'number' && of > 0 ? (PER * n) / of : null);
const MEASURES = [
  ...SPEED,
  [
    'refused_per_1000',
    'refused of 1,000 placements sent',
    'linear',
    (s) => perThousand(s.refused, s.completed + (s.refused ?? 0) + (s.unknown ?? 0)),
  ],
  [
    'superseded_per_1000',
    'superseded of 1,000 acknowledged',
    'linear',
    (s) => perThousand(s.consistency.superseded, s.consistency.places),
  ],
];
const HOT = {share: 0.9, cells: 16};
const MOST_CELLS = 1e7;

/** Cells of "1000x1000"; null when it is not that. */
function cellsOf(canvas) {
  const match = /^(\d+)x(\d+)$/.exec(String(canvas));
  const cells = match ? Number(match[1]) * Number(match[2]) : 0;
  return cells > 0 && cells <= MOST_CELLS ? cells : null;
}

function zipfChance(exponent, cells) {
  let sum = 0;
  let squares = 0;
  for (let rank = 1; rank <= cells; rank += 1) {
    const weight = rank ** -exponent;
    sum += weight;
    squares += weight * weight;
  }
  return squares / (sum * sum);
}

/**
 * The chance that two placements of a workload (as in a spec) fall on the same cell of a canvas: the
 * sum of the squares of the cells' shares. Null of one that tells no shares (rplace, replays).
 */
export function meetingChance(workload, canvas) {
  const cells = cellsOf(canvas);
  if (cells === null) return null;
  if (workload === 'uniform') return 1 / cells;
  const zipf = /^zipf(?::([\d.]+))?$/.exec(workload);
  if (zipf) return zipfChance(Number(zipf[1] ?? 1), cells);
  const hotspot = /^hotspot(?::([\d.]+)(?:@(\d+))?)?$/.exec(workload);
  if (!hotspot) return null;
  const share = Number(hotspot[1] ?? HOT.share);
  const hot = Math.min(Number(hotspot[2] ?? HOT.cells), cells);
  const rest = cells - hot;
  return share ** 2 / hot + (rest > 0 ? (1 - share) ** 2 / rest : 0);
}

/** Runs that differ in workloads whose contention is known, as groupsOver() has them. */
export function contended(model) {
  const chances = new Map();
  const chance = ({setting: {workload, canvas}}) => {
    const key = `${workload} ${canvas}`;
    if (!chances.has(key)) chances.set(key, meetingChance(workload, canvas));
    return chances.get(key);
  };
  return groupsOver(model, ['workload'], (runs) => valuesOf(runs, 'workload') > 1)
    .map((group) => ({...group, runs: group.runs.filter((run) => chance(run) !== null)}))
    .filter(({runs}) => valuesOf(runs, 'workload') > 1)
    .map((group) => ({
      ...group,
      rows: rowsOver(group, MEASURES, (run) => ({
        workload: run.setting.workload,
        meeting_chance: chance(run),
      })),
    }));
}

/** Builds the figure of a model that has contended() groups. */
export function contention(model) {
  const groups = contended(model);
  const runs = groups.flatMap((group) => group.runs);
  const data = groups.flatMap((group) => group.rows).sort((a, b) => a.meeting_chance - b.meeting_chance);
  const medians = mediansOver(data, MEASURES, ['workload']);
  const {color, shape, strokeDash} = seriesScales(model, runs);
  const panels = panelsOf(data)
    .slice(0, MAX_SETTINGS)
    .flatMap((rows) => {
      const x = conditionAxis('workload', [...new Set(rows.map((row) => row.workload))], null);
      const same = medians.filter(({setting, load}) => {
        return setting === rows[0].setting && load === rows[0].load;
      });
      return MEASURES.flatMap((measure) => {
        const row = rowOver({rows, medians: same, all: data}, measure, {x, color, shape, strokeDash});
        return row ? [{title: measure[1], subtitle: rows[0].setting || undefined, rows: [row]}] : [];
      });
    });
  return {
    name: 'contention',
    title: 'What contention costs',
    conditions: conditions(runs),
    legend: seriesLegend(model, runs),
    panels,
    minPanel: 270,
    maxColumns: 3,
    yExtent: 44,
    data,
    medians,
    caption: caption(data) + endlessText(data, ['p50_ms', 'p99_ms']) + intervalText(medians),
  };
}

function caption(data) {
  const chances = new Map(data.map((row) => [row.workload, row.meeting_chance]));
  const words = [...chances].map(([workload, chance]) => `${workload} ${significant(chance, 2)}`);
  return (
    'Workloads in the order of how often two placements fall on the same cell (the sum of the squares ' +
    `of the cells' shares): ${list(words)}. At ${list([...new Set(data.map((row) => row.load))])}. ` +
    'Superseded placements are known of recorded runs only: acknowledged, and overwritten by a writer ' +
    'who had not seen them. Every repetition is a point; lines join the medians.'
  );
}
