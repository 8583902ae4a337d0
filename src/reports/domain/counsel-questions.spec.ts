import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MATTER_KINDS } from '../../audit/core/diligence-words.js';
import { EvidenceWorkshop } from '../verify/testing/evidence-workshop.js';
import { counselAnswers } from './counsel-questions.js';
import { type DossierClaim, type DossierExamination } from './dossier-diligence.js';
import { type AssetDossier } from './dossier.js';
import { findGaps } from './find-gaps.js';

let workshop: EvidenceWorkshop;
let dossier: AssetDossier;

beforeAll(async () => {
  workshop = await EvidenceWorkshop.create();
  ({ dossier } = await workshop.build());
});
afterAll(() => workshop.close());

const RAVI = { principalId: 'prn_1', displayName: 'Ravi Iyer' };

function examined(changes: Partial<DossierExamination>): DossierExamination {
  return {
    ...{ id: 'exm_1', assetId: dossier.asset.id, question: 'claims', result: 'unknown' },
    ...{ examinedOn: '2026-11-20', examinedBy: RAVI, text: 'x', entryIndex: 77 },
    ...changes,
  };
}

function claimed(state: DossierClaim['state'], assetId = dossier.asset.id): DossierClaim {
  return {
    ...{ id: 'clm_1', assetId, kind: 'copyright', receivedOn: '2026-11-21', recordedBy: RAVI },
    ...{ claimant: 'A. Stranger', text: 'mine', entryIndex: 78, answers: [], state },
  };
}

function answer(start: string, changes: Partial<AssetDossier>) {
  const found = counselAnswers({ ...dossier, ...changes }).find(({ question }) => question.startsWith(start));
  if (found === undefined) throw new Error(`nobody asks "${start}"`);
  return found;
}

const MATTER = 'Does it show trademarks';
const SEARCH = 'Was a search for similar';
const ALONE = 'Could another customer';
const CLAIMS = 'Were claims or notices';
const all = (found: 'none_seen' | 'not_examined') => MATTER_KINDS.map((kind) => ({ kind, found }));

