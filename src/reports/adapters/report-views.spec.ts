import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { OpenedPdf } from '../../../test/support/opened-pdf.js';
import { pdfaFaults } from '../../../test/support/pdfa-rules.js';
import { seedListings } from '../../licenses/registry/seed.js';
import { ATTACKS, DANGEROUS } from '../../provenance/testing/attack-strings.js';
import { campaignGaps, type CampaignReport } from '../domain/campaign.js';
import { type ModelFile, modelGaps } from '../domain/model-file.js';
import { CAMPAIGN_TYPE, MODEL_FILE_TYPE } from '../domain/report-kinds.js';
import { type ReportSigner } from '../domain/report-signature.js';
import { verifyReportPdf } from '../verify/pdf/verify-report-pdf.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type SignedDocument } from './pdf/document-pdf.js';
import { ReportSigning } from '../verify/testing/report-signing.js';
import { campaignViews } from './campaign-views.js';
import { modelFileViews } from './model-file-views.js';

const TEXTS = [
  ...ATTACKS,
  '=cmd|calc!A1',
  '+1',
  '-1',
  '@SUM(A1)',
  '\t=1',
  '\uff1d1',
  '日本語の題名と漢字',
  'مرحبا بالعالم',
];
const AT = '2026-11-22T10:00:00.000Z';

async function signedFacts(signer: ReportSigner, report: object, type: string): Promise<SignedDocument> {
  const json = canonicalJson(JSON.parse(JSON.stringify(report)) as JsonValue);
  return { json, jws: await signer.signJson(json, type), place: signer.pdfPlace('test') };
}

function campaign(): CampaignReport {
  const facts: Omit<CampaignReport, 'gaps'> = {
    v: 1,
    reportId: 'rep_1',
    createdAt: AT,
    product: { name: 'Colophon', version: '0.1.0' },
    organization: { id: 'org_1', name: TEXTS.join(' ') },
    project: { id: 'prj_1', name: TEXTS[4] ?? '' },
    useCase: TEXTS[0],
    span: {},
    assets: TEXTS.map((title, i) => ({
      id: `ast_${i}`,
      title,
      mediaType: 'image/png',
      mode: 'live',
      sha256: 'ab'.repeat(32),
      createdAt: AT,
      state: 'released',
      obligationsKnown: true,
    })),
    intermediateAssets: 3,
    matrix: TEXTS.map((text, i) => ({
      assetId: `ast_${i}`,
      market: text.slice(0, 300),
      kind: 'label',
      source: 'law',
      applies: i % 2 === 0 ? 'yes' : 'may_apply',
      state: 'open',
      blocking: true,
      obligationId: `obl_${i}`,
      text,
      notVerified: text.slice(0, 200),
    })),
    expiries: [{ on: '2020-01-01', what: 'waiver', text: TEXTS[5] ?? '', subject: 'wvr_1', isPast: true }],
    indemnity: [{ listingId: 'a@b', result: 'lost', runs: 2, lostBecause: ['output-modified'], open: [] }],
    models: [{ listingId: 'a@b', steps: 3, shareBasisPoints: 10_000, settledMicroUsd: '1500000' }],
    costs: {
      settledMicroUsd: '1500000',
      openMicroUsd: '0',
      settledSteps: 3,
      openSteps: 0,
      basis: { metered: 3 },
    },
    waivers: [
      {
        id: 'wvr_1',
        about: TEXTS[6] ?? '',
        reason: TEXTS[3] ?? '',
        approvedAt: AT,
        expiresAt: AT,
        isOpen: true,
      },
    ],
    claims: TEXTS.slice(0, 2).map((kind, i) => ({
      id: `clm_${i}`,
      assetId: 'ast_0',
      kind,
      receivedOn: '2026-11-01',
      respondBy: '2026-12-01',
      recordedAt: AT,
      state: i === 0 ? 'open' : 'closed',
    })),
    changes: {
      since: { reportId: 'rep_0', createdAt: AT },
      items: [{ at: AT, text: TEXTS[10] ?? '', subject: 'x' }],
    },
  };
  return { ...facts, gaps: campaignGaps(facts) };
}

