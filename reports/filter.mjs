// Leaves of a figure what is of chosen strategies and node counts. The same text runs in node and
// inside the page, as that of layout.mjs does, so this file imports nothing.
//
// A choice: {algorithm: [name], nodes: [number]}; an empty list chooses all. A row of a plot's data
// says what it is of by the label of its `series`, or by its `algorithm` and its number of `nodes`; a
// panel by its `series`; a legend's item by its label. What says nothing is of everything.

/** Of what a row (or a panel, or an item) is: {algorithm?, nodes?}. */
function identify({series, algorithm, nodes}, known) {
  return known.find(({label}) => label === series) ?? {algorithm, nodes};
}

/** Whether something is of none that the choice leaves out. */
function chosen(of, known, choice) {
  return ['algorithm', 'nodes'].every((name) => {
    const listed = known.some((series) => series[name] === of[name]);
    return choice[name].length === 0 || !listed || choice[name].includes(of[name]);
  });
}

/** A layered spec with the rows to keep. */
function filterSpec(spec, keep) {
  const layer = spec.layer.map((part) => {
    const values = part.data?.values;
    return values ? {...part, data: {...part.data, values: values.filter(keep)}} : part;
  });
  return {...spec, layer};
}

const rowsIn = (row) => row.spec.layer.flatMap((part) => part.data?.values ?? []);

/** An ordinal position without the values that no row has any more; the share that is left. */
function prune(encoding, rows) {
  const domain = encoding?.type === 'ordinal' ? encoding.scale?.domain : undefined;
  if (!domain) return {encoding, share: 1};
  const left = new Set(rows.map((row) => row[encoding.field]));
  const kept = domain.filter((value) => left.has(value));
  const scale = {...encoding.scale, domain: kept};
  return {encoding: {...encoding, scale}, share: kept.length / domain.length};
}

function pruneRow(row) {
  const rows = rowsIn(row);
  let height = row.height;
  const layer = row.spec.layer.map((part) => {
    const {x, y} = part.encoding ?? {};
    const [across, down] = [prune(x, rows), prune(y, rows)];
    if (down.share < 1) height = Math.max(30, Math.round(row.height * down.share));
    const encoding = {...part.encoding, ...(x ? {x: across.encoding} : {}), ...(y ? {y: down.encoding} : {})};
    return {...part, encoding};
  });
  return {...row, height, spec: {...row.spec, layer}};
}

/** The panel with what is chosen; null when it has nothing of it. */
function filterPanel(panel, keep) {
  if (!keep(panel)) return null;
  if (panel.series) return panel; // of one series, and all of it
  const rows = panel.rows.map((row) => {
    const spec = filterSpec(row.spec, keep);
    const changed = rowsIn({spec}).length < rowsIn(row).length;
    return changed ? pruneRow({...row, spec}) : row;
  });
  const before = panel.rows.flatMap(rowsIn);
  const after = rows.flatMap(rowsIn);
  const keyed = (row) => row.series !== undefined || row.algorithm !== undefined;
  if (before.some(keyed) && !after.some(keyed)) return null;
  return {...panel, rows};
}

/**
 * The figure with what is chosen; its `panels` are empty when nothing of it is.
 * @param known all series of the report: [{label, algorithm, nodes}]
 */
export function filterFigure(figure, known, choice) {
  const keep = (row) => chosen(identify(row, known), known, choice);
  // What an item names can be chosen by a click on it.
  const legend = figure.legend.map((item) => {
    const {label} = item;
    if (known.some((series) => series.algorithm === label)) return {...item, of: {algorithm: label}};
    return known.some((series) => series.label === label) ? {...item, of: {series: label}} : item;
  });
  return {
    ...figure,
    legend: legend.filter(({of}) => !of || keep(of)),
    panels: figure.panels.map((panel) => filterPanel(panel, keep)).filter(Boolean),
  };
}

/** The choice in a page's address: "#strategy=raft&nodes=3&nodes=5&at=recovery", or "#recovery". */
export function readHash(hash, known) {
  const params = new URLSearchParams(hash.replace(/^#/, ''));
  const listed = (name, values) => values.filter((v) => known.some((series) => series[name] === v));
  const [first] = params.keys();
  return {
    algorithm: listed('algorithm', params.getAll('strategy')),
    nodes: listed('nodes', params.getAll('nodes').map(Number)),
    at: params.get('at') ?? (first !== undefined && params.get(first) === '' ? first : null),
  };
}

/** The address of a choice; '' of everything from the top. */
export function writeHash({algorithm, nodes, at}) {
  if (algorithm.length === 0 && nodes.length === 0) return at ? `#${at}` : '';
  const params = new URLSearchParams();
  for (const name of algorithm) params.append('strategy', name);
  for (const n of nodes) params.append('nodes', n);
  if (at) params.append('at', at);
  return `#${params}`;
}
