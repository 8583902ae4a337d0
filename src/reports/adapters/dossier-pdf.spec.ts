import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OpenedPdf } from '../../../test/support/opened-pdf.js';
import { pdfaFaults } from '../../../test/support/pdfa-rules.js';
import { type AssetDossier, type DossierPicture } from '../domain/dossier.js';
import { formatWitnessPolicy, policyForLog, witnessKeyName } from '../../audit/core/witness-policy.js';
import { TestWitnesses } from '../verify/testing/anchoring.js';
import { EvidenceWorkshop } from '../verify/testing/evidence-workshop.js';
import { renderDossierJson } from './dossier-json.js';
import { renderDossierPdf } from './dossier-pdf.js';

let workshop: EvidenceWorkshop;
let dossier: AssetDossier;
let pictures: DossierPicture[];

beforeAll(async () => {
  workshop = await EvidenceWorkshop.create();
  ({ dossier, pictures } = await workshop.build());
});

afterAll(() => workshop.close());

async function printed(changes: Partial<AssetDossier> = {}): Promise<OpenedPdf> {
  return new OpenedPdf(await renderDossierPdf({ dossier: { ...dossier, ...changes }, pictures }));
}

/** Text regardless of where its lines were broken. */
/** Without the footers, which stand in the middle of what goes over two pages. */
function unbroken(text: string): string {
  return text.replaceAll(/\s+/g, '').replaceAll(/ast_[0-9a-f]{32}[^_]{1,40}Page\d+of\d+/g, '');
}

