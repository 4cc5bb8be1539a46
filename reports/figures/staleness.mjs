// How stale reads were, in milliseconds and in versions, and how soon after its acknowledgement a
// write is seen: measured, and as the model of probabilistically bounded staleness predicts it.

import {bySetting, groupBy, loads} from '../model.mjs';
import {conditions} from '../conditions.mjs';
import {count, isNumber, list} from '../format.mjs';
import {logTicks, seriesLegend, seriesScales} from './style.mjs';

const NAME = 'staleness';
const TITLE = 'Staleness of reads, and what PBS predicts';
const MAX_GROUPS = 4;
const LEAST_READS = 20; // of a bin, to speak of a share
const LEAST_MS = 0.1;

/** Cumulated counts of several runs at all their thresholds: [{at_most, reads, total}]. */
export function pooled(runs, unit) {
  const each = runs.map((run) => run.staleness.filter((row) => row.unit === unit));
  const thresholds = [...new Set(each.flatMap((rows) => rows.map((row) => row.at_most)))];
  const total = each.reduce((sum, rows) => sum + (rows[rows.length - 1]?.reads ?? 0), 0);
  return thresholds
    .sort((a, b) => a - b)
    .map((threshold) => {
      const below = each.map((rows) => rows.filter((row) => row.at_most <= threshold));
      const reads = below.reduce((sum, rows) => sum + (rows[rows.length - 1]?.reads ?? 0), 0);
      return {at_most: threshold, reads, total};
    });
}

/** The visibility bins of several runs together: measured, from the least to the most of a run, and predicted. */
export function visibility(runs) {
  const rows = runs.flatMap((run) => run.visibility ?? []);
  return [...groupBy(rows, (row) => row.t_ms_low).values()]
    .map((bin) => {
      const sum = (pick) => bin.reduce((total, row) => total + pick(row), 0);
      const reads = sum((row) => row.reads);
      const seen = sum((row) => row.seen);
      const [low, high] = [bin[0].t_ms_low, bin[0].t_ms_high];
      const known = bin.filter((row) => isNumber(row.predicted));
      const weight = (row) => Math.max(row.reads, 1e-9);
      const predicted = known.length
        ? known.reduce((total, row) => total + row.predicted * weight(row), 0) /
          known.reduce((total, row) => total + weight(row), 0)
        : null;
      return {
        t_ms: low === 0 ? high / 2 : Math.sqrt(low * high),
        reads,
        seen,
        predicted,
        ...shares(bin),
      };
    })
    .sort((a, b) => a.t_ms - b.t_ms);
}

/** The share of all reads of a bin, and the least and the most of a run; nothing without reads. */
function shares(bin) {
  const each = bin.filter((row) => row.reads > 0);
  if (each.length === 0) return {share: null, low: null, high: null};
  const sum = (pick) => each.reduce((total, row) => total + pick(row), 0);
  const own = each.map((row) => row.seen / row.reads);
  return {share: sum((row) => row.seen) / sum((row) => row.reads), low: Math.min(...own), high: Math.max(...own)};
}

/** Points of "more than t ms stale" and "at least k versions behind". */
function staleCurve(runs, unit, least) {
  const rows = pooled(runs, unit);
  const {series} = runs[0];
  const points = rows.map((row, at) => ({
    series,
    x: unit === 'ms' ? Math.max(row.at_most, least) : (rows[at + 1]?.at_most ?? null),
    share: (row.total - row.reads) / row.total,
    reads: row.total,
  }));
  if (unit === 'ms') {
    const known = points.filter((p, at) => p.share > 0 && points[at + 1]?.x !== p.x);
    const end = points.find((p) => p.share === 0); // from where on no read was more stale
    return known.length && end ? [...known, {...end, share: known[known.length - 1].share}] : known;
  }
  const steps = points.filter((p) => p.share > 0 && p.x !== null);
  return steps.length ? [{...steps[0], x: 1}, ...steps.filter((p) => p.x > 1)] : [];
}

const tidy = (points) =>
  points.map((point) => {
    return Object.fromEntries(
      Object.entries(point).map(([key, value]) => {
        return [key, typeof value === 'number' ? Number(value.toPrecision(6)) : value];
      }),
    );
  });

/** The powers of ten in [from, to]. */
function powersOfTen([from, to]) {
  const first = Math.ceil(Math.log10(from) - 1e-9);
  const count = Math.floor(Math.log10(to) + 1e-9) - first + 1;
  return Array.from({length: Math.max(0, count)}, (_, at) => Number(`1e${first + at}`));
}

