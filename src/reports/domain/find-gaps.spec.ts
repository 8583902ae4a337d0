import { describe, expect, it } from '@jest/globals';
import { type AssetDossier } from './dossier.js';
import { findGaps } from './find-gaps.js';

const POLICY = 'quorum none\n';
const STAMP = { authority: 'TSA', at: '2026-11-22T10:00:00.000Z', tokenSha256: '' };

function gapsOf(log: Partial<AssetDossier['log']>, chain: readonly unknown[] = []): string[] {
  const dossier = {
    asset: { mode: 'live' },
    verification: { verdict: 'intact', signer: {} },
    chain,
    runs: [],
    models: [],
    contributions: [],
    log: {
      witnessing: { policy: POLICY, isMet: undefined, witnesses: [] },
      timeStamps: [],
      timeStampsExpected: false,
      ...log,
    },
  } as unknown as AssetDossier;
  return findGaps(dossier).map(({ severity, text }) => `${severity}: ${text}`);
}

const about = (gaps: readonly string[], word: string): string | undefined =>
  gaps.find((gap) => gap.includes(word));

function gapsOfObligations(obligations: unknown): string[] {
  const dossier = {
    asset: { mode: 'live' },
    verification: { verdict: 'intact', signer: {} },
    chain: [],
    runs: [],
    models: [],
    contributions: [],
    obligations,
    log: { witnessing: { policy: POLICY, isMet: true, witnesses: [] }, timeStamps: [STAMP] },
  } as unknown as AssetDossier;
  return findGaps(dossier).map(({ severity, text }) => `${severity}: ${text}`);
}

describe('gaps about obligations', () => {
  const item = (state: string, applies: string, proofs: unknown[] = []) => ({
    state,
    obligation: { applies },
    proofs,
  });
  const list = (items: unknown[], more = {}) => ({ calendarReadOn: '2026-11-23', items, ...more });

  it('are open where something that applies is not proved, unknown where it has to be found out', () => {
    const items = [
      item('open', 'yes'),
      item('open', 'may_apply'),
      item('done', 'yes'),
      item('not_applicable', 'yes'),
    ];
    const gaps = gapsOfObligations(list(items));
    expect(about(gaps, 'Not yet proved: 1')).toMatch(/^open: /);
    expect(about(gaps, 'whether 1 obligation applies')).toMatch(/^unknown: /);
    expect(about(gapsOfObligations(list([item('done', 'yes')])), 'Obligations')).toBeUndefined();
  });

  it('say that nothing was worked out, that the calendar is another one, and that words were erased', () => {
    expect(about(gapsOfObligations(undefined), 'was not worked out')).toMatch(/^unknown: /);
    const other = gapsOfObligations(list([], { otherCalendarReadOn: '2027-01-15' }));
    expect(about(other, 'that of 2027-01-15')).toMatch(/^unknown: /);
    const added = { key: 'law:x' };
    const today = {
      asOf: '2027-01-15',
      calendar: { sha256: 'a'.repeat(64), readOn: '2027-01-01' },
      added: [added],
      changed: [{ key: added.key, members: ['text'], today: added }],
      gone: [],
    };
    const later = (since: string, state: string) => ({ ...item(state, 'yes'), since });
    const [owed, settled] = ['open', 'done'].map((state) =>
      gapsOfObligations(
        list([item('open', 'yes')], { today, later: [later('added', state), later('changed', state)] }),
      ),
    );
    expect(about(owed ?? [], 'Owed on 2027-01-15')).toMatch(/^open: /);
    expect(about(owed ?? [], 'Otherwise on 2027-01-15')).toMatch(/^unknown: /);
    expect(about(settled ?? [], 'on 2027-01-15')).toBeUndefined();
    expect(about(settled ?? [], 'settled by 2027-01-15: 2 obligations')).toMatch(/^note: /);
    // What is listed and reads otherwise counts as it reads, not as it was listed.
    expect(about(owed ?? [], 'Not yet proved')).toBeUndefined();
    const erased = { id: 'prf_1', textErased: { erasedAt: undefined, reason: undefined } };
    expect(about(gapsOfObligations(list([item('done', 'yes', [erased])])), 'prf_1')).toMatch(/^note: /);
  });
});

