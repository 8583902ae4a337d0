/** Control characters, unpaired surrogates, and the marks that make text read in another order than it is stored. */
const UNSAFE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const MAX_LENGTH = 120;

/**
 * A file name from outside as a title that is safe to show: the last path segment, without characters that hide
 * what it says. Never used as a path: files are stored under their hash.
 */
export function displayName(fileName: string | undefined, fallback: string): string {
  const segment = (fileName ?? '').split(/[/\\]/).at(-1) ?? '';
  const cleaned = segment.replace(UNSAFE, '').trim();
  const bounded = Array.from(cleaned).slice(0, MAX_LENGTH).join('');
  return bounded === '' || bounded === '.' || bounded === '..' ? fallback : bounded;
}