describe('the dossier as a PDF', () => {
  it('declares PDF/A-3a, a language, a title and a structure, and embeds its fonts', async () => {
    const { raw } = await printed();
    expect(raw.startsWith('%PDF-1.7')).toBe(true);
    expect(raw).toContain('<pdfaid:part>3</pdfaid:part>');
    expect(raw).toContain('<pdfaid:conformance>A</pdfaid:conformance>');
    expect(raw).toContain('/Lang (en-US)');
    expect(raw).toContain(`Asset dossier ${dossier.asset.id}`);
    for (const key of [
      '/StructTreeRoot',
      '/MarkInfo',
      '/OutputIntents',
      '/S /Table',
      '/S /Figure',
      '/FontFile2',
    ]) {
      expect(raw).toContain(key);
    }
    expect(raw).not.toMatch(/Helvetica|\/JavaScript|\/Launch|\/URI/);
  });

  it('keeps the clauses of PDF/A-3 level A that can be checked without a validator', async () => {
    expect(pdfaFaults(await renderDossierPdf({ dossier, pictures }))).toEqual([]);
    const noPictures = { ...dossier, contributions: [], obligations: undefined };
    expect(pdfaFaults(await renderDossierPdf({ dossier: noPictures, pictures: [] }))).toEqual([]);
  });

  it('is found out by these clauses when it breaks one of them', async () => {
    const good = await renderDossierPdf({ dossier, pictures });
    // Of one length, so that every offset in the file still holds.
    const breaks: [string, string, string][] = [
      ['/AFRelationship /Data', '/AFRelationshix /Data', '6.8'],
      ['<pdfaid:part>3<', '<pdfaid:part>2<', '6.6.4'],
      ['/Lang (en-US)', '/Lxng (en-US)', '6.7.4'],
      ['/S /GTS_PDFA1', '/S /GTS_PDFX1', '6.2.3'],
      ['/ToUnicode', '/ToUnicodx', '6.2.11.7.2'],
      ['/FontFile2', '/FontFilx2', '6.2.11.4.1'],
      ['/Marked true', '/Marked null', '6.7.1'],
      ['/S /Table', '/S /Tablx', '6.7.3'],
      ['Asset dossier ast', 'Asset dossiex ast', '6.6.3'],
    ];
    for (const [from, to, clause] of breaks) {
      const at = good.indexOf(from, 0, 'latin1');
      const broken = Buffer.from(good);
      broken.write(to, at, 'latin1');
      const faults = pdfaFaults(broken);
      expect([from, at > 0, faults.some((fault) => fault.startsWith(clause))]).toEqual([from, true, true]);
    }
  });

  it('carries dossier.json, as data, with the very bytes of the bundle', async () => {
    const pdf = await printed();
    expect(pdf.raw).toContain('/AFRelationship /Data');
    expect(pdf.attachment()?.equals(renderDossierJson(dossier))).toBe(true);
  });

  it('says what it is, then what is missing, then everything else', async () => {
    const text = unbroken((await printed()).text());
    const order = [
      'Teapot,final',
      'Gapsandunknowns',
      'Questionsthatcounselasks',
      'Howitwasmade',
      'Modelsandlicenses',
    ];
    const places = order.map((heading) => text.indexOf(heading));
    expect(places).not.toContain(-1);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
    expect(text).toContain('notlegaladvice');
    expect(text).toContain('Promptsalonedonotmake');
  });

  it('shows every hash, id, statement and decision whole', async () => {
    const text = unbroken((await printed()).text());
    const { chain, runs, contributions, log, models } = dossier;
    const facts = [
      ...chain.flatMap(({ id, sha256, originalSha256, claimSha256 }) => [
        id,
        sha256,
        originalSha256,
        claimSha256,
      ]),
      ...runs.flatMap(({ id, prompt, clearance }) => [
        id,
        prompt,
        clearance.termsSha256,
        clearance.inputSha256,
      ]),
      ...contributions.flatMap(({ statement, beforeSha256, afterSha256 }) => [
        statement,
        beforeSha256,
        afterSha256,
      ]),
      ...models.flatMap(({ license, changedSince }) => [license.name, license.textSha256, ...changedSince]),
      ...[
        log.origin,
        log.rootHash,
        log.checkpointNote,
        'Ravi Iyer',
        'npx --no-install colophon verify',
        'sha256sum',
        'c2patool',
      ],
    ];
    for (const fact of facts) if (fact !== undefined) expect(text).toContain(unbroken(fact));
  });

  it('shows who has seen the log and who has not, and every time-stamp', async () => {
    const witnesses = new TestWitnesses(3, 2);
    const witnessing = {
      policy: formatWitnessPolicy(policyForLog(witnesses.policy, dossier.log.vkey)),
      isMet: true,
      witnesses: witnesses.policy.witnesses.map((witness, i) => ({
        name: witness.name,
        key: witnessKeyName(witness),
        cosignedAt: i === 2 ? undefined : '2026-11-22T10:00:05.000Z',
      })),
    };
    const stamp = { authority: 'Example TSA', at: '2026-11-22T10:00:09.000Z', tokenSha256: 'ab'.repeat(32) };
    const log = { ...dossier.log, witnessing, timeStamps: [stamp] };
    const text = unbroken((await printed({ log })).text());
    for (const words of [
      'Enough witnesses have seen this same log.',
      'Needed: at least 2 of (w1, w2, w3). The policy is met.',
      ...witnessing.witnesses.map(({ key }) => key),
      '2026-11-22 10:00:05 UTC',
      'has not cosigned',
      'Example TSA',
      stamp.tokenSha256,
    ])
      expect(text).toContain(unbroken(words));
    const unmet = { ...log, witnessing: { ...witnessing, isMet: false }, timeStamps: [] };
    const without = unbroken((await printed({ log: { ...unmet, timeStampsExpected: true } })).text());
    expect(without).toContain(unbroken('The witness policy is not met'));
    expect(without).toContain(unbroken('No time-stamp over this tree head had come'));
    expect(unbroken((await printed()).text())).toContain(unbroken('Nobody outside has seen this log'));
  });

  it('shows what is owed, open things first, what was not verified, and each proof', async () => {
    const { obligations } = dossier;
    if (obligations === undefined) throw new Error('obligations expected');
    const text = unbroken((await printed()).text());
    const section = text.slice(text.indexOf(unbroken('An obligation is open until it is proved')));
    for (const { id, obligation } of obligations.items) {
      expect(section).toContain(id);
      expect(section).toContain(unbroken(obligation.text));
      if (obligation.notVerified !== null) expect(section).toContain(unbroken(obligation.notVerified));
    }
    const proved = obligations.items.find(({ state }) => state === 'done');
    const open = obligations.items.filter(({ state }) => state === 'open');
    expect(open.length).toBeGreaterThan(3);
    expect(Math.max(...open.map(({ id }) => section.indexOf(id)))).toBeLessThan(
      section.indexOf(proved?.id ?? '?'),
    );
    for (const words of [
      'Done, says Ravi Iyer',
      'in the lower left corner of the poster',
      'Where: https://example.com/poster',
      'Date not verified',
      'Find out: ',
      'Proved in part by this program',
      obligations.calendarSha256,
    ])
      expect(section).toContain(unbroken(words));
    expect(text).toContain(unbroken('This is no legal advice'));
    expect((await printed({ obligations: undefined })).text()).toContain('it is older than that');
  });

  it('numbers its pages', async () => {
    const pdf = await printed();
    const text = pdf.text();
    for (let page = 1; page <= pdf.pageCount; page++)
      expect(text).toContain(`Page ${page} of ${pdf.pageCount}`);
  });

  it('has the same bytes for the same facts', async () => {
    const first = await renderDossierPdf({ dossier, pictures });
    expect((await renderDossierPdf({ dossier, pictures })).equals(first)).toBe(true);
  });

  it('does not call an unreviewed, a rejected or a test asset fit for publication', async () => {
    const review = dossier.review && { ...dossier.review, decision: 'reject' as const };
    const cases: [Partial<AssetDossier>, string][] = [
      [{ review: undefined, release: undefined }, 'mustnotbepublishedyet'],
      [{ review, release: undefined }, 'wasrejectedinreview'],
      [{ asset: { ...dossier.asset, mode: 'test' } }, 'notforpublication'],
    ];
    for (const [changes, words] of cases) expect(unbroken((await printed(changes)).text())).toContain(words);
  });

  it('does not call it approved while an objection stands or an approval is missing', async () => {
    const { review } = dossier;
    if (review === undefined) throw new Error('the example was reviewed');
    const objection = { ...review, decision: 'request_changes' as const };
    const approval = { ...review, reviewer: { principalId: 'prn_2', displayName: 'Second Reviewer' } };
    const open = { release: undefined, recall: undefined, approvalsNeeded: 2 as const };
    const objected = unbroken(
      (await printed({ ...open, reviews: [objection, approval], review: approval })).text(),
    );
    expect(objected).toContain('CHANGESASKEDFOR');
    expect(objected).not.toContain('APPROVED');
    const alone = unbroken((await printed({ ...open, reviews: [approval], review: approval })).text());
    expect(alone).toContain('stilllacksoneapprovalofthetwothatitneeds');
    const both = [approval, { ...review, decision: 'approve' as const }];
    expect(unbroken((await printed({ ...open, reviews: both, review })).text())).toContain('APPROVED');
  });

  it('says so when names and texts were erased, nobody contributed and no picture is left', async () => {
    const erased = { principalId: 'prn_1', displayName: undefined };
    const promptErased = { erasedAt: '2026-11-22T10:00:00.000Z', reason: 'court_order' };
    const commentErased = { erasedAt: undefined, reason: undefined };
    const runs = dossier.runs.map((run) => ({ ...run, prompt: undefined, promptErased }));
    const review = dossier.review && { ...dossier.review, comment: undefined, commentErased };
    const people = { createdBy: erased, review, contributions: [] };
    const changed = { ...dossier, ...people, runs, models: [], gaps: [] };
    const text = new OpenedPdf(await renderDossierPdf({ dossier: changed, pictures: [] })).text();
    for (const words of [
      'no picture',
      'Erased on 22 November 2026, 10:00 UTC: court order',
      'Sealed, erased; no erasure is recorded',
      'No human contribution',
    ])
      expect(text).toContain(words);
    expect(unbroken(text)).toContain('whosenamewaserased(prn_1)');
  });
});