const logAxis = (title, domain) => {
  const powers = powersOfTen(domain);
  const values = powers.length > 2 ? powers : logTicks(domain);
  return {title, format: '~g', labelOverlap: 'greedy', values};
};
const shareAxis = {
  title: null,
  labelExpr: "format(100 * datum.value, '~r') + ' %'",
  tickCount: 5,
  minExtent: 48,
  maxExtent: 48,
};

function stalePanel(cells, scales, {unit, title, xTitle}) {
  const curves = cells.map((runs) => staleCurve(runs, unit, LEAST_MS));
  const values = tidy(curves.flat());
  const shares = values.map((point) => point.share);
  const lowest = 10 ** Math.floor(Math.log10(Math.min(1e-3, ...shares)));
  const most = Math.max(unit === 'ms' ? 10 : 3, ...values.map((point) => point.x));
  const domain = [unit === 'ms' ? LEAST_MS : 1, most * 1.2];
  const x = {
    field: 'x',
    type: 'quantitative',
    scale: {type: 'log', domain, nice: false},
    axis: logAxis(xTitle, domain),
  };
  const y = {
    field: 'share',
    type: 'quantitative',
    scale: {type: 'log', domain: [lowest, 1], nice: false},
    axis: {...shareAxis, tickCount: 20, values: powersOfTen([lowest, 1])},
  };
  const {color, strokeDash} = scales;
  const interpolate = unit === 'ms' ? 'step-after' : 'step-before';
  const tooltip = [
    {field: 'series'},
    {field: 'x', title: unit, format: ',.3~g'},
    {field: 'share', format: '.3~%'},
    {field: 'reads', format: ','},
  ];
  return {
    title,
    rows: [
      {
        height: 210,
        spec: {
          layer: [
            {
              data: {values},
              mark: {type: 'line', interpolate, strokeWidth: 2},
              encoding: {x, y, color, strokeDash, detail: [{field: 'series'}]},
            },
            {
              data: {values},
              mark: {type: 'point', size: 30, opacity: 0},
              encoding: {x, y, tooltip},
            },
          ],
        },
      },
    ],
  };
}

/** From the first bin to some time after the last one that is not all seen, in ms. */
function visibleTimes(bins) {
  if (bins.length === 0) return [0.01, 100];
  const times = (some) => some.map((bin) => bin.t_ms);
  const missed = bins.filter((bin) => bin.share < 1 || (bin.predicted ?? 1) < 0.99);
  const last = Math.min(Math.max(...times(bins)), 2 * Math.max(5, ...times(missed)));
  return [Math.min(...times(bins)) / 1.2, last * 1.2];
}

function visibilityPanel(cells, scales) {
  const bins = cells.flatMap((runs) =>
    visibility(runs).map((bin) => ({series: runs[0].series, ...bin})),
  );
  const enough = bins.filter((bin) => bin.reads >= LEAST_READS);
  const domain = visibleTimes(enough);
  const inside = (bin) => bin.t_ms >= domain[0] && bin.t_ms <= domain[1];
  const measured = tidy(enough.filter(inside));
  const predicted = tidy(bins.filter((bin) => bin.predicted !== null && inside(bin)));
  const least = Math.min(
    0.9,
    ...measured.map((bin) => bin.low),
    ...predicted.map((bin) => bin.predicted),
  );
  const x = {
    field: 't_ms',
    type: 'quantitative',
    scale: {type: 'log', domain, nice: false},
    axis: logAxis('ms from the acknowledgement to the read', domain),
  };
  const y = (field, axis = shareAxis) => ({
    field,
    type: 'quantitative',
    scale: {domain: [Math.floor(least * 10) / 10, 1], nice: false},
    axis,
  });
  const {color, shape} = scales;
  const tooltip = [
    {field: 'series'},
    {field: 't_ms', title: 'ms after the acknowledgement', format: ',.3~g'},
    {field: 'share', title: 'measured', format: '.2~%'},
    {field: 'predicted', format: '.2~%'},
    {field: 'reads', format: ','},
  ];
  const of = (values) => ({data: {values}});
  return {
    title: 'reads that see the newest acknowledged write, or a newer one',
    rows: [
      {
        height: 210,
        spec: {
          layer: [
            {
              ...of(predicted),
              mark: {type: 'line', strokeWidth: 1.8, strokeDash: [5, 3]},
              encoding: {x, y: y('predicted'), color, detail: [{field: 'series'}]},
            },
            {
              ...of(measured),
              mark: {type: 'rule', opacity: 0.35},
              encoding: {x, y: y('low'), y2: {field: 'high'}, color},
            },
            {
              ...of(measured),
              mark: {type: 'point', filled: true, size: 38, opacity: 0.95},
              encoding: {x, y: y('share'), color, shape, tooltip},
            },
          ],
        },
      },
    ],
  };
}

