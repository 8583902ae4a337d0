import { sha256Hex } from '../../../shared/bytes.js';
import { canonicalJson } from '../../../shared/canonical-json.js';

export const RISKS = ['high', 'medium', 'low'] as const;
export type Risk = (typeof RISKS)[number];

/** Something that a reviewer is to look at. */
export interface ChecklistItem {
  /** Names the point, so that a confirmation is of this point and of no other that came later. */
  readonly key: string;
  readonly risk: Risk;
  /** A sentence of the program, or of the license data. Never a person's sealed words. */
  readonly text: string;
}

/** Public ids. */
export interface ChecklistFacts {
  readonly findings: readonly {
    readonly clearanceId: string;
    readonly ruleId: string;
    readonly listingId: string | null;
    readonly severity: 'deny' | 'review' | 'note';
    readonly message: string;
  }[];
  /** Those that are open. */
  readonly obligations: readonly {
    readonly id: string;
    readonly text: string;
    readonly isBlocking: boolean;
    readonly isDueBefore: boolean;
  }[];
  readonly uploads: readonly {
    readonly assetId: string;
    readonly showsPeople: 'yes' | 'no' | 'unknown';
    readonly unreadPlaces: readonly string[];
  }[];
  readonly recalledAncestorIds: readonly string[];
  /** Those that are not closed, on the asset or on what it was made from. */
  readonly claims: readonly {
    readonly id: string;
    readonly assetId: string;
    readonly kind: string;
    readonly receivedOn: string;
    readonly isUpheld: boolean;
  }[];
  /** The use case demands a human contribution, and the record supports none. */
  readonly lacksContribution: boolean;
}

/** By risk, then by key: the same facts give the same list. */
export function checklistOf(facts: ChecklistFacts): ChecklistItem[] {
  const items = [
    ...facts.recalledAncestorIds.map((id) => ({
      key: `recalled:${id}`,
      risk: 'high' as const,
      text: `It was made from ${id}, whose release was taken back.`,
    })),
    ...facts.claims.map(({ id, assetId, kind, receivedOn, isUpheld }) => ({
      // Another point once it was found right: what was confirmed before is not confirmed any more.
      key: `claim:${id}${isUpheld ? ':upheld' : ''}`,
      risk: 'high' as const,
      text: `A claim (${kind}) of ${receivedOn} on ${assetId} ${isUpheld ? 'was right' : 'is open'}.`,
    })),
    ...(facts.lacksContribution
      ? [
          {
            key: 'contribution',
            risk: 'high' as const,
            text: 'The use case demands a human contribution, and the record supports none.',
          },
        ]
      : []),
    ...facts.findings.map(findingItem),
    ...facts.obligations.map(({ id, text, isBlocking, isDueBefore }) => ({
      key: `obligation:${id}`,
      risk: isDueBefore ? (isBlocking ? ('high' as const) : ('medium' as const)) : ('low' as const),
      text,
    })),
    ...facts.uploads.flatMap(uploadItems),
  ];
  const byKey = new Map(items.map((item) => [item.key, item]));
  return [...byKey.values()].sort(
    (a, b) => RISKS.indexOf(a.risk) - RISKS.indexOf(b.risk) || (a.key < b.key ? -1 : 1),
  );
}

/** What a list of points was when somebody decided. */
export function checklistSha256(items: readonly ChecklistItem[]): string {
  return sha256Hex(canonicalJson(items.map(({ key, risk, text }) => ({ key, risk, text }))));
}

/** The highest of its points. */
export function riskOf(items: readonly ChecklistItem[]): Risk {
  return RISKS.find((risk) => items.some((item) => item.risk === risk)) ?? 'low';
}

function findingItem(finding: ChecklistFacts['findings'][number]): ChecklistItem {
  const { clearanceId, ruleId, listingId, severity, message } = finding;
  return {
    key: `finding:${clearanceId}:${ruleId}:${listingId ?? 'none'}`,
    risk: severity === 'note' ? 'low' : 'high',
    text: severity === 'note' ? message : `Accepted by a waiver: ${message}`,
  };
}

function uploadItems({
  assetId,
  showsPeople,
  unreadPlaces,
}: ChecklistFacts['uploads'][number]): ChecklistItem[] {
  return [
    ...(showsPeople === 'no'
      ? []
      : [
          {
            key: `people:${assetId}`,
            risk: 'medium' as const,
            text:
              showsPeople === 'yes'
                ? `${assetId} shows people: do their releases cover this use?`
                : `Nobody said whether ${assetId} shows people.`,
          },
        ]),
    ...(unreadPlaces.length === 0
      ? []
      : [
          {
            key: `unread:${assetId}`,
            risk: 'medium' as const,
            text: `Parts of ${assetId} could not be read (${unreadPlaces.join(', ')}): what they reserve is not known.`,
          },
        ]),
  ];
}
