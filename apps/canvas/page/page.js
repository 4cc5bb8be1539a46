// The page of a canvas node: shows the canvas, paints, and says how the node is doing.

const PALETTE = [  // that of r/place 2022
  '#6D001A', '#BE0039', '#FF4500', '#FFA800', '#FFD635', '#FFF8B8', '#00A368', '#00CC78',
  '#7EED56', '#00756F', '#009EAA', '#00CCC0', '#2450A4', '#3690EA', '#51E9F4', '#493AC1',
  '#6A5CFF', '#94B3FF', '#811E9F', '#B44AC0', '#E4ABFF', '#DE107F', '#FF3881', '#FF99AA',
  '#6D482F', '#9C6926', '#FFB470', '#000000', '#515252', '#898D90', '#D4D7D9', '#FFFFFF'];
const MAX_SCALE = 64;        // CSS pixels a cell
const GRID_FROM_SCALE = 14;
const POLL_MIN_MS = 250;
const POLL_MAX_MS = 2000;
const STATUS_MS = 1500;
const REQUEST_MS = 15000;
const DRAG_FROM_PX = 5;
const MAX_PENDING = 64;
const MAX_TRIES = 4;         // of a placement that was definitely not done

const by = (id) => document.getElementById(id);
const stage = by('stage');
const pen = stage.getContext('2d', {alpha: false});
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const request = (path, options = {}) =>
    fetch(path, {cache: 'no-store', signal: AbortSignal.timeout(REQUEST_MS), ...options});

// --- the picture: what the node holds, and what this page has painted on top ---

const picture = {width: 0, height: 0, etag: '', surface: document.createElement('canvas'), image: null, words: null};
const pending = new Map();  // "x,y" -> {x, y, color, state: pending | done | failed, since, done}

function resizePicture(width, height) {
  Object.assign(picture, {width, height, etag: ''});
  picture.surface.width = width;
  picture.surface.height = height;
  picture.image = new ImageData(width, height);
  picture.words = new Uint32Array(picture.image.data.buffer);
  fit();
}

function takeBytes(bytes) {
  const {words} = picture;
  for (let i = 0, at = 0; i < words.length; ++i, at += 3) {
    words[i] = 0xFF000000 | bytes[at + 2] << 16 | bytes[at + 1] << 8 | bytes[at];
  }
  picture.surface.getContext('2d').putImageData(picture.image, 0, 0);
}

function colorAt(x, y) {
  const mine = pending.get(`${x},${y}`);
  if (mine && mine.state !== 'failed') return mine.color;
  const word = picture.words[y * picture.width + x];
  const part = (shift) => ((word >> shift) & 255).toString(16).padStart(2, '0');
  return `#${part(0)}${part(8)}${part(16)}`.toUpperCase();
}

// --- the view: which part of the picture is where on the screen ---

const view = {scale: 1, left: 0, top: 0, fitted: true};
const cursor = {x: -1, y: -1};
let drawn = true;

function insets() {
  const head = by('head').getBoundingClientRect();
  const dock = by('dock').getBoundingClientRect();
  return {top: head.bottom + 14, bottom: innerHeight - dock.top + 14, side: innerWidth < 640 ? 12 : 64};
}

function fitScale() {
  const {top, bottom, side} = insets();
  return Math.min((innerWidth - 2 * side) / picture.width, (innerHeight - top - bottom) / picture.height);
}

function fit() {
  if (!picture.width) return;
  const {top, bottom} = insets();
  view.scale = clamp(fitScale(), 0.01, MAX_SCALE);
  view.left = (innerWidth - picture.width * view.scale) / 2;
  view.top = top + (innerHeight - top - bottom - picture.height * view.scale) / 2;
  view.fitted = true;
  draw();
}

function keepInSight() {
  const margin = 80;
  view.left = clamp(view.left, margin - picture.width * view.scale, innerWidth - margin);
  view.top = clamp(view.top, margin - picture.height * view.scale, innerHeight - margin);
}

