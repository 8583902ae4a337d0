/**
 * A small alphabet drawn for this program: single strokes on a cap height of 100, like a geometric sans. The studio
 * uses no fonts, because a bare machine has none and would print boxes, and because two machines with different fonts
 * would make different bytes of the same request.
 */
interface Glyph {
  readonly width: number;
  readonly path: string;
}

const CIRCLE_O = 'M50 0 A50 50 0 1 0 50 100 A50 50 0 1 0 50 0 Z';

const GLYPHS: Readonly<Record<string, Glyph>> = {
  A: { width: 84, path: 'M0 100 L42 0 L84 100 M15 66 H69' },
  B: { width: 58, path: 'M0 48 H30 A24 24 0 0 0 30 0 H0 V100 H32 A26 26 0 0 0 32 48 H28' },
  C: { width: 88, path: 'M86 15 A50 50 0 1 0 86 85' },
  D: { width: 80, path: 'M0 0 V100 H30 A50 50 0 0 0 30 0 Z' },
  E: { width: 52, path: 'M52 0 H0 V100 H52 M0 49 H44' },
  F: { width: 50, path: 'M50 0 H0 V100 M0 49 H42' },
  G: { width: 98, path: 'M86 15 A50 50 0 1 0 99 52 H60' },
  H: { width: 70, path: 'M0 0 V100 M70 0 V100 M0 49 H70' },
  I: { width: 1, path: 'M0 0 V100' },
  J: { width: 42, path: 'M42 0 V77 A21 23 0 0 1 0 77' },
  K: { width: 62, path: 'M0 0 V100 M60 0 L0 56 M20 38 L62 100' },
  L: { width: 48, path: 'M0 0 V100 H48' },
  M: { width: 96, path: 'M0 100 L10 0 L48 76 L86 0 L96 100' },
  N: { width: 74, path: 'M0 100 V0 L74 100 V0' },
  O: { width: 100, path: CIRCLE_O },
  P: { width: 56, path: 'M0 100 V0 H29 A27 27 0 0 1 29 54 H0' },
  Q: { width: 100, path: `${CIRCLE_O} M62 66 L96 104` },
  R: { width: 58, path: 'M0 100 V0 H29 A27 27 0 0 1 29 54 H0 M27 54 L58 100' },
  S: { width: 56, path: 'M50 17 C46 6 38 0 27 0 C13 0 3 10 3 24 C3 40 14 45 28 50 C44 55 54 61 54 75 C54 90 42 100 27 100 C13 100 3 92 0 80' }, // prettier-ignore
  T: { width: 62, path: 'M0 0 H62 M31 0 V100' },
  U: { width: 68, path: 'M0 0 V66 A34 34 0 0 0 68 66 V0' },
  V: { width: 82, path: 'M0 0 L41 100 L82 0' },
  W: { width: 124, path: 'M0 0 L31 100 L62 6 L93 100 L124 0' },
  X: { width: 72, path: 'M0 0 L72 100 M72 0 L0 100' },
  Y: { width: 74, path: 'M0 0 L37 50 L74 0 M37 50 V100' },
  Z: { width: 62, path: 'M2 0 H62 L0 100 H62' },
  0: { width: 64, path: 'M32 0 C12 0 0 20 0 50 C0 80 12 100 32 100 C52 100 64 80 64 50 C64 20 52 0 32 0 Z' },
  1: { width: 24, path: 'M0 18 L22 0 V100' },
  2: { width: 58, path: 'M2 27 A27 27 0 0 1 56 27 C56 44 40 58 0 100 H58' },
  3: { width: 54, path: 'M4 12 C10 4 18 0 27 0 C42 0 51 10 51 24 C51 38 41 47 27 47 H20 M27 47 C44 47 54 58 54 73 C54 89 42 100 26 100 C14 100 4 94 0 84' }, // prettier-ignore
  4: { width: 66, path: 'M50 100 V0 L0 72 H66' },
  5: { width: 54, path: 'M50 0 H12 L7 46 C14 40 21 38 28 38 C44 38 54 51 54 68 C54 87 42 100 25 100 C14 100 5 95 0 87' }, // prettier-ignore
  6: { width: 60, path: 'M43 0 L3.5 53.5 M30 39 A30.5 30.5 0 1 0 30 100 A30.5 30.5 0 1 0 30 39 Z' },
  7: { width: 56, path: 'M0 0 H56 L18 100' },
  8: { width: 58, path: 'M29 46 A23 23 0 1 0 29 0 A23 23 0 1 0 29 46 Z M29 46 A27 27 0 1 0 29 100 A27 27 0 1 0 29 46 Z' }, // prettier-ignore
  9: { width: 60, path: 'M17 100 L56.5 46.5 M30 61 A30.5 30.5 0 1 1 30 0 A30.5 30.5 0 1 1 30 61 Z' },
  '&': { width: 70, path: 'M68 100 L18 30 C10 18 16 0 32 0 C48 0 54 20 40 32 L14 52 C-6 68 2 100 28 100 C48 100 62 84 66 58' }, // prettier-ignore
  '.': { width: 1, path: 'M0 92 V100' },
  ',': { width: 6, path: 'M6 92 L0 112' },
  ':': { width: 1, path: 'M0 34 V42 M0 92 V100' },
  '!': { width: 1, path: 'M0 0 V70 M0 92 V100' },
  '-': { width: 34, path: 'M0 54 H34' },
  '+': { width: 50, path: 'M0 54 H50 M25 29 V79' },
  '/': { width: 40, path: 'M0 100 L40 0' },
  "'": { width: 1, path: 'M0 0 V22' },
  '·': { width: 1, path: 'M0 50 V58' },
  ' ': { width: 34, path: '' },
};

