// The keys of the page. They work wherever the focus is, but for those that a focused control needs.

export interface KeyEvents {
  step(dx: number, dy: number): void; // cells
  zoom(factor: number): void;
  fit(): void;
  paint(): void;
  digit(digit: number): void;
  nextColor(by: 1 | -1): void;
  cancel(): void;
  help(): void;
}

const FAR = 10; // cells, with Shift
const ZOOM = 1.5;

const STEPS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
  a: [-1, 0], d: [1, 0], w: [0, -1], s: [0, 1],
};

export function listenToKeys(events: KeyEvents): void {
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (neededElsewhere(event)) return;
    if (act(event, events)) event.preventDefault();
  });
}

/** Whether the focused control, or an open dialog, is to have this key. */
function neededElsewhere(event: KeyboardEvent): boolean {
  if (document.querySelector('dialog[open]') !== null) return true;
  const target = event.target as Element | null;
  const control = target?.closest('button, input, a, [role="radio"]') ?? null;
  if (control === null) return false;
  const ofRadio = control.getAttribute('role') === 'radio' && event.key.startsWith('Arrow');
  return ofRadio || event.key === 'Enter' || event.key === ' ';
}

/** Returns whether the key meant anything. */
function act(event: KeyboardEvent, events: KeyEvents): boolean {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const step = STEPS[key];
  if (step !== undefined) {
    const cells = event.shiftKey ? FAR : 1;
    events.step(step[0] * cells, step[1] * cells);
  } else if (/^\d$/.test(key)) {
    events.digit(Number(key));
  } else {
    return actOnce(key, event.repeat, events);
  }
  return true;
}

function actOnce(key: string, repeat: boolean, events: KeyEvents): boolean {
  switch (key) {
    case '+':
    case '=':
      events.zoom(ZOOM);
      return true;
    case '-':
      events.zoom(1 / ZOOM);
      return true;
    case 'j':
      events.nextColor(1);
      return true;
    case 'k':
      events.nextColor(-1);
      return true;
    case 'f':
      events.fit();
      return true;
    case 'Enter':
    case ' ':
      // Held down it would paint the same cell over and over.
      if (!repeat) events.paint();
      return true;
    case 'Escape':
      events.cancel();
      return true;
    case '?':
      events.help();
      return true;
    default:
      return false;
  }
}