function zoomAt(x, y, factor) {
  const scale = clamp(view.scale * factor, Math.min(fitScale() / 2, 1), MAX_SCALE);
  view.left = x - (x - view.left) * scale / view.scale;
  view.top = y - (y - view.top) * scale / view.scale;
  view.scale = scale;
  view.fitted = false;
  keepInSight();
  draw();
}

function pan(dx, dy) {
  view.left += dx;
  view.top += dy;
  view.fitted = false;
  keepInSight();
  draw();
}

const cellAt = (x, y) => ({x: Math.floor((x - view.left) / view.scale), y: Math.floor((y - view.top) / view.scale)});
const onCanvas = ({x, y}) => x >= 0 && y >= 0 && x < picture.width && y < picture.height;

function pointAt(cell) {
  Object.assign(cursor, cell);
  const inside = onCanvas(cursor);
  by('place-text').innerHTML = '';
  if (inside) {
    const color = colorAt(cursor.x, cursor.y);
    const where = document.createElement('b');
    where.textContent = `${cursor.x}, ${cursor.y}`;
    by('place-text').append(where, ` ${color}`);
    by('place-swatch').style.background = color;
  } else {
    by('place-text').textContent = picture.width ? `${picture.width} × ${picture.height}` : '–';
    by('place-swatch').style.background = 'transparent';
  }
  draw();
}

// --- drawing ---

const dark = matchMedia('(prefers-color-scheme: dark)');
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
let ink = {};
function readInk() {
  ink = {ground: style('--ground'), wait: style('--wait'), good: style('--good'), bad: style('--bad')};
  draw();
}

function draw() {
  if (!drawn) return;
  drawn = false;
  requestAnimationFrame(paintFrame);
}

function outline(x, y, color, width, grow = 0) {
  const s = view.scale;
  pen.strokeStyle = color;
  pen.lineWidth = width;
  pen.strokeRect(view.left + x * s - grow, view.top + y * s - grow, s + 2 * grow, s + 2 * grow);
}

function drawGrid() {
  const s = view.scale;
  const strength = clamp((s - GRID_FROM_SCALE) / 30, 0, 1) * 0.14 + 0.04;
  const right = view.left + picture.width * s;
  const bottom = view.top + picture.height * s;
  pen.strokeStyle = `rgb(128 128 128 / ${strength})`;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let x = Math.max(view.left, view.left % s); x <= Math.min(right, innerWidth); x += s) {
    pen.moveTo(Math.round(x) + 0.5, Math.max(view.top, 0));
    pen.lineTo(Math.round(x) + 0.5, Math.min(bottom, innerHeight));
  }
  for (let y = Math.max(view.top, view.top % s); y <= Math.min(bottom, innerHeight); y += s) {
    pen.moveTo(Math.max(view.left, 0), Math.round(y) + 0.5);
    pen.lineTo(Math.min(right, innerWidth), Math.round(y) + 0.5);
  }
  pen.stroke();
}

// A placement on its way breathes, one that arrived lights up once, one that failed fades away.
function drawPending(now) {
  const s = view.scale;
  for (const [name, one] of pending) {
    const age = now - one.since;
    const faded = one.state === 'pending' ? 0 : age / 600;
    if (one.state === 'failed' && faded > 1 || one.state === 'done' && one.shown && faded > 1) {
      pending.delete(name);
      continue;
    }
    pen.globalAlpha = one.state === 'failed' ? 1 - faded : one.state === 'pending' ? 0.75 + 0.25 * Math.cos(age / 180) : 1;
    pen.fillStyle = one.color;
    pen.fillRect(view.left + one.x * s, view.top + one.y * s, s, s);
    const mark = {pending: ink.wait, done: ink.good, failed: ink.bad}[one.state];
    pen.globalAlpha = Math.max(0, 1 - faded);
    outline(one.x, one.y, mark, 2, one.state === 'done' ? 1 + 6 * Math.min(faded, 1) : 1);
    pen.globalAlpha = 1;
  }
  if (pending.size) draw();
}

