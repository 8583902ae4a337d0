import { wordsOf } from './name-words.js';

/** Parameters for words, by their names: words may hold addresses, for nobody takes a file out of them. */
const FOR_WORDS = new Set([
  'prompt',
  'prompts',
  'negative_prompt',
  'system_prompt',
  'text',
  'gen_text',
  'ref_text',
  'lyrics',
  'caption',
  'script',
]);
/** Parameters for addresses, by the last word of their names: whatever text stands there names a file. */
const FOR_ADDRESSES = new Set(['url', 'urls', 'uri', 'uris', 'href']);

/** What URL parsers leave out before they read (WHATWG URL section 4.4; Python's `urlsplit`), and what nobody sees. */
const LEFT_OUT = /^\s+|[\p{Cc}\p{Cf}]+/gu;
const ESCAPED = /%([0-7][0-9a-f])|\\u00([0-7][0-9a-f])|\\x([0-7][0-9a-f])|&#x0*([2-7][0-9a-f]);/gi;
const MAX_ESCAPES = 3;
/**
 * Also as lax readers take it, and wherever it stands: with one slash or backslashes, without a scheme (`//host`), by a
 * scheme without slashes, by a host and a path alone.
 */
const ADDRESSES: readonly RegExp[] = [
  /[a-z][a-z0-9+.-]{1,15}:[\\/]/i,
  /(?:^|[^a-z0-9+/\\=_-])[\\/]{2}[^\\/\s]/i,
  /^(?:data|blob|file|https?):|\b(?:data|blob|file|https?):\S/i,
  /\bwww\d?\.[a-z0-9-]+\.[a-z]/i,
  /(?:^|[^a-z0-9_.@/-])(?:(?:[a-z0-9_-]+\.)+[a-z]{2,24}|(?:\d{1,3}\.){3}\d{1,3})(?::\d{1,5})?\/\S/i,
];
/** As the text of a file starts that is sent as base64. Shorter ones are no pictures. */
const BASE64 = /[A-Za-z0-9+/_-]{80,}/g;
/** With which a picture, a film, a sound, a 3D model or a document begins; also those that are not signed here. */
const SIGNATURES: readonly (readonly [at: number, text: string])[] = [
  [0, '\u0089PNG'],
  [0, '\u00ff\u00d8\u00ff'],
  [0, 'GIF8'],
  [4, 'ftyp'],
  [4, 'moov'],
  [4, 'JXL '],
  [4, 'jP  '],
  [0, '\u00ff\u000a'],
  [0, '\u00ffO\u00ffQ'],
  [0, 'RIFF'],
  [0, 'BM'],
  [0, '8BPS'],
  [0, 'II*\0'],
  [0, 'MM\0*'],
  [0, '\u001aE\u00df\u00a3'],
  [0, 'OggS'],
  [0, 'ID3'],
  [0, 'fLaC'],
  [0, 'glTF'],
  [0, '%PDF-'],
  [0, 'PK\u0003\u0004'],
  [0, '<svg'],
  [0, '<?xml'],
];
/** Sync words of MPEG audio: layer III, and ADTS. */
const MPEG_AUDIO = new Set([0xfb, 0xfa, 0xf3, 0xf2, 0xf1, 0xf9]);

/** Whether the parameter of this name takes words, which may hold anything. */
export function isForWords(name: string): boolean {
  return FOR_WORDS.has(name.toLowerCase().replace(/_?\d$/, ''));
}

/**
 * What a vendor would take for a file in the text of a parameter, or `undefined`: an address, which it would fetch, or
 * the file itself. What went into the work would then neither be cleared nor recorded.
 */
export function hiddenFileIn(name: string, text: string): 'address' | 'file' | undefined {
  if (isForWords(name) || text.trim() === '') return undefined;
  if (FOR_ADDRESSES.has(wordsOf(name).at(-1) ?? '')) return 'address';
  const read = unescaped(text);
  // A line break is left out by some readers, and parts a list for others.
  const readings = [read.replace(LEFT_OUT, ''), read.replace(LEFT_OUT, ' ').trimStart()];
  if (readings.some((reading) => ADDRESSES.some((address) => address.test(reading)))) return 'address';
  return (text.replace(/\s+/g, '').match(BASE64) ?? []).some(isMedia) ? 'file' : undefined;
}

/** In plain letters, and without the escapes of addresses, JSON and HTML. */
function unescaped(text: string): string {
  let read = text.normalize('NFKC');
  for (let round = 0; round < MAX_ESCAPES; round++) {
    read = read.replace(ESCAPED, (_all, ...codes: (string | undefined)[]) =>
      String.fromCharCode(Number.parseInt(codes.slice(0, 4).find((code) => code !== undefined) ?? '', 16)),
    );
  }
  return read;
}

function isMedia(base64: string): boolean {
  const head = Buffer.from(base64.slice(0, 64), 'base64');
  const start = head.toString('latin1');
  if (SIGNATURES.some(([at, text]) => start.startsWith(text, at))) return true;
  return head[0] === 0xff && MPEG_AUDIO.has(head[1] ?? 0);
}