const SPELLED_OUT: Readonly<Record<string, string>> = {
  ß: 'SS', Æ: 'AE', Œ: 'OE', Ø: 'O', Ł: 'L', Đ: 'D', Ð: 'D', Þ: 'TH', ı: 'I', '’': "'", '‘': "'", '–': '-', '—': '-',
}; // prettier-ignore

/** Text -> characters that this alphabet has; accents are dropped, other scripts become a middle dot, never a box. */
export function drawableText(text: string): string {
  const upper = [...text.replace(/[ßı]/g, (c) => SPELLED_OUT[c] ?? c).toUpperCase()]
    .map((c) => SPELLED_OUT[c] ?? c)
    .join('');
  const plain = upper.normalize('NFKD').replace(/\p{Mark}+/gu, '');
  return [...plain].map((c) => (/\s/u.test(c) ? ' ' : c in GLYPHS ? c : '·')).join('');
}

export interface TextPath {
  /** SVG path data, cap height 100, to be stroked. Made of table entries and numbers only: nothing to escape. */
  readonly data: string;
  readonly width: number;
}

/** One line of text as SVG path data. `tracking` is the space between letters in units of cap height / 100. */
export function textPath(text: string, tracking: number): TextPath {
  let x = 0;
  const pieces: string[] = [];
  for (const character of drawableText(text)) {
    const glyph = GLYPHS[character];
    if (!glyph) continue;
    if (glyph.path !== '') pieces.push(shiftPath(glyph.path, x));
    x += glyph.width + tracking;
  }
  return { data: pieces.join(' '), width: Math.max(1, x - tracking) };
}

/** Moves absolute path data to the right. The glyphs use the commands M L H V C A Z only. */
function shiftPath(path: string, dx: number): string {
  return path.replace(/([MLHVCA])([^MLHVCAZ]*)/g, (_whole, command: string, list: string) => {
    const numbers = list.trim().split(/\s+/).map(Number);
    return command + numbers.map((n, i) => round(isX(command, i) ? n + dx : n)).join(' ');
  });
}

function isX(command: string, index: number): boolean {
  if (command === 'V') return false;
  if (command === 'H') return true;
  // An arc is rx ry rotation large-arc sweep x y: only the sixth number is an x coordinate.
  if (command === 'A') return index % 7 === 5;
  return index % 2 === 0;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