function paintFrame(now) {
  drawn = true;
  const ratio = devicePixelRatio || 1;
  const width = Math.round(innerWidth * ratio);
  const height = Math.round(innerHeight * ratio);
  if (stage.width !== width || stage.height !== height) Object.assign(stage, {width, height});
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = ink.ground;
  pen.fillRect(0, 0, innerWidth, innerHeight);
  if (!picture.width) return;
  const s = view.scale;
  pen.save();
  pen.shadowColor = dark.matches ? 'rgb(0 0 0 / 55%)' : 'rgb(60 48 30 / 22%)';
  pen.shadowBlur = 36 * ratio;
  pen.shadowOffsetY = 8 * ratio;
  pen.fillStyle = '#fff';
  pen.fillRect(view.left, view.top, picture.width * s, picture.height * s);
  pen.restore();
  pen.imageSmoothingEnabled = s * ratio < 1;
  pen.drawImage(picture.surface, view.left, view.top, picture.width * s, picture.height * s);
  if (s >= GRID_FROM_SCALE) drawGrid();
  drawPending(now);
  if (onCanvas(cursor)) {
    const grow = s < 6 ? 3 : 0;
    outline(cursor.x, cursor.y, 'rgb(255 255 255 / 90%)', 4, grow + 1);
    outline(cursor.x, cursor.y, selected, 2.5, grow + 1);
    outline(cursor.x, cursor.y, 'rgb(0 0 0 / 75%)', 1, grow + 3);
  }
}

// --- painting ---

let selected = PALETTE[2];

function toast(text, kind) {
  const note = document.createElement('div');
  note.className = `card toast ${kind}`;
  note.textContent = text.charAt(0).toUpperCase() + text.slice(1);
  by('toasts').append(note);
  while (by('toasts').children.length > 3) by('toasts').firstChild.remove();
  setTimeout(() => note.remove(), 4500);
}

// Sends a placement. Only what was definitely not done is sent again. Returns its end: "done", or
// what to tell.
async function send(x, y, color) {
  for (let attempt = 1;; ++attempt) {
    let reply;
    try {
      reply = await request('pixel', {
        method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({x, y, color})});
    } catch {
      return {kind: 'unknown', text: 'The node did not answer: the pixel may or may not be placed.'};
    }
    if (reply.ok) return {kind: 'done'};
    const answer = await reply.json().catch(() => ({}));
    const text = answer.error ?? `HTTP ${reply.status}`;
    if (reply.status === 504) return {kind: 'unknown', text};
    const again = reply.status === 429 || reply.status === 503;
    if (!again || attempt === MAX_TRIES) return {kind: 'failed', text};
    await wait(1000 * Number(reply.headers.get('Retry-After') ?? 1));
  }
}

async function place(cell) {
  if (!onCanvas(cell)) return;
  const name = `${cell.x},${cell.y}`;
  if (pending.get(name)?.state === 'pending') return;
  const waiting = [...pending.values()].filter((one) => one.state === 'pending').length;
  if (waiting >= MAX_PENDING) return toast('Too many pixels on their way; wait a moment.', 'failed');
  const one = {...cell, color: selected, state: 'pending', since: performance.now(), shown: false};
  pending.set(name, one);
  pointAt(cell);
  const end = await send(one.x, one.y, one.color);
  one.state = end.kind === 'done' ? 'done' : 'failed';
  one.since = performance.now();
  if (end.text) toast(end.text, end.kind);
  pointAt({...cursor});
  pollSoon();
}

function choose(color, button) {
  selected = color;
  for (const other of by('palette').children) other.setAttribute('aria-checked', other === button);
  button.style.setProperty('--color', color);
  try { localStorage.setItem('parley-color', color); } catch { /* a private window: not remembered */ }
  draw();
}

