import { type ChainNode } from './media-verifier.port.js';

const RECORD_LABEL = /^org\.colophon\.record(__\d+)?$/;

/** `file`: it was made with a test key, by its own manifest. `part`: something it was made from was. */
export type TestWork = 'file' | 'part';

export const TEST_WORDS = 'It is a test: it was made with a test key and is not for publication.';
export const TEST_PART_WORDS =
  'Something that it was made from is a test: that was made with a test key and is not for publication.';

/** What the records in the manifests say (docs/spec/manifest.md). A forger may write it or leave it out: a claim. */
export function testWorkIn(chain: ChainNode | undefined): TestWork | undefined {
  if (chain === undefined) return undefined;
  if (recordsOf(chain).some(isOfTestKey)) return 'file';
  return chain.ingredients.some((part) => testWorkIn(part) !== undefined) ? 'part' : undefined;
}

/** The members of `org.colophon.record` in one manifest. */
export function recordsOf({ assertions }: ChainNode): Readonly<Record<string, unknown>>[] {
  return assertions
    .filter(({ label }) => RECORD_LABEL.test(label))
    .flatMap(({ data }) =>
      typeof data === 'object' && data !== null ? [data as Readonly<Record<string, unknown>>] : [],
    );
}

function isOfTestKey({ mode }: Readonly<Record<string, unknown>>): boolean {
  return mode === 'test';
}
