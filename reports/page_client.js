// Runs in the page, after the texts of layout.mjs, filter.mjs and pack.mjs in the same module: draws the figures
// for the width, the theme and the choice at hand, again when any of them changes.

const root = document.documentElement;
const figures = unpack(JSON.parse(document.getElementById('figures').textContent));
const series = JSON.parse(document.getElementById('series').textContent);
const boxes = [...document.querySelectorAll('#filter input')];
const drawnAt = new Map();
const plots = new Map();
let choice = readHash(location.hash, series);

function storedTheme() {
  try {
    return localStorage.getItem('parley-theme');
  } catch {
    return null;
  }
}

const dark = matchMedia('(prefers-color-scheme: dark)');
const themeNow = () => root.dataset.theme;

/** A click on a legend's item chooses only what it names; a second one all again. */
function onlyOf(label) {
  const of = series.find((s) => s.label === label) ?? series.find((s) => s.algorithm === label);
  if (!of) return;
  const only = {algorithm: [of.algorithm], nodes: of.label === label ? [of.nodes] : []};
  const again = writeHash({...choice, at: null}) === writeHash(only);
  choose(again ? {algorithm: [], nodes: []} : only);
}

async function plot(figure, place, width) {
  const shown = filterFigure(figure, series, choice);
  if (shown.panels.length === 0) {
    place.textContent = 'This plot has nothing of what is chosen.';
    return;
  }
  const spec = layout(shown, {width, theme: themeNow(), titled: false});
  const embedded = await vegaEmbed(place, spec, {
    mode: 'vega-lite',
    renderer: 'svg',
    downloadFileName: figure.name,
    actions: {export: true, source: false, compiled: false, editor: false},
    tooltip: {theme: themeNow()},
  });
  plots.set(figure.name, embedded);
  embedded.view.addEventListener('click', (event, item) => {
    if (item?.datum?.pick) onlyOf(item.datum.label);
  });
}

/** Draws a figure in its place; one that cannot be drawn says so there and keeps back no other. */
async function draw(figure, force) {
  const place = document.getElementById(`plot-${figure.name}`);
  const width = Math.floor(place.clientWidth);
  if (width === 0 || (!force && drawnAt.get(figure.name) === width)) return;
  drawnAt.set(figure.name, width);
  plots.get(figure.name)?.finalize(); // else its listeners stay
  plots.delete(figure.name);
  try {
    await plot(figure, place, width);
  } catch (error) {
    drawnAt.delete(figure.name);
    place.textContent = `This plot could not be drawn: ${error.message}`;
  }
}

// One drawing at a time; what changes meanwhile is drawn by the next.
let drawing = Promise.resolve();
function drawAll(force) {
  drawing = drawing.then(async () => {
    for (const figure of figures) await draw(figure, force);
    root.dataset.ready = 'true';
  });
  return drawing;
}

const all = document.getElementById('filter-all');
const said = document.getElementById('filter-said');

/** Shows the choice in the bar: no box checked stands for all, and so all are. */
function showChoice() {
  for (const box of boxes) {
    const values = choice[box.name];
    box.checked = values.length === 0 || values.map(String).includes(box.value);
  }
  const shown = series.filter(({algorithm, nodes}) => {
    const of = {algorithm, nodes};
    return Object.keys(of).every((name) => !choice[name].length || choice[name].includes(of[name]));
  });
  const some = choice.algorithm.length + choice.nodes.length > 0;
  if (!all) return;
  all.hidden = !some;
  said.textContent = some ? `${shown.length} of ${series.length} series` : '';
}

/** Puts the choice into the address, so that it can be sent to somebody. */
function showAddress() {
  try {
    history.replaceState(null, '', writeHash(choice) || location.pathname + location.search);
  } catch {
    // Where pages may not change their address the choice only lasts until the page is closed.
  }
}

/** Draws what is chosen. */
function choose(next) {
  choice = {...choice, ...next};
  showChoice();
  showAddress();
  return drawAll(true);
}

function chooseBoxes() {
  const of = (name) => boxes.filter((box) => box.name === name);
  const values = (name) => {
    const checked = of(name).filter((box) => box.checked);
    return checked.length === of(name).length ? [] : checked.map((box) => box.value);
  };
  choose({algorithm: values('algorithm'), nodes: values('nodes').map(Number)});
}
for (const box of boxes) box.addEventListener('change', chooseBoxes);
all?.addEventListener('click', () => choose({algorithm: [], nodes: []}));

const goTo = (id) => id && document.getElementById(id)?.scrollIntoView({behavior: 'instant'});

// A link within the page names a place only: the browser goes there, and the choice stays.
addEventListener('hashchange', () => {
  const next = readHash(location.hash, series);
  const placeOnly = next.at !== null && location.hash === `#${next.at}`;
  if (!placeOnly) {
    choose(next).then(() => goTo(next.at));
    return;
  }
  choice = {...choice, at: next.at};
  showAddress();
});

function setTheme(theme) {
  root.dataset.theme = theme;
  document.getElementById('theme').textContent = theme === 'dark' ? 'Light theme' : 'Dark theme';
}

document.getElementById('theme').addEventListener('click', () => {
  setTheme(themeNow() === 'dark' ? 'light' : 'dark');
  try {
    localStorage.setItem('parley-theme', themeNow());
  } catch {
    // A page opened from a file may have no storage: the choice then lasts until it is closed.
  }
  drawAll(true);
});
dark.addEventListener('change', () => {
  if (storedTheme() === null) {
    setTheme(dark.matches ? 'dark' : 'light');
    drawAll(true);
  }
});

let waiting = 0;
addEventListener('resize', () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => drawAll(false), 120);
});

setTheme(themeNow());
showChoice();
drawAll(true).then(() => goTo(choice.at));
