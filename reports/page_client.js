// Runs in the page, after the text of layout.mjs in the same module: draws the figures for the
// width and the theme at hand, again when either changes.

const root = document.documentElement;
const figures = JSON.parse(document.getElementById('figures').textContent);
const drawnAt = new Map();

function storedTheme() {
  try {
    return localStorage.getItem('parley-theme');
  } catch {
    return null;
  }
}

const dark = matchMedia('(prefers-color-scheme: dark)');
const themeNow = () => root.dataset.theme;

async function draw(figure, force) {
  const place = document.getElementById(`plot-${figure.name}`);
  const width = Math.floor(place.clientWidth);
  if (width === 0 || (!force && drawnAt.get(figure.name) === width)) return;
  drawnAt.set(figure.name, width);
  const spec = layout(figure, {width, theme: themeNow(), titled: false});
  await vegaEmbed(place, spec, {
    mode: 'vega-lite',
    renderer: 'svg',
    downloadFileName: figure.name,
    actions: {export: true, source: false, compiled: false, editor: false},
    tooltip: {theme: themeNow()},
  });
}

async function drawAll(force) {
  for (const figure of figures) await draw(figure, force);
  root.dataset.ready = 'true';
}

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
drawAll(true);