describe('gaps about witnesses and time', () => {
  it('are notes where nobody was asked, and open where somebody was and has not answered', () => {
    const none = gapsOf({});
    expect(about(none, 'No witness is named')).toMatch(/^note: /);
    expect(about(none, 'No time-stamp by an outside authority')).toMatch(/^note: /);
    const unanswered = gapsOf({
      witnessing: {
        policy: POLICY,
        isMet: false,
        witnesses: [{ name: 'w1', key: 'k+00000000', cosignedAt: undefined }],
      },
      timeStampsExpected: true,
    });
    expect(about(unanswered, 'The witness policy was not met')).toMatch(/^open: /);
    expect(about(unanswered, 'No time-stamp over this checkpoint had come')).toMatch(/^open: /);
  });

  it('are absent where both are there', () => {
    const gaps = gapsOf({
      witnessing: { policy: POLICY, isMet: true, witnesses: [] },
      timeStamps: [STAMP],
      timeStampsExpected: true,
    });
    expect(about(gaps, 'itness')).toBeUndefined();
    expect(about(gaps, 'ime-stamp')).toBeUndefined();
  });
});

describe('gaps about what files say of their making', () => {
  const file = (origin: string, saysModel?: readonly string[]) => ({
    id: 'ast_1',
    origin,
    fileReading: { reserved: [], unreadPlaces: [], ...(saysModel && { saysModel }) },
  });
  const SAYS = ['trainedAlgorithmicMedia (iptc, Some Model 7)'];

  it('are open where a person is recorded as the maker, and known as said of what came from outside', () => {
    expect(about(gapsOf({}, [file('edit', SAYS)]), 'as the work of a person')).toBe(
      'open: ast_1 was sent as the work of a person, and its file says that a generative model made or changed it: trainedAlgorithmicMedia (iptc, Some Model 7).',
    );
    const received = about(gapsOf({}, [file('upload', SAYS)]), 'from outside');
    expect(received).toContain('The file says that a generative model made or changed it');
    expect(received).not.toContain('is not recorded');
    expect(about(gapsOf({}, [file('edit')]), 'as the work of a person')).toBeUndefined();
  });
});

describe('gaps about what files reserve', () => {
  const upload = (fileReading: unknown) => ({ id: 'ast_1', origin: 'upload', fileReading });

  it('tell a reservation, and never take what could not be read for nothing', () => {
    const reserved = gapsOf({}, [upload({ reserved: ['ai-inference: notAllowed'], unreadPlaces: [] })]);
    expect(about(reserved, 'reserves')).toBe('note: The file of ast_1 reserves: ai-inference: notAllowed.');
    const unread = gapsOf({}, [upload({ reserved: [], unreadPlaces: ['c2pa', 'xmp'] })]);
    const text = 'What the file of ast_1 reserves in c2pa, xmp could not be read.';
    expect(about(unread, 'reserves')).toBe(`unknown: ${text}`);
    expect(about(gapsOf({}, [upload({ reserved: [], unreadPlaces: [] })]), 'reserves')).toBeUndefined();
  });
});

