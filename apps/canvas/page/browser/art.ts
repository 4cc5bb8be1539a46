// Something to look at on the canvas of the pictures: a landscape in the palette of the event.

export const WIDTH = 120;
export const HEIGHT = 72;

type Paint = (x: number, y: number, color: string) => void;

const SKY = ['#493AC1', '#6A5CFF', '#B44AC0', '#DE107F', '#FF3881', '#FF4500', '#FFA800', '#FFD635', '#FFF8B8'];
const SUN = {x: 86, y: 37, radius: 14};
const HILLS = [
  {color: '#811E9F', level: 50, waves: [7, 0.052, 0.4, 3, 0.13, 1.1]},
  {color: '#2450A4', level: 55, waves: [5, 0.07, 2.2, 2, 0.19, 0.3]},
  {color: '#00756F', level: 60, waves: [4, 0.06, 5.1, 2, 0.22, 2.0]},
  {color: '#00A368', level: 66, waves: [3, 0.085, 1.0, 1, 0.3, 4.0]},
] as const;

// Each letter 5 wide and 7 high.
const LETTERS: Record<string, readonly string[]> = {
  P: ['####.', '#...#', '#...#', '####.', '#....', '#....', '#....'],
  A: ['.###.', '#...#', '#...#', '#####', '#...#', '#...#', '#...#'],
  R: ['####.', '#...#', '#...#', '####.', '#.#..', '#..#.', '#...#'],
  L: ['#....', '#....', '#....', '#....', '#....', '#....', '#####'],
  E: ['#####', '#....', '#....', '####.', '#....', '#....', '#####'],
  Y: ['#...#', '#...#', '.#.#.', '..#..', '..#..', '..#..', '..#..'],
};
const TREE = ['..1..', '..1..', '.111.', '.121.', '11111', '.121.', '11211', '11111', '..3..', '..3..'];
const TREE_INK: Record<string, string> = {1: '#00CC78', 2: '#7EED56', 3: '#6D482F'};

/** Every cell of the landscape, in rows from the top. */
export function landscape(): Map<string, string> {
  const cells = new Map<string, string>();
  const paint: Paint = (x, y, color) => {
    if (x >= 0 && y >= 0 && x < WIDTH && y < HEIGHT) cells.set(`${x},${y}`, color);
  };
  for (let y = 0; y < HEIGHT; ++y) for (let x = 0; x < WIDTH; ++x) paint(x, y, skyAt(x, y));
  for (const hill of HILLS) paintHill(hill, paint);
  for (const [x, y] of [[9, 53], [17, 56], [101, 56], [109, 52], [92, 59]] as const) stamp(TREE, TREE_INK, x, y, paint);
  word('PARLEY', 10, 9, paint);
  return cells;
}

function skyAt(x: number, y: number): string {
  const {x: sunX, y: sunY, radius} = SUN;
  const fromSun = Math.hypot(x + 0.5 - sunX, y + 0.5 - sunY);
  // Stripes across the lower half of the sun.
  if (fromSun < radius && !(y > sunY && (y - sunY) % 3 === 0)) return y < sunY ? '#FFF8B8' : '#FFD635';
  const height = Math.min((y / 50) * SKY.length, SKY.length - 1);
  // Neighbouring colours mix in a pattern rather than at an edge.
  const pattern = [[0, 0.5], [0.75, 0.25]][y & 1]![x & 1]!;
  return SKY[Math.min(Math.floor(height + pattern * 0.9), SKY.length - 1)]!;
}

function paintHill({color, level, waves}: (typeof HILLS)[number], paint: Paint): void {
  const [high, long, from, ripple, short, off] = waves;
  for (let x = 0; x < WIDTH; ++x) {
    const top = Math.round(level + high * Math.sin(x * long + from) + ripple * Math.sin(x * short + off));
    for (let y = top; y < HEIGHT; ++y) paint(x, y, color);
  }
}

function stamp(rows: readonly string[], inks: Record<string, string>, left: number, top: number, paint: Paint): void {
  rows.forEach((row, y) => [...row].forEach((mark, x) => {
    const ink = inks[mark];
    if (ink !== undefined) paint(left + x, top + y, ink);
  }));
}

/** Letters of two cells a dot, with a shadow. */
function word(text: string, left: number, top: number, paint: Paint): void {
  for (const [dx, dy, color] of [[1, 1, '#493AC1'], [0, 0, '#FFFFFF']] as const) {
    [...text].forEach((letter, index) => LETTERS[letter]!.forEach((row, y) => [...row].forEach((mark, x) => {
      if (mark !== '#') return;
      for (const [i, j] of [[0, 0], [1, 0], [0, 1], [1, 1]] as const) {
        paint(left + 12 * index + 2 * x + i + dx, top + 2 * y + j + dy, color);
      }
    })));
  }
}