function buildPalette() {
  let remembered = null;
  try { remembered = localStorage.getItem('parley-color'); } catch { /* as above */ }
  for (const color of PALETTE) {
    const button = document.createElement('button');
    Object.assign(button, {type: 'button', className: 'color', title: color});
    button.setAttribute('role', 'radio');
    button.setAttribute('aria-label', color);
    button.style.setProperty('--color', color);
    button.onclick = () => choose(color, button);
    by('palette').append(button);
  }
  const custom = document.createElement('label');
  custom.className = 'color custom';
  custom.title = 'Any colour';
  custom.setAttribute('role', 'radio');
  custom.setAttribute('aria-label', 'Any colour');
  const input = Object.assign(document.createElement('input'), {type: 'color', value: '#3690ea'});
  input.oninput = () => choose(input.value.toUpperCase(), custom);
  custom.append(input);
  by('palette').append(custom);
  const known = PALETTE.indexOf(remembered ?? selected);
  if (known >= 0) return choose(PALETTE[known], by('palette').children[known]);
  if (!/^#[0-9A-F]{6}$/.test(remembered)) return choose(selected, by('palette').children[2]);
  input.value = remembered.toLowerCase();
  choose(remembered, custom);
}

// --- talking with the node ---

let interval = POLL_MIN_MS;
let wakePoll = () => {};
let reachable = true;
let leaderless = false;

function pollSoon() {
  interval = POLL_MIN_MS;
  wakePoll();
}

function showBanner() {
  const text = !reachable ? 'The node does not answer. Reconnecting…'
      : leaderless ? 'No leader at the moment: looking works, painting waits.' : '';
  by('banner').hidden = text === '';
  by('banner-text').textContent = text;
}

async function pollCanvas() {
  const asked = performance.now();
  const reply = await request('canvas', {
    headers: {'Accept': 'application/octet-stream', ...(picture.etag ? {'If-None-Match': picture.etag} : {})}});
  if (reply.status !== 200 && reply.status !== 304) throw new Error(`HTTP ${reply.status}`);
  if (reply.status === 200) {
    const bytes = new Uint8Array(await reply.arrayBuffer());
    if (bytes.length !== picture.words.length * 3) return loadSize();
    takeBytes(bytes);
    picture.etag = reply.headers.get('ETag') ?? '';
  }
  // What was acknowledged before this was asked for is in it.
  for (const one of pending.values()) one.shown ||= one.state === 'done' && one.since <= asked;
  pointAt({...cursor});
  // Calm when nothing changes, and never busier than a quarter of the time.
  const quiet = reply.status === 304 ? interval * 1.5 : POLL_MIN_MS;
  interval = clamp(Math.max(quiet, 4 * (performance.now() - asked)), POLL_MIN_MS, POLL_MAX_MS);
}

async function pollForever() {
  for (;;) {
    try {
      if (!picture.width) await loadSize();
      await pollCanvas();
      reachable = true;
    } catch {
      reachable = false;
      interval = POLL_MAX_MS / 2;
    }
    showBanner();
    await Promise.race([wait(interval), new Promise((resolve) => { wakePoll = resolve; })]);
    if (document.hidden) await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, {once: true}));
  }
}

async function loadSize() {
  const status = await (await request('status')).json();
  showStatus(status);
  resizePicture(status.canvas.width, status.canvas.height);
}

function showStatus(status) {
  leaderless = status.leader === null;
  by('node').dataset.state = leaderless ? 'waiting' : 'good';
  by('node-text').textContent = `node ${status.node} · ${status.role}`;
  by('fact-algorithm').textContent = status.algorithm;
  by('fact-leader').textContent = leaderless ? 'none' : status.leader === status.node ? 'this node' : `node ${status.leader}`;
  by('fact-epoch').textContent = status.epoch;
  by('fact-applied').textContent = status.commands_applied.toLocaleString('en');
  document.title = `Parley · node ${status.node}`;
}

async function statusForever() {
  for (;;) {
    try {
      const reply = await request('status');
      if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
      showStatus(await reply.json());
    } catch {
      by('node').dataset.state = 'bad';
    }
    showBanner();
    await wait(STATUS_MS);
  }
}