describe('what counsel asks', () => {
  it('is every question of the list, and each has an answer', () => {
    const answers = counselAnswers(dossier);
    // Twenty, and who approved it.
    expect(answers).toHaveLength(21);
    for (const { answer: words, question } of answers)
      expect([question, words.length > 4]).toEqual([question, true]);
  });

  it('is not settled by silence', () => {
    const nothing = { examinations: undefined, claims: undefined };
    for (const question of [MATTER, SEARCH, ALONE, CLAIMS])
      expect([question, answer(question, nothing).answered]).toEqual([question, false]);
    const gaps = findGaps({ ...dossier, ...nothing }).map(({ text }) => text);
    expect(gaps).toContain('No search for similar earlier works is recorded.');
    expect(gaps).toContain('Nobody has recorded whether it shows what belongs to others.');
  });

  it('says of what is not settled who has to record what, and of what is settled nothing more', () => {
    for (const [start, question] of [
      [MATTER, 'third_party_matter'],
      [SEARCH, 'similar_works'],
      [ALONE, 'exclusivity'],
      [CLAIMS, 'claims'],
    ] as const) {
      const silent = answer(start, { examinations: undefined, claims: undefined });
      expect(silent.answer).toContain(`POST /v1/assets/{id}/examinations, question ${question}`);
      const earlier = [examined({ question, assetId: 'ast_earlier' })];
      const elsewhere = answer(start, { examinations: earlier, claims: [] });
      expect(elsewhere.answer).toContain('at ast_earlier, from which it was made; that settles nothing');
      expect(elsewhere.entryIndices).toContain(77);
    }
    const settled = answer(CLAIMS, { claims: [], examinations: [examined({ result: 'none_known' })] });
    expect(settled.answer).not.toContain('It is settled');
  });

  it('about claims counts a recall because of one, and is not settled where the record contradicts itself', () => {
    const recall = {
      ...{ reason: 'rights_claim', recalledAt: '2026-11-25T00:00:00.000Z', recalledBy: RAVI, entryIndex: 79 },
    } as unknown as AssetDossier['recall'];
    const none = [examined({ result: 'none_known' })];
    const asked = answer(CLAIMS, { claims: [], examinations: none, recall });
    expect(asked).toMatchObject({ answered: false, entryIndices: [77, 79] });
    expect(asked.answer).toContain('taken back on 2026-11-25 because of a claim of rights');
    expect(answer(CLAIMS, { claims: [claimed('open')], examinations: none, recall }).answered).toBe(true);
  });

  it('is not settled by what was found out about another version of the file', () => {
    const examinations = (['third_party_matter', 'similar_works', 'exclusivity', 'claims'] as const).map(
      (question) =>
        examined({ question, assetId: 'ast_earlier', result: 'none_found', matter: all('none_seen') }),
    );
    for (const question of [MATTER, SEARCH, ALONE, CLAIMS])
      expect(answer(question, { examinations, claims: [] }).answered).toBe(false);
  });

  it('about matter of others is settled when every kind was looked for and what is shown has a ground', () => {
    const shown = (basis: 'licensed' | 'unknown' | 'none') =>
      all('none_seen').map((each) =>
        each.kind === 'trademarks' ? { kind: each.kind, found: 'shown' as const, basis } : each,
      );
    const asked = (matter: DossierExamination['matter']) =>
      answer(MATTER, { examinations: [examined({ question: 'third_party_matter', matter })] });
    expect(asked(all('none_seen'))).toMatchObject({ answered: true, entryIndices: [77] });
    expect(asked(shown('licensed'))).toMatchObject({
      answered: true,
      answer: expect.stringContaining('trademarks (licensed)'),
    });
    expect(asked(shown('unknown')).answered).toBe(false);
    expect(asked(shown('none')).answered).toBe(false);
    const partly = all('none_seen').map((each, i) =>
      i === 5 ? { ...each, found: 'not_examined' as const } : each,
    );
    expect(asked(partly).answered).toBe(false);
    expect(asked(all('none_seen')).answer).toContain('Ravi Iyer looked on 2026-11-20');
  });

  it('about similar works names the index, and is not settled by an inconclusive search', () => {
    const asked = (result: 'none_found' | 'found' | 'inconclusive', matches = 0) =>
      answer(SEARCH, {
        examinations: [
          examined({
            ...{ question: 'similar_works', result, matches, index: 'Example Index' },
            tool: { name: 'Finder', version: '3' },
          }),
        ],
      });
    expect(asked('none_found')).toMatchObject({
      answered: true,
      answer: expect.stringContaining('Ravi Iyer had Finder 3 look on 2026-11-20 in Example Index'),
    });
    expect(asked('found', 2).answer).toContain('2 similar works were found');
    expect(asked('inconclusive').answered).toBe(false);
  });

  it('about exclusivity says what cannot be known, also where the contracts are', () => {
    const asked = (result: 'exclusive' | 'not_exclusive' | 'unknown') =>
      answer(ALONE, { examinations: [examined({ question: 'exclusivity', result })] });
    for (const result of ['exclusive', 'not_exclusive'] as const) {
      expect(asked(result).answered).toBe(true);
      expect(asked(result).answer).toContain('seen by nobody but the vendor');
    }
    expect(asked('unknown').answered).toBe(false);
    expect(answer(ALONE, { examinations: [] }).answer).toContain(
      'Nobody has recorded what the contracts say',
    );
  });

  it('about claims: none known on a day, or each with what became of it', () => {
    const none = [examined({ result: 'none_known' })];
    expect(answer(CLAIMS, { claims: [], examinations: none })).toMatchObject({ answered: true });
    expect(answer(CLAIMS, { claims: [], examinations: [...none, examined({})] }).answered).toBe(false);
    const open = answer(CLAIMS, { claims: [claimed('open')], examinations: none });
    expect(open).toMatchObject({ answered: true, entryIndices: [78, 77] });
    expect(open.answer).toContain('copyright, received on 2026-11-21: open');
    for (const [state, words] of [
      ['open', 'is open'],
      ['upheld', 'was right'],
    ] as const) {
      const gaps = findGaps({ ...dossier, claims: [claimed(state, 'ast_parent')] });
      expect(gaps[0]).toMatchObject({ severity: 'open' });
      expect(gaps.map(({ text }) => text).join(' ')).toMatch(
        new RegExp(`clm_1 \\(copyright, received on 2026-11-21 on ast_parent.*\\) ${words}`),
      );
    }
    expect(
      findGaps({ ...dossier, claims: [claimed('closed')] })
        .map(({ text }) => text)
        .join(' '),
    ).not.toContain('clm_1');
  });

  it('about persons is settled by who looked at the finished file and saw none', () => {
    const generated = { digitalSourceType: 'trainedAlgorithmicMedia' };
    const chain = dossier.chain.map((each) => ({ ...each, ...generated, rights: undefined }));
    const asked = (examinations: DossierExamination[]) =>
      answer('Is a recognizable person', { chain, examinations });
    expect(asked([]).answered).toBe(false);
    const looked = examined({ question: 'third_party_matter', matter: all('none_seen') });
    expect(asked([looked]).answered).toBe(true);
    expect(asked([{ ...looked, matter: all('not_examined') }]).answered).toBe(false);
  });
});