function modelFile(): ModelFile {
  const listing = seedListings().all[0]?.listing;
  if (listing === undefined) throw new Error('the registry is empty');
  const hostile = { ...listing, name: TEXTS[0] ?? '', vendor: TEXTS[4] ?? '' };
  const facts: Omit<ModelFile, 'gaps'> = {
    v: 1,
    reportId: 'rep_2',
    createdAt: AT,
    product: { name: 'Colophon', version: '0.1.0' },
    organization: { id: 'org_1', name: 'Lindholm' },
    listing: {
      ...hostile,
      terms: hostile.terms.map((term, i) => ({ ...term, paraphrase: TEXTS[i % TEXTS.length] ?? '' })),
    },
    listingSha256: 'cd'.repeat(32),
    versions: [],
    texts: [],
    corrections: [{ id: 'cur_1', at: AT, fact: 'license', correction: TEXTS[1], evidence: null }],
    use: {
      decisions: { allow: 1, review: 0, deny: 2 },
      steps: 1,
      projects: 1,
      firstUsedAt: AT,
      lastUsedAt: AT,
      settledMicroUsd: '0',
    },
    waivers: TEXTS.slice(0, 3).map((comment, i) => ({
      id: `wvr_${i}`,
      clearanceId: i === 0 ? null : `clr_${i}`,
      findings: [
        { ruleId: 'commercial-outputs', listingId: i === 2 ? 'other@elsewhere' : listing.id },
        ...(i === 1 ? [{ ruleId: 'indemnity', listingId: null }] : []),
      ],
      concernsModel: i !== 2,
      project: { id: 'prj_1', name: TEXTS[3] ?? '' },
      useCase: TEXTS[5] ?? '',
      runs: i === 0 ? null : i,
      reason: 'LEGAL_OPINION',
      comment: i === 1 ? undefined : comment,
      commentErased: i === 1 ? { erasedAt: AT, reason: 'data_subject_request' } : undefined,
      requestedBy: { principalId: 'prn_1', displayName: TEXTS[6] },
      approvedBy: { principalId: 'prn_2', displayName: i === 1 ? undefined : 'Ada Counsel' },
      approvedAt: AT,
      expiresAt: '2027-11-22T10:00:00.000Z',
      isOpen: i !== 1,
      endedBecause: i === 1 ? 'license-text' : null,
      endedAt: i === 1 ? AT : null,
      entryIndex: 40 + i,
    })),
  };
  return { ...facts, gaps: modelGaps(facts) };
}

/** By a reader of CSV that is not ours. */
function csvRows(bytes: Buffer): string[][] {
  const program =
    'import csv,json,sys,io;csv.field_size_limit(10**9);print(json.dumps(list(csv.reader(io.StringIO(sys.stdin.buffer.read().decode("utf-8-sig"),newline="")))))';
  return JSON.parse(
    execFileSync('python3', ['-c', program], { input: bytes, maxBuffer: 1e9 }).toString(),
  ) as string[][];
}