/** What is compared: runs of one setting, fault and load, as lists of repetitions. */
function groupsOf(runs) {
  return bySetting(runs).flatMap((setting) =>
    [...groupBy(setting.runs, (run) => run.faultName).values()].flatMap((same) =>
      loads(same).map((load) => {
        const members = same.filter((run) => run.load.label === load.label);
        return {
          cells: [...groupBy(members, (run) => run.series).values()],
          title: [
            same[0].disturbed ? same[0].faultName : 'without faults',
            load.label,
            setting.title,
          ]
            .filter(Boolean)
            .join(' · '),
        };
      }),
    ),
  );
}

function panelsOf(group, scales) {
  const panels = [
    visibilityPanel(group.cells, scales),
    stalePanel(group.cells, scales, {
      unit: 'ms',
      title: 'reads more stale than so many milliseconds (log)',
      xTitle: 'ms since the earliest acknowledgement missed',
    }),
    stalePanel(group.cells, scales, {
      unit: 'versions',
      title: 'reads at least so many versions behind (log)',
      xTitle: 'acknowledged versions missed',
    }),
  ];
  return panels.map((panel) => ({...panel, subtitle: group.title}));
}

function dataOf(groups) {
  return groups.flatMap((group) =>
    group.cells.flat().flatMap((run) => {
      const row = (curve, x, reads, share, predicted) => ({
        setting: group.title,
        series: run.series,
        repetition: run.repetition,
        curve,
        x,
        reads,
        share,
        predicted,
        run: run.id,
      });
      return [
        ...run.staleness.map(({unit, at_most: most, reads, share}) =>
          row(`at most x ${unit} stale`, most, reads, share, null),
        ),
        ...(run.visibility ?? []).map(({t_ms_high: until, reads, seen, predicted}) =>
          row('seen up to x ms after', until, reads, reads ? seen / reads : null, predicted),
        ),
      ];
    }),
  );
}

/** Those of which no read was stale, in words. */
function freshSeries(groups) {
  const cells = groups.flatMap((group) => group.cells).filter((cell) => {
    return cell.every((run) => run.summary.consistency.stale_reads === 0);
  });
  return cells.map((cell) => {
    const reads = cell.reduce((sum, run) => sum + (run.summary.consistency.reads ?? 0), 0);
    const fault = cell[0].disturbed ? cell[0].faultName : 'without faults';
    return `${cell[0].series} (${count(reads)} reads, ${fault})`;
  });
}

/** Builds the figure; absent when no recorded run has reads. */
export function staleness(model) {
  const runs = model.runs.filter((run) => run.staleness?.length);
  if (runs.length === 0) {
    return {name: NAME, title: TITLE, absent: 'no recorded run has reads (staleness.csv)'};
  }
  const disturbed = (group) => Number(group.cells[0][0].disturbed);
  const groups = groupsOf(runs).sort((a, b) => {
    return disturbed(a) - disturbed(b) || b.cells.length - a.cells.length;
  });
  const drawn = groups.slice(0, MAX_GROUPS);
  const fresh = freshSeries(drawn);
  const none = fresh.length ? ` No stale read, and so no curve: ${list(fresh)}.` : '';
  const left = groups.slice(MAX_GROUPS).map((group) => group.title);
  const omitted = left.length ? ` In the data but not drawn: ${left.join('; ')}.` : '';
  const scales = seriesScales(model, runs);
  return {
    name: NAME,
    title: TITLE,
    conditions: conditions(runs),
    legend: [
      ...seriesLegend(model, runs),
      {label: 'predicted by PBS (WARS)', mark: 'rule', dash: [5, 3], width: 1.8, color: '@ink'},
    ],
    panels: drawn.flatMap((group) => panelsOf(group, scales)),
    minPanel: 290,
    maxColumns: 3,
    yExtent: 48,
    data: dataOf(groups),
    caption:
      'Left: of local reads that began so long after the newest acknowledged write of their cell, the ' +
      `share that saw it (points, from the least to the most of a repetition: reads of one cell are not independent; bins with at least ${LEAST_READS} reads), and ` +
      'the t-visibility that the WARS model of Bailis et al. (Probabilistically Bounded Staleness, ' +
      'VLDB 2012) gives by Monte Carlo from the delays of the same run, drawn independently (dashed): ' +
      'where the two part, delays depend on each other. Middle and right: the share of all reads that ' +
      'were more stale, by the time since the earliest acknowledgement that they missed, and by how ' +
      `many acknowledged versions. Repetitions are taken together.${none}${omitted}`,
  };
}
