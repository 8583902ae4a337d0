import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { REVIEW_DECISIONS } from '../contribution.js';
import { type ChecklistFacts, checklistOf, checklistSha256, riskOf } from './checklist.js';
import { type MadeDecision, reviewStanding } from './review-standing.js';

const OPEN = { isReleased: false, isRecalled: false };
const decided = (text: string): MadeDecision[] =>
  text.split(' ').flatMap((word) => {
    const [reviewerId = '', decision] = word.split('=');
    const found = REVIEW_DECISIONS.find((one) => one === decision);
    return found ? [{ reviewerId, decision: found }] : [];
  });

describe('where an asset stands', () => {
  it.each([
    ['', 1, 'in_review'],
    ['a=approve', 1, 'approved'],
    ['a=approve', 2, 'in_review'],
    ['a=approve a=approve', 2, 'in_review'],
    ['a=approve b=approve', 2, 'approved'],
    ['a=approve b=reject', 1, 'rejected'],
    ['a=request_changes', 1, 'changes_requested'],
    ['a=request_changes b=approve', 1, 'changes_requested'],
    ['a=request_changes a=approve', 1, 'approved'],
    ['a=request_changes a=approve', 2, 'in_review'],
    ['a=request_changes b=approve c=approve', 2, 'changes_requested'],
  ] as const)('after "%s" with %i approvals needed it is %s', (text, approvals, standing) => {
    expect(reviewStanding(decided(text), { approvals }, OPEN)).toBe(standing);
  });

  const decisions = fc.array(
    fc.record({
      reviewerId: fc.constantFrom('a', 'b', 'c'),
      decision: fc.constantFrom(...REVIEW_DECISIONS),
    }),
    { maxLength: 6 },
  );

  it('never depends on the order, and is never approved by fewer people than needed', () => {
    fc.assert(
      fc.property(decisions, fc.constantFrom(1 as const, 2 as const), (made, approvals) => {
        const standing = reviewStanding(made, { approvals }, OPEN);
        expect(reviewStanding(made.toReversed(), { approvals }, OPEN)).toBe(standing);
        const approvers = new Set(
          made.filter(({ decision }) => decision === 'approve').map((one) => one.reviewerId),
        );
        if (standing === 'approved') expect(approvers.size).toBeGreaterThanOrEqual(approvals);
        if (made.some(({ decision }) => decision === 'reject')) expect(standing).toBe('rejected');
      }),
    );
  });
});

const NOTHING: ChecklistFacts = {
  findings: [],
  obligations: [],
  uploads: [],
  recalledAncestorIds: [],
  claims: [],
  lacksContribution: false,
};
const FINDING = {
  clearanceId: 'clr_1',
  ruleId: 'revenue-cap',
  listingId: 'a@b',
  severity: 'review' as const,
  message: 'above the cap',
};

describe('the checklist of a review', () => {
  it('names what was accepted, what is owed, what is not known and what was recalled, worst first', () => {
    const items = checklistOf({
      findings: [FINDING, { ...FINDING, ruleId: 'litigation', severity: 'note' }],
      obligations: [
        { id: 'obl_1', text: 'label it', isBlocking: false, isDueBefore: true },
        { id: 'obl_2', text: 'keep it', isBlocking: false, isDueBefore: false },
      ],
      uploads: [
        { assetId: 'ast_1', showsPeople: 'unknown', unreadPlaces: ['xmp'] },
        { assetId: 'ast_2', showsPeople: 'no', unreadPlaces: [] },
      ],
      recalledAncestorIds: ['ast_9'],
      claims: [
        { id: 'clm_1', assetId: 'ast_1', kind: 'copyright', receivedOn: '2026-11-01', isUpheld: false },
        { id: 'clm_2', assetId: 'ast_1', kind: 'design', receivedOn: '2026-11-01', isUpheld: true },
      ],
      lacksContribution: true,
    });
    expect(items.map(({ key, risk }) => `${risk} ${key}`)).toEqual([
      'high claim:clm_1',
      'high claim:clm_2:upheld',
      'high contribution',
      'high finding:clr_1:revenue-cap:a@b',
      'high recalled:ast_9',
      'medium obligation:obl_1',
      'medium people:ast_1',
      'medium unread:ast_1',
      'low finding:clr_1:litigation:a@b',
      'low obligation:obl_2',
    ]);
    expect(riskOf(items)).toBe('high');
    expect(riskOf(checklistOf(NOTHING))).toBe('low');
  });

  it('is another list as soon as one point is another', () => {
    const before = checklistOf({ ...NOTHING, findings: [FINDING] });
    const after = checklistOf({ ...NOTHING, findings: [{ ...FINDING, message: 'far above the cap' }] });
    expect(checklistSha256(after)).not.toBe(checklistSha256(before));
    expect(checklistSha256(checklistOf({ ...NOTHING, findings: [FINDING, FINDING] }))).toBe(
      checklistSha256(before),
    );
  });
});
