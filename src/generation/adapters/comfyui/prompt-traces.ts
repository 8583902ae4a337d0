/** Marks of a graph, in the format of the API and of the editor, and of the text that other tools write of a picture. */
const MARKS = ['class_type', 'widgets_values', 'Negative prompt:'];
/** A shorter one is found by chance in compressed pixels. */
const MIN_TRACE_BYTES = 8;
/** Of a text, a run of characters that no format writes otherwise stands for the whole. */
const PLAIN_RUN = /[A-Za-z0-9 ,.]{16,}/g;

/**
 * Whether a graph or one of the texts stands in the bytes, in UTF-8 or UTF-16, plain or escaped, also in JSON within JSON.
 * @param texts what the step asked for
 */
export function holdsTrace(bytes: Buffer, texts: readonly string[]): boolean {
  const needles = new Map<string, Buffer>();
  for (const form of [...MARKS, ...texts.flatMap(formsOf)])
    for (const needle of encodingsOf(form))
      if (needle.length >= MIN_TRACE_BYTES) needles.set(needle.toString('latin1'), needle);
  return [...needles.values()].some((needle) => bytes.includes(needle));
}

function formsOf(text: string): string[] {
  const whole = text.trim();
  const runs = (whole.match(PLAIN_RUN) ?? []).map((run) => run.trim());
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest.length >= MIN_TRACE_BYTES) return [longest];
  const escaped = JSON.stringify(whole).slice(1, -1);
  const ascii = asciiOf(escaped);
  const twice = (form: string): string => JSON.stringify(form).slice(1, -1);
  return [whole, escaped, ascii, twice(escaped), twice(ascii), xmlOf(whole)];
}

/** As Python writes JSON. */
function asciiOf(text: string): string {
  return text.replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function xmlOf(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function encodingsOf(text: string): Buffer[] {
  const little = Buffer.from(text, 'utf16le');
  return [Buffer.from(text, 'utf8'), little, Buffer.from(little).swap16()];
}
