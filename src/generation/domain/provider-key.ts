import { type KeyedProviderName } from './provider.port.js';

/** How the keys of each vendor look: enough to refuse what was pasted wrongly, not so much that a new form is refused. */
const PRINTABLE = /^[\x21-\x7e]{16,500}$/;

/** What is wrong with a key, without repeating any of it, or `undefined`. */
export function keyProblem(provider: KeyedProviderName, key: string): string | undefined {
  if (!PRINTABLE.test(key)) return 'a key has 16 to 500 printable characters without spaces';
  return provider === 'replicate' && !key.startsWith('r8_')
    ? 'a token of Replicate begins with "r8_"'
    : undefined;
}

/** What is shown of a key, so that people can tell it from another one. */
export function lastFourOf(key: string): string {
  return key.slice(-4);
}