// --- hands: mouse, fingers, keys ---

const pointers = new Map();
let moved = 0;
let pinched = false;

function gap() {
  const [a, b] = [...pointers.values()];
  return {distance: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2};
}

stage.addEventListener('pointerdown', (event) => {
  if (event.button > 1) return;
  stage.setPointerCapture(event.pointerId);
  if (pointers.size === 0) [moved, pinched] = [0, event.button === 1];
  pointers.set(event.pointerId, {x: event.clientX, y: event.clientY});
  if (pointers.size > 1) pinched = true;
});

stage.addEventListener('pointermove', (event) => {
  const last = pointers.get(event.pointerId);
  if (!last) return pointAt(cellAt(event.clientX, event.clientY));
  const before = pointers.size === 2 ? gap() : null;
  const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
  pointers.set(event.pointerId, {x: event.clientX, y: event.clientY});
  moved += Math.hypot(dx, dy);
  if (before) {
    const after = gap();
    pan(after.x - before.x, after.y - before.y);
    if (before.distance > 0) zoomAt(after.x, after.y, after.distance / before.distance);
  } else if (moved > DRAG_FROM_PX) {
    stage.classList.add('dragging');
    pan(dx, dy);
  }
});

function release(event) {
  const known = pointers.delete(event.pointerId);
  if (pointers.size > 0) return;
  stage.classList.remove('dragging');
  if (!known || event.type === 'pointercancel' || pinched || moved > DRAG_FROM_PX) return;
  const cell = cellAt(event.clientX, event.clientY);
  pointAt(cell);
  place(cell);
}
stage.addEventListener('pointerup', release);
stage.addEventListener('pointercancel', release);
stage.addEventListener('pointerleave', () => { if (pointers.size === 0) pointAt({x: -1, y: -1}); });
stage.addEventListener('wheel', (event) => {
  event.preventDefault();
  const lines = event.deltaMode === 1 ? 16 : 1;
  zoomAt(event.clientX, event.clientY, Math.exp(-clamp(event.deltaY * lines, -240, 240) * 0.0022));
  pointAt(cellAt(event.clientX, event.clientY));
}, {passive: false});

const middleZoom = (factor) => zoomAt(innerWidth / 2, innerHeight / 2, factor);
const STEPS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};

function stepCursor([dx, dy], far) {
  const from = onCanvas(cursor) ? cursor : cellAt(innerWidth / 2, innerHeight / 2);
  const step = far ? 10 : 1;
  const cell = {x: clamp(from.x + dx * step, 0, picture.width - 1), y: clamp(from.y + dy * step, 0, picture.height - 1)};
  const x = view.left + (cell.x + 0.5) * view.scale;
  const y = view.top + (cell.y + 0.5) * view.scale;
  const {top, bottom} = insets();
  pan(clamp(x, 40, innerWidth - 40) - x, clamp(y, top, innerHeight - bottom) - y);
  pointAt(cell);
}

stage.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in STEPS) stepCursor(STEPS[event.key], event.shiftKey);
  else if (event.key === 'Enter' || event.key === ' ') place({...cursor});
  else if (event.key === '+' || event.key === '=') middleZoom(1.5);
  else if (event.key === '-') middleZoom(1 / 1.5);
  else if (event.key === '0') fit();
  else return;
  event.preventDefault();
});

by('zoom-in').onclick = () => middleZoom(1.5);
by('zoom-out').onclick = () => middleZoom(1 / 1.5);
by('zoom-fit').onclick = fit;

function measure() {
  document.documentElement.style.setProperty('--dock-height', `${by('dock').offsetHeight}px`);
  if (view.fitted) fit();
  draw();
}

buildPalette();
readInk();
dark.addEventListener('change', readInk);
addEventListener('resize', measure);
new ResizeObserver(measure).observe(by('head'));
measure();
pollForever();
statusForever();