describe('texts of strangers', () => {
  it('come out as text, whatever they hold', async () => {
    const attacks = [
      '<script>alert(1)</script><img src=x onerror=alert(1)>',
      '=HYPERLINK("https://example.com")',
      '{{7*7}} ${process.env} ) Tj ET (',
      'invoice\u202egnp.exe',
      '\u6f22\u5b57 \u{1f469}\u200d\u{1f467} \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627',
      `Z${'\u0316'.repeat(500)}algo \u0000\u0007`,
    ];
    const run = dossier.runs[0];
    if (!run) throw new Error('a run expected');
    for (const attack of attacks) {
      const contributor = { principalId: 'prn_1', displayName: attack };
      const contributions = dossier.contributions.map((item) => ({
        ...item,
        statement: attack,
        contributor,
      }));
      const asset = { ...dossier.asset, title: attack };
      const obligations = dossier.obligations && {
        ...dossier.obligations,
        items: dossier.obligations.items.map((item) => ({
          ...item,
          proofs: item.proofs.map((proof) => ({
            ...proof,
            text: attack,
            url: attack,
            provedBy: contributor,
          })),
        })),
      };
      const pdf = await printed({ asset, obligations, contributions, runs: [{ ...run, prompt: attack }] });
      expect(pdf.text()).not.toMatch(/[\u202a-\u202e\u2066-\u2069]|[^\P{Cc}\n]/u);
      expect(pdf.text()).toContain('What this report does not prove');
    }
  });

  it('that have no form in UTF-8 are refused, because they cannot be hashed', async () => {
    const asset = { ...dossier.asset, title: 'half \ud800 pair' };
    await expect(renderDossierPdf({ dossier: { ...dossier, asset }, pictures })).rejects.toThrow(TypeError);
  });

  it('are shown by a visible sign where the fonts have none, and the report says so', async () => {
    const gaps = [{ severity: 'note' as const, text: 'left\u202eright \u6f22' }];
    const text = (await printed({ gaps })).text();
    expect(text).toContain('left[U+202E]right \ufffd');
    expect(unbroken(text)).toContain('cannotprint');
  });

  it('of 10,000 characters are printed to the last one, over as many pages as it takes', async () => {
    // A letter that no heading has: those of a table stand on each of its pages.
    const letters = (pdf: OpenedPdf): number => pdf.text().split('Þ').length;
    const gap = (text: string): Partial<AssetDossier> => ({ gaps: [{ severity: 'open', text }] });
    const [long, short] = [
      await printed(gap(`${'Þ'.repeat(10_000)}. THE END`)),
      await printed(gap('. THE END')),
    ];
    expect(letters(long) - letters(short)).toBe(10_000);
    expect(long.text()).toContain('. THE END');
    expect(long.pageCount).toBeGreaterThan(short.pageCount);
  });

  it('do not break it: 20 files and 30 contributions', async () => {
    const first = dossier.chain[0];
    const act = dossier.contributions[0];
    if (!first || !act) throw new Error('a chain and a contribution expected');
    const chain = Array.from({ length: 20 }, (_, i) => ({
      ...first,
      id: `ast_${i}`,
      parents: i === 0 ? [] : [{ assetId: `ast_${i - 1}`, relationship: 'parentOf' }],
    }));
    const contributions = Array.from({ length: 30 }, () => act);
    expect((await printed({ chain, contributions })).text()).toContain('ast_19');
  });
});