describe('what strangers write', () => {
  it('is text in the campaign report: no formula in the table, no action in the document', async () => {
    const report = campaign();
    const rows = csvRows(campaignViews.csv(report));
    expect(rows.length).toBe(TEXTS.length + 1);
    for (const row of rows) expect(row.length).toBe(rows[0]?.length);
    for (const cell of rows.flat()) expect(cell).not.toMatch(/^[=+\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20]/);
    // A quote in front of formulas, and nothing else is altered.
    const titles = rows.slice(1).map((row) => row[1] ?? '');
    expect(titles.map((title, i) => title === TEXTS[i] || title === `'${TEXTS[i]}`)).toEqual(
      TEXTS.map(() => true),
    );
    const signing = await ReportSigning.create(new Date(AT));
    const signer = await signing.signer();
    const signed = await signedFacts(signer, report, CAMPAIGN_TYPE);
    const { bytes } = await signer.signPdf(await campaignViews.pdf(report, signed, () => Promise.resolve()));
    const verified = await verifyReportPdf(bytes, { reportAnchorsPem: signing.anchorsPem });
    expect(verified).toMatchObject({ verdict: 'valid', findings: [] });
    expect(pdfaFaults(bytes)).toEqual([]);
    const pdf = new OpenedPdf(bytes);
    expect(pdf.text()).not.toMatch(DANGEROUS);
    expect(pdf.raw).not.toMatch(/\/(JavaScript|JS|Launch|URI|OpenAction)\b/);
    expect(pdf.text().replaceAll(/\s/g, '')).toContain('<script>alert(document.domain)</script>');
    expect(pdf.raw).toContain('<pdfaid:conformance>A</pdfaid:conformance>');
    expect(pdf.raw).not.toMatch(/Helvetica/);
  });

  it('is text in the file on a model', async () => {
    const file = modelFile();
    for (const cell of csvRows(modelFileViews.csv(file)).flat()) expect(cell).not.toMatch(/^[=+\-@\t\r\n]/);
    const signing = await ReportSigning.create(new Date(AT));
    const signer = await signing.signer();
    const signed = await signedFacts(signer, file, MODEL_FILE_TYPE);
    const { bytes } = await signer.signPdf(await modelFileViews.pdf(file, signed, () => Promise.resolve()));
    const verified = await verifyReportPdf(bytes, { reportAnchorsPem: signing.anchorsPem });
    expect(verified).toMatchObject({ verdict: 'valid', findings: [] });
    expect(pdfaFaults(bytes)).toEqual([]);
    const pdf = new OpenedPdf(bytes);
    expect(pdf.text()).not.toMatch(DANGEROUS);
    expect(pdf.raw).not.toMatch(/\/(JavaScript|JS|Launch|URI|OpenAction)\b/);
    const words = pdf.text().replaceAll(/\s/g, '');
    for (const said of [
      'AdaCounsel',
      'Legalopinion',
      '1runbeganunderthedecision',
      'Erasedon22November2026',
      'Nothingofthismodel',
      'thetextofalicensechanged',
    ])
      expect(words).toContain(said);
  });

  it('keeps test files, charged failures and people apart in the campaign report', async () => {
    const base = campaign();
    const [live, test] = base.assets;
    if (live === undefined || test === undefined) throw new Error('the example has no files');
    const report: CampaignReport = {
      ...base,
      assets: [
        { ...live, title: 'A live file' },
        { ...test, title: 'A rehearsal', mode: 'test' },
      ],
      matrix: base.matrix.map((cell, i) => ({
        ...cell,
        assetId: i === 0 ? live.id : test.id,
        text: `duty ${i}.`,
      })),
      chargedFailures: [{ listingId: 'f@b', steps: 1, settledMicroUsd: '250000' }],
      testWork: [{ listingId: 't@b', steps: 4, settledMicroUsd: '0' }],
      peopleSteps: { steps: 1, settledMicroUsd: '0' },
    };
    const signer = await (await ReportSigning.create(new Date(AT))).signer();
    const signed = { json: Buffer.from('{}'), jws: Buffer.from('e30'), place: signer.pdfPlace('test') };
    const pdf = new OpenedPdf(await campaignViews.pdf(report, signed, () => Promise.resolve()));
    const words = pdf.text().replaceAll(/\s/g, '');
    expect(words).toContain('1.Alivefile');
    expect(words).toContain('Testfiles');
    expect(words).toContain('Arehearsal');
    // What would be owed for a rehearsal is in the table for machines alone.
    expect([words.includes('duty0.'), words.includes('duty1.')]).toEqual([true, false]);
    expect(campaignViews.csv(report).toString()).toContain('duty 1.');
    for (const said of ['Chargedfailures', '1choiceorapproval', '1livefile,1testfile'])
      expect(words).toContain(said);
    const gaps = campaignGaps(report).map(({ text }) => text);
    expect(gaps).toContain('1 obligation of released files is open.');
    expect(gaps).toContain('1 file was made with a test key, without AI; see "Test files".');
  });
});

describe('gaps', () => {
  it('of a campaign name what is open, unknown and excepted', () => {
    const words = campaign().gaps.map(({ severity, text }) => `${severity}: ${text}`);
    expect(words).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^open: \d+ obligations of released files are open/),
        'open: 1 claim is not closed; see "Claims and notices".',
        'open: 1 right or exception has ended; see "Expiries".',
        'open: The indemnity of 1 model is lost in at least one run.',
        expect.stringMatching(/^unknown: \d+ obligations may apply/),
        'note: 1 exception is in force.',
      ]),
    );
  });

  it('of a model never take silence for a yes', () => {
    const file = modelFile();
    const { trainingData } = file.listing;
    const { source, verified, summary } = trainingData;
    const gaps = modelGaps({
      ...file,
      listing: {
        ...file.listing,
        trainingData: { source, verified, summary, disclosure: 'unknown' },
        indemnity: { ...file.listing.indemnity, offered: 'unknown' },
        license: {
          ...file.listing.license,
          textSha256: null,
          status: 'unverified',
          statusReason: 'nobody read it',
        },
      },
    });
    expect(gaps.filter(({ severity }) => severity === 'unknown').length).toBeGreaterThanOrEqual(6);
  });
});
