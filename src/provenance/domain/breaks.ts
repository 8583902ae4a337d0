import { isIntegrityFailure } from './chain-failures.js';
import { type ChainNode, type ValidationStatus } from './media-verifier.port.js';
import { statusWords } from './status-words.js';

/** One place where a file or its history does not hold. */
export interface Break {
  /** `file`: the file itself or its active manifest. `ingredient`: something that it was made from. */
  readonly in: 'file' | 'ingredient';
  /** Way from the root of the chain: `[0, 2]` is the third ingredient of the first ingredient; `[]` the file. */
  readonly path: readonly number[];
  readonly title: string | undefined;
  readonly manifestLabel: string | undefined;
  /** How the node above uses this one. */
  readonly relationship: string | undefined;
  /** Part of the manifest that the status speaks about, e.g. `c2pa.hash.data`. */
  readonly part: string | undefined;
  readonly code: string;
  /** The code in words. */
  readonly meaning: string;
}

const MAX_BREAKS = 200;

/** Every break of the chain, the file itself first, then its ingredients in order. */
export function findBreaks(chain: ChainNode): Break[] {
  const found: Break[] = [];
  collect(chain, [], found);
  return found;
}

function collect(node: ChainNode, path: readonly number[], found: Break[]): void {
  for (const failure of node.failures) {
    if (found.length >= MAX_BREAKS) return;
    if (isIntegrityFailure(failure)) found.push(breakOf(node, path, failure));
  }
  node.ingredients.forEach((ingredient, i) => {
    collect(ingredient, [...path, i], found);
  });
}

function breakOf(node: ChainNode, path: readonly number[], { code, url }: ValidationStatus): Break {
  const { title, manifestLabel, relationship } = node;
  return {
    in: path.length === 0 ? 'file' : 'ingredient',
    path,
    title,
    manifestLabel,
    relationship,
    part: partOf(url),
    code,
    meaning: statusWords(code),
  };
}

/** The last part of a JUMBF URI such as `self#jumbf=/c2pa/urn:c2pa:.../c2pa.assertions/c2pa.hash.data`. */
function partOf(url: string | undefined): string | undefined {
  const last = url?.split('/').at(-1);
  return last === undefined || last === '' ? undefined : last.slice(0, 200);
}