describe('what counsel is told of files and acts of people', () => {
  const edited = () => dossier.contributions[0];
  const correction = (kind: 'amended' | 'withdrawn', changes = {}) => ({
    ...{ id: 'cor_1', kind, correctedBy: RAVI, text: 'x', correctedAt: '2026-11-23T00:00:00.000Z' },
    ...{ actionType: undefined, basis: undefined, textErased: undefined, signature: undefined },
    ...{ signatureKey: undefined, entryIndex: 90, ...changes },
  });
  const graded = (grade: 'claimed' | 'uncertain' | 'notClaimed', act: object, corrections: object[] = []) => {
    const one = edited();
    if (one === undefined) throw new Error('the example has a contribution');
    const statement = {
      ...{ claimed: [], uncertain: [], notClaimed: [], registration: { materialExcluded: null } },
      [grade]: [
        {
          act: { contributionId: one.id, actionType: one.actionType, basis: one.basis, ...act },
          grade: grade === 'notClaimed' ? 'not_claimed' : grade,
          reason: 'x',
        },
      ],
    };
    return {
      contributions: [{ ...one, corrections }],
      authorship: { statement, promptHistory: [] },
    } as unknown as Partial<AssetDossier>;
  };
  const AUTHORS = 'Who are the human authors';
  const REGISTERED = 'Can it be registered';
  const stepsOnly = () => dossier.chain.filter(({ origin }) => origin === 'step');

  it('names as human work only what the statement claims', () => {
    const claimed = graded('claimed', { isWithdrawn: false });
    expect(answer(REGISTERED, claimed).answer).toContain('New Material Included): manual paint,');
    expect(answer(AUTHORS, claimed)).toMatchObject({
      answered: true,
      answer: expect.stringContaining('may be claimed'),
    });
    const withdrawn = graded('notClaimed', { isWithdrawn: true }, [correction('withdrawn')]);
    expect(answer(REGISTERED, withdrawn).answer).toContain('Nothing to claim is recorded.');
    expect(answer(REGISTERED, withdrawn).answer).toContain('not to be claimed: manual paint (withdrawn).');
    expect(answer(AUTHORS, withdrawn)).toMatchObject({
      answered: false,
      answer: expect.stringContaining('withdrawn; not claimed'),
    });
    expect(answer(AUTHORS, withdrawn).entryIndices).toContain(90);
    expect(answer('Which parts are AI', withdrawn).answer).toContain('Withdrawn since: manual paint of');
  });

  it('tells an act as it was amended, and what it was at first', () => {
    const basis = 'assistive_only';
    const amended = graded('notClaimed', { basis, isWithdrawn: false }, [correction('amended', { basis })]);
    const told = answer(AUTHORS, amended);
    expect(told.answered).toBe(false);
    expect(told.answer).toContain('manual paint (assistive only;');
    expect(told.answer).toContain('amended: at first it was manual paint, expressive input');
  });

  it('is not settled where a person brought a file in, and is where only steps made it', () => {
    const asked = [
      ['Which parts are AI', 'rests on the word of those who did (named tools: Krita 5.2.3)'],
      ['What inputs went in', '(edit by'],
      ['Was confidential or client data', 'is not recorded (named tools: Krita 5.2.3)'],
      ['What were the models trained on', 'is not recorded'],
      ['Was a LoRA or fine-tune used', 'is not recorded'],
      ['Does a prompt name', 'is not recorded'],
    ] as const;
    const models = dossier.models.map((model) => ({ ...model, channel: 'studio', access: 'code' as const }));
    for (const [start, words] of asked) {
      const told = answer(start, { models });
      expect([start, told.answered]).toEqual([start, false]);
      expect(told.answer).toContain(words);
    }
    const alone = { models, chain: stepsOnly(), contributions: [] };
    for (const start of ['Which parts are AI', 'What inputs went in', 'Was confidential or client data'])
      expect([start, answer(start, alone).answered]).toEqual([start, true]);
    expect(answer('Was confidential or client data', { models }).answer).not.toContain('Nothing was sent');
  });

  it('names each vendor to whom a request went, whoever made the file in the end, and none for what the sandbox played', () => {
    const SENT = 'Was confidential or client data';
    const runs = (...sent: { provider: string; listingId: string }[]) =>
      dossier.runs.map((run) => ({ ...run, sentTo: sent }));
    const own = dossier.models.map((model) => ({ ...model, channel: 'studio', access: 'code' as const }));
    const alone = { models: own, chain: stepsOnly(), contributions: [] };
    const studio = { provider: 'studio', listingId: own[0]?.listingId ?? '' };
    const stoodIn = answer(SENT, {
      ...alone,
      runs: runs({ provider: 'fal', listingId: 'failed@fal' }, studio),
    });
    expect(stoodIn.answer).toContain('went to: failed@fal through fal.');
    expect(stoodIn.answered).toBe(false);
    expect(answer(SENT, { ...alone, runs: runs(studio) })).toMatchObject({
      answered: true,
      answer: expect.stringContaining('Nothing was sent to a vendor'),
    });
    const played = stepsOnly().map((asset) => ({
      ...asset,
      ...(asset.step && { step: { ...asset.step, provider: 'sandbox' } }),
    }));
    const models = dossier.models.map((model) => ({ ...model, channel: 'elevenlabs' }));
    const test = { models, chain: played, contributions: [], runs: runs({ ...studio, provider: 'sandbox' }) };
    expect(answer(SENT, test).answer).toContain('Nothing was sent to a vendor');
    expect(answer(ALONE, test).answer).not.toContain('whoever sends the same inputs');
  });

  it('does not know of an edit whether it added a person, until somebody looked at the file', () => {
    const chain = dossier.chain.map((asset) => ({
      ...asset,
      digitalSourceType: undefined,
      rights: undefined,
    }));
    const told = answer('Is a recognizable person', { chain, examinations: undefined });
    expect(told).toMatchObject({ answered: false, answer: expect.stringContaining('added a person') });
    const matter = all('none_seen');
    const looked = { chain, examinations: [examined({ question: 'third_party_matter', matter })] };
    expect(answer('Is a recognizable person', looked).answered).toBe(true);
  });

  it('says where the manifest is, and that a part of it is broken', () => {
    const asset = { ...dossier.asset, manifestPlacement: 'sidecar' as const };
    expect(answer('Are marks applied', { asset }).answer).toContain('a file of its own beside it');
    expect(answer('Are marks applied', { asset }).answer).not.toContain('travels inside');
    const verification = { ...dossier.verification, brokenIngredient: true };
    expect(answer('Are marks applied', { verification })).toMatchObject({
      answered: false,
      answer: expect.stringContaining('from which it was made does not verify'),
    });
  });

  it('calls it approved only where it may be released', () => {
    const review = dossier.review;
    if (review === undefined) throw new Error('the example was reviewed');
    const objection = { ...review, decision: 'request_changes' as const, reviewer: RAVI };
    const approval = { ...review, reviewer: { principalId: 'prn_2', displayName: 'Ben' } };
    const changes = {
      reviews: [objection, approval],
      release: undefined,
      recall: undefined,
      approvalsNeeded: 2 as const,
    };
    expect(answer('Who approved it', changes)).toMatchObject({
      answered: false,
      answer: expect.stringContaining('It is not approved: a wish for changes stands.'),
    });
    const missing = { ...changes, reviews: [approval] };
    expect(answer('Who approved it', missing).answer).toContain('approvals are missing');
    const both = { ...changes, reviews: [approval, { ...review, reviewer: RAVI }] };
    expect(answer('Who approved it', both).answered).toBe(true);
  });
});
