// From a figure's description to a Vega-Lite spec of a given width and theme. The same text runs in
// node (SVG, PDF) and inside the page (interactive plots), so this file imports nothing.
//
// A figure: {name, title, legend: [item], minPanel, maxColumns, yExtent, panels: [panel]}
//   item:  {label, color, shape?, size?, dash?, mark: "line"|"point"|"bar"|"rule", opacity?, of?}
//          with `of` a click on it chooses something (filter.mjs)
//   panel: {title, subtitle?, series?, rows: [{height, spec, title?, full?}]}
//          rows of one panel share the x axis; `full` ones keep their height in print
// Colours in a spec are tokens, "@ink" or "@raft"; the theme gives them their value.

const PAPER = {
  light: {
    surface: '#ffffff',
    ink: '#191c20',
    muted: '#5b6470',
    grid: '#e8eaed',
    axis: '#b9bec6',
    unreplicated: '#5a606a',
    raft: '#0072b2',
    bully_2pc: '#d55e00',
    gossip_lww: '#009e73',
    other0: '#7a4fa3',
    other1: '#8c6d1f',
    other2: '#1b8a9a',
    refused: '#e69f00',
    unknown: '#cc79a7',
    unsent: '#8d96a3',
    bad: '#b3261e',
    heat0: '#e9f1f7',
    heat1: '#0a4a75',
    warm0: '#fbf0e4',
    warm1: '#8f3a00',
  },
  dark: {
    surface: '#14181d',
    ink: '#e8ebf0',
    muted: '#9ba5b3',
    grid: '#262c34',
    axis: '#465060',
    unreplicated: '#b3bac6',
    raft: '#56b4e9',
    bully_2pc: '#f5893d',
    gossip_lww: '#2fc79a',
    other0: '#bb9fe6',
    other1: '#d9b84a',
    other2: '#5ccbdc',
    refused: '#f0b63a',
    unknown: '#e596c0',
    unsent: '#7f8a99',
    bad: '#ff8a80',
    heat0: '#1d2a35',
    heat1: '#8fd0f7',
    warm0: '#33261b',
    warm1: '#ffbf8a',
  },
};
const FONT =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", ' +
  'Arial, sans-serif';
// Else panels of a figure would share the domains of all of them.
const OWN_SCALES = Object.fromEntries(
  ['color', 'opacity', 'shape', 'size', 'strokeDash', 'yOffset'].map((channel) => [channel, 'independent']),
);
const LEGEND_ROW = 19;
const GAP = 26;

/** An estimate of how wide text of a sans-serif font is drawn, in pixels. */
export function textWidth(text, size) {
  let units = 0;
  for (const c of text) {
    units += 'mwMW@%'.includes(c) ? 0.86 : 'iljtfr.,:;|·() 1'.includes(c) ? 0.36 : 0.57;
  }
  return units * size;
}

/** Breaks text into lines no wider than `width` pixels. */
function wrap(text, size, width) {
  const lines = [];
  for (const word of text.split(' ')) {
    const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length && textWidth(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Replaces colour tokens by the theme's colours, everywhere but in data. */
function paint(node, colors) {
  if (typeof node === 'string') return node[0] === '@' ? (colors[node.slice(1)] ?? node) : node;
  if (Array.isArray(node)) return node.map((item) => paint(item, colors));
  if (node === null || typeof node !== 'object') return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      return [key, key === 'values' && Array.isArray(value) ? value : paint(value, colors)];
    }),
  );
}

function config(colors) {
  return {
    font: FONT,
    aria: false,
    background: colors.surface,
    padding: {left: 4, right: 8, top: 6, bottom: 4},
    view: {stroke: null},
    axis: {
      labelColor: colors.muted,
      labelFontSize: 11,
      labelPadding: 5,
      titleColor: colors.muted,
      titleFontSize: 11,
      titleFontWeight: 'normal',
      titlePadding: 7,
      gridColor: colors.grid,
      gridWidth: 1,
      domain: false,
      tickColor: colors.axis,
      tickSize: 4,
      labelLimit: 170,
    },
    axisX: {domain: true, domainColor: colors.axis, domainWidth: 1, grid: false},
    axisY: {ticks: false, labelPadding: 7},
    title: {
      color: colors.ink,
      fontSize: 12,
      fontWeight: 600,
      anchor: 'start',
      frame: 'group',
      offset: 8,
      subtitleColor: colors.muted,
      subtitleFontSize: 11,
      subtitlePadding: 3,
    },
    text: {color: colors.ink, fontSize: 11, font: FONT},
    concat: {spacing: 0},
  };
}

/** Places the legend's items in rows; returns the data of its marks and the rows' number. */
function placeLegend(items, width) {
  let x = 0;
  let row = 0;
  const placed = items.map((item) => {
    const line = item.mark === 'line' ? 38 : 20;
    const wide = line + 7 + textWidth(item.label, 11) + 18;
    if (x > 0 && x + wide > width) {
      x = 0;
      row += 1;
    }
    const at = {
      ...item,
      x0: x,
      x1: x + line,
      mid: x + line / 2,
      text: x + line + 7,
      y: row * LEGEND_ROW + 8,
    };
    x += wide;
    return at;
  });
  return {placed, rows: row + 1};
}

