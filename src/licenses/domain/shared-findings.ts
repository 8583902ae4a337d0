import { type Finding } from './finding.js';

/**
 * Cells of one lineage say much the same: what is equal is kept once. Compared field by field, because to write every
 * finding as text took three times as long as to decide.
 */
export class SharedFindings {
  readonly #known = new Map<string, Finding[]>();

  /** The first of all that are equal to it. */
  first(finding: Finding): Finding {
    const key = `${finding.listingId ?? ''} ${finding.ruleId} ${finding.message}`;
    const alike = this.#known.get(key);
    if (alike === undefined) {
      this.#known.set(key, [finding]);
      return finding;
    }
    const same = alike.find((each) => isSame(each, finding));
    if (same === undefined) alike.push(finding);
    return same ?? finding;
  }
}

function isSame(a: Finding, b: Finding): boolean {
  return (
    a.ruleId === b.ruleId &&
    a.severity === b.severity &&
    a.listingId === b.listingId &&
    a.message === b.message &&
    a.howToFix === b.howToFix &&
    a.fact.name === b.fact.name &&
    isEqual(a.fact.value, b.fact.value) &&
    isEqual(a.stepKeys, b.stepKeys) &&
    isEqual(a.via, b.via) &&
    isEqual(a.alternatives, b.alternatives) &&
    isEqual(a.term, b.term)
  );
}

function isEqual(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
}