describe('gaps about the review', () => {
  const at = '2026-11-22T10:00:00.000Z';
  const said = (decision: string, name: string, entryIndex: number) => ({
    ...{ decision, decidedAt: at, entryIndex },
    reviewer: { principalId: `prn_${name}`, displayName: name },
  });
  const gapsWith = (changes: object): string[] => {
    const log = { witnessing: { policy: POLICY, isMet: true, witnesses: [] }, timeStamps: [STAMP] };
    const nothing = { asset: { mode: 'live' }, chain: [], runs: [], models: [], contributions: [] };
    const dossier = { ...nothing, verification: { verdict: 'intact', signer: {} }, log, ...changes };
    return findGaps(dossier as unknown as AssetDossier).map(({ severity, text }) => `${severity}: ${text}`);
  };

  it('are one for each objection that stands and one for each approval that is missing', () => {
    const reviews = [said('request_changes', 'Ada', 61), said('approve', 'Ben', 62)];
    const gaps = gapsWith({ reviews, review: reviews[1], approvalsNeeded: 2 });
    expect(gaps).toContain(
      'open: Ada asked for changes on 2026-11-22 (entry 61) and has not approved since.',
    );
    expect(about(gaps, 'Approval 2 of 2 is missing')).toMatch(/^open: /);
    const withdrawn = gapsWith({ reviews: [...reviews, said('approve', 'Ada', 63)], approvalsNeeded: 2 });
    expect(about(withdrawn, 'changes')).toBeUndefined();
    expect(about(withdrawn, 'is missing')).toBeUndefined();
    const rejected = gapsWith({ reviews: [said('reject', 'Ada', 61)], approvalsNeeded: 2 });
    expect(rejected).toContain('open: Ada rejected this asset on 2026-11-22 (entry 61).');
    expect(about(rejected, 'is missing')).toBeUndefined();
    expect(about(gapsWith({ approvalsNeeded: 2 }), 'Two different people')).toMatch(/^open: /);
  });

  it('tell each comment and the words of a recall that were erased', () => {
    const commentErased = { erasedAt: at, reason: 'court_order' };
    const reviews = [{ ...said('approve', 'Ada', 61), commentErased }, said('approve', 'Ben', 62)];
    const recall = { reason: 'other', recalledAt: at, textErased: commentErased };
    const gaps = gapsWith({ reviews, review: reviews[1], release: {}, recall });
    expect(about(gaps, 'The comment of the review of entry 61 was erased')).toMatch(/^note: /);
    expect(about(gaps, 'The words of the recall was erased')).toBeUndefined();
    expect(about(gaps, 'The words of the recall were erased')).toMatch(/^note: /);
  });

  it('tell a record that was taken back or amended, and the words of it that were erased', () => {
    const record = { id: 'ctb_1', actionType: 'MANUAL_PAINT', basis: 'human_material', statement: 'x' };
    const amended = { id: 'cor_1', kind: 'amended', basis: 'assistive_only', correctedAt: at, entryIndex: 8 };
    const withdrawn = { id: 'cor_2', kind: 'withdrawn', correctedAt: at, entryIndex: 9, textErased: {} };
    const gaps = gapsWith({ contributions: [{ ...record, corrections: [amended, withdrawn] }] });
    expect(about(gaps, 'was amended to assistive only on 2026-11-22 (entry 8)')).toMatch(/^note: /);
    expect(about(gaps, 'was withdrawn on 2026-11-22 (entry 9): it is not counted')).toMatch(/^note: /);
    expect(about(gaps, 'cor_2, by which ctb_1 was withdrawn, were erased')).toMatch(/^note: /);
  });

  it('tell a part that does not verify, and what nobody knows of an edit', () => {
    const verification = {
      ...{ verdict: 'intact_and_trusted', brokenIngredient: true, signer: { isDevelopment: true } },
      sentences: ['The file is intact.', 'An ingredient, "a.png", is broken: it was changed.'],
    };
    const edit = { id: 'ast_2', origin: 'edit' };
    const gaps = gapsWith({ verification, chain: [edit] });
    expect(about(gaps, 'does not verify')).toMatch(/^open: .*An ingredient, "a.png", is broken/);
    expect(about(gaps, 'ast_2 is an edit')).toMatch(/^unknown: /);
    expect(about(gaps, 'development certificate')).toMatch(/^open: .*nobody outside/);
  });
});