function legendView(items, width, yExtent) {
  const {placed, rows} = placeLegend(items, width);
  const pixel = (field) => ({field, type: 'quantitative', scale: null, axis: null});
  const layer = [];
  for (const item of placed) {
    const data = {
      values: [
        {
          x0: item.x0 - yExtent,
          x1: item.x1 - yExtent,
          mid: item.mid - yExtent,
          text: item.text - yExtent,
          y: item.y,
          y0: item.y - 5,
          y1: item.y + 5,
          label: item.label,
          pick: item.of !== undefined,
        },
      ],
    };
    const opacity = item.opacity ?? 1;
    if (item.mark === 'line' || item.mark === 'rule') {
      layer.push({
        data,
        mark: {
          type: 'rule',
          color: item.color,
          strokeWidth: item.width ?? 2.2,
          strokeDash: item.dash ?? [1, 0],
          opacity,
        },
        encoding: {x: pixel('x0'), x2: {field: 'x1'}, y: pixel('y')},
      });
    }
    if (item.mark === 'bar') {
      layer.push({
        data,
        mark: {type: 'rect', color: item.color, opacity},
        encoding: {x: pixel('x0'), x2: {field: 'x1'}, y: pixel('y0'), y2: {field: 'y1'}},
      });
    }
    if (item.shape) {
      layer.push({
        data,
        mark: {
          type: 'point',
          filled: item.filled !== false,
          color: item.color,
          shape: item.shape,
          size: item.size ?? 52,
          opacity: 1,
        },
        encoding: {x: pixel('mid'), y: pixel('y')},
      });
    }
    layer.push({
      data,
      mark: {
        type: 'text',
        align: 'left',
        baseline: 'middle',
        color: '@muted',
        tooltip: null,
        ...(item.of ? {cursor: 'pointer'} : {}),
      },
      encoding: {x: pixel('text'), y: pixel('y'), text: {field: 'label'}},
    });
  }
  return {
    width: Math.max(1, width - yExtent),
    height: rows * LEGEND_ROW,
    layer,
    resolve: {scale: {x: 'independent', y: 'independent'}},
  };
}

// In print there is less room than on a screen: flat panels, and as many of them side by side as can be read.
const PRINT = {panel: 150, tall: 100, flat: 0.72};

const printed = (height) => Math.round(height * (height >= PRINT.tall ? PRINT.flat : 1));

/** The least size in pixels that a panel of that height is drawn with: in print. */
export function leastPanel(height) {
  return {width: PRINT.panel, height: printed(height)};
}

function panelView(panel, width, print) {
  const title = {text: wrap(panel.title, 13, width)}; // bold, and so wider than its 12 pixels say
  if (panel.subtitle) title.subtitle = wrap(panel.subtitle, 11, width);
  const rows = panel.rows.map((row) => ({
    ...row.spec,
    width,
    height: print && !row.full ? printed(row.height) : Math.round(row.height),
    ...(row.title
      ? {title: {text: row.title, fontSize: 11, fontWeight: 'normal', color: '@muted', offset: 5}}
      : {}),
  }));
  if (rows.length === 1) return {...rows[0], title};
  return {title, vconcat: rows, spacing: 12};
}

/** How wide a panel's plotting area is, and how many stand side by side. */
function columnsFor(figure, width, print) {
  const least = print ? figure.yExtent + PRINT.panel : figure.minPanel;
  const fits = Math.floor((width + GAP) / (least + GAP));
  const columns = Math.max(1, Math.min(figure.maxColumns, figure.panels.length, fits));
  const outer = (width - GAP * (columns - 1)) / columns;
  return {columns, inner: Math.floor(outer - figure.yExtent)};
}

/**
 * The Vega-Lite spec of a figure.
 * @param figure description as above
 * @param options {width: pixels of the whole plot, theme: "light"|"dark", titled: whether the
 *     figure's title and conditions are drawn in it, print: whether it is for the columns of a paper}
 */
export function layout(figure, {width, theme, titled, print = false}) {
  const colors = PAPER[theme];
  const usable = width - 14;
  const {columns, inner} = columnsFor(figure, usable, print);
  const panels = figure.panels.map((panel) => panelView(panel, inner, print));
  const parts = [];
  if (figure.legend.length) parts.push(legendView(figure.legend, usable, figure.yExtent));
  parts.push({concat: panels, columns, spacing: {row: 30, column: GAP}, resolve: {scale: OWN_SCALES}});
  const spec = {
    vconcat: parts,
    spacing: 14,
    config: config(colors),
  };
  if (titled) {
    spec.title = {
      text: wrap(figure.title, 17, usable),
      subtitle: wrap(figure.conditions, 13, usable), // fonts differ: where the widest is at hand it must fit
      fontSize: 17,
      fontWeight: 650,
      subtitleFontSize: 11.5,
      subtitlePadding: 5,
      offset: 16,
      anchor: 'start',
      frame: 'bounds',
    };
  }
  return paint(spec, colors);
}

/** The colours of a theme, for what is drawn outside of plots. */
export function colorsOf(theme) {
  return PAPER[theme];
}
