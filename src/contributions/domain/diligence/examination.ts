import {
  type ExaminationResult,
  MATTER_KINDS,
  type MatterBasis,
  type MatterFound,
  type MatterKind,
} from '../../../audit/core/diligence-words.js';

/** One kind of matter of others, and whether it was seen in the file. */
export interface ExaminedMatter {
  readonly kind: MatterKind;
  readonly found: MatterFound;
  /** Only where it is shown: on what ground it may be. */
  readonly basis?: MatterBasis;
}

/** What was found out, for each question that can be asked. */
export type ExaminationFinding =
  | { readonly question: 'third_party_matter'; readonly matter: readonly ExaminedMatter[] }
  | {
      readonly question: 'similar_works';
      readonly result: 'none_found' | 'found' | 'inconclusive';
      /** Name of the collection or service that was searched. */
      readonly index: string;
      readonly matches: number;
    }
  | { readonly question: 'exclusivity'; readonly result: 'exclusive' | 'not_exclusive' | 'unknown' }
  | { readonly question: 'claims'; readonly result: 'none_known' | 'unknown' };

/** Every kind once, in one order: what nobody named was not examined (promise P10). */
export function completeMatter(named: readonly ExaminedMatter[]): ExaminedMatter[] {
  return MATTER_KINDS.map(
    (kind) => named.find((each) => each.kind === kind) ?? { kind, found: 'not_examined' },
  );
}

/** The answer in a word. A file of which one kind was not looked at is not clean of it. */
export function resultOf(finding: ExaminationFinding): ExaminationResult {
  if (finding.question !== 'third_party_matter') return finding.result;
  const matter = completeMatter(finding.matter);
  if (matter.some(({ found }) => found === 'shown')) return 'found';
  return matter.every(({ found }) => found === 'none_seen') ? 'none_found' : 'inconclusive';
}

/** @returns what is wrong with it; `undefined` when nothing is */
export function wrongFinding(finding: ExaminationFinding): string | undefined {
  if (finding.question === 'third_party_matter') {
    const kinds = finding.matter.map(({ kind }) => kind);
    if (new Set(kinds).size !== kinds.length) return 'each kind of matter at most once';
    const unsaid = finding.matter.find(({ found, basis }) => (found === 'shown') !== (basis !== undefined));
    if (unsaid !== undefined)
      return `"basis" belongs to what is shown, and only to that: see "${unsaid.kind}"`;
  }
  if (finding.question === 'similar_works') {
    const { result, matches } = finding;
    if (result === 'none_found' && matches > 0) return '"none_found" with matches is a contradiction';
    if (result === 'found' && matches === 0) return '"found" without a match is a contradiction';
  }
  return undefined;
}
