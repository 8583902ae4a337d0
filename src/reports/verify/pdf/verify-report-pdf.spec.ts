import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import PDFDocument from 'pdfkit';
import { effort } from '../../../../test/support/effort.js';
import { FakeAuthority } from '../../../../test/fakes/time-stamp-authority/fake-authority.js';
import { Rfc3161Authority } from '../../../audit/adapters/rfc3161-authority.js';
import { type SignatureTimeStamping } from '../../../provenance/domain/time-stamping.port.js';
import { systemClock } from '../../../shared/clock.js';
import { signDetached } from '../../adapters/signing/cms-signature.js';
import { contentDigestOf } from '../../adapters/signing/cms-form.js';
import { digestOutsideGap, fillGap } from '../../adapters/signing/pdf-signature.js';
import { renderDossierPdf } from '../../adapters/dossier-pdf.js';
import { renderDossierJson } from '../../adapters/dossier-json.js';
import { CAMPAIGN_TYPE } from '../../domain/report-kinds.js';
import { type Anchoring, TestWitnesses } from '../testing/anchoring.js';
import { EvidenceWorkshop } from '../testing/evidence-workshop.js';
import { ReportSigning } from '../testing/report-signing.js';
import { type DossierToSign, inserted, replaced, signedDossierPdf } from '../testing/signed-pdf.js';
import { NotAReport, type ReportVerification, type VerifyReportOptions } from './report-verification.js';
import { verifyReportPdf } from './verify-report-pdf.js';

const AT = new Date('2026-11-22T10:00:00Z');
/** Each is a whole verification. */
const FLIPS = effort(250, 20_000);
const witnesses = new TestWitnesses(3, 2);
let workshop: EvidenceWorkshop;
let authority: FakeAuthority;
let made: DossierToSign;
let pdf: Buffer;

beforeAll(async () => {
  authority = await FakeAuthority.start();
  workshop = await EvidenceWorkshop.create();
  made = await workshop.build();
  pdf = await signed();
});
afterAll(async () => {
  await authority.stop();
  await workshop.close();
});

type Changes = Parameters<typeof signedDossierPdf>[2];
const signed = async (changes: Changes = {}, from: DossierToSign = made): Promise<Buffer> =>
  signedDossierPdf(from, await workshop.reportSigning.signer(), changes);
const verify = (bytes: Buffer, options: VerifyReportOptions = {}): Promise<ReportVerification> =>
  verifyReportPdf(bytes, { reportAnchorsPem: workshop.reportSigning.anchorsPem, ...options });
const texts = ({ statements, notProved, findings }: ReportVerification): string =>
  [...statements, ...findings].map(({ text }) => text).join('\n') + notProved.join('\n');

function stamping(): SignatureTimeStamping {
  const outbound = { allowedPrivateHosts: [authority.hostPort] };
  const trust = { rootsPem: authority.rootsPem };
  const client = new Rfc3161Authority({ url: authority.url, trust, clock: systemClock, outbound });
  return { policy: 'required', authority: client };
}

const anchoring = (cosigners: number): Anchoring => ({
  policy: witnesses.policy,
  cosigners: witnesses.signers(cosigners),
  stamp: async (text) => {
    const answer = await stamping().authority.stamp(text);
    if (answer.outcome !== 'stamped') throw new Error(answer.reason);
    return [{ authority: authority.hostPort, token: Buffer.from(answer.token) }];
  },
  rootsPem: authority.rootsPem,
});

describe('a dossier in PDF by itself', () => {
  it('is valid under the authority for reports, and says whose signature it is and of what', async () => {
    const result = await verify(pdf);
    expect(result.findings).toEqual([]);
    expect(result).toMatchObject({
      verdict: 'valid',
      subject: {
        kind: 'asset',
        reportId: made.dossier.reportId,
        signedAt: AT.toISOString(),
        asset: { id: made.dossier.asset.id, sha256: made.dossier.asset.sha256, released: true },
      },
    });
    expect(texts(result)).toContain('All 20 entries were in the log, unchanged');
    expect(texts(result)).toContain('its signature carries no time-stamp');
    expect(texts(result)).not.toMatch(/bundle/);
  });

  it('is valid by the key of the log, which names the report key, and proves nothing without either', async () => {
    const none = { reportAnchorsPem: undefined };
    expect(await verify(pdf, { ...none, expectedVkey: workshop.log.vkey })).toMatchObject({
      verdict: 'valid',
    });
    expect((await verify(pdf, none)).verdict).toBe('unproved');
    const other = await EvidenceWorkshop.create();
    expect((await verify(pdf, { ...none, expectedVkey: other.log.vkey })).verdict).toBe('invalid');
    await other.close();
    const stranger = await ReportSigning.create(AT);
    expect((await verify(pdf, { reportAnchorsPem: stranger.anchorsPem })).verdict).toBe('invalid');
  });

  it('made by a stranger with the right log and the same names is never valid', async () => {
    const stranger = await ReportSigning.create(AT);
    const forged = await signedDossierPdf(made, await stranger.signer());
    const byLog = { reportAnchorsPem: undefined, expectedVkey: workshop.log.vkey };
    expect((await verify(forged, byLog)).verdict).toBe('unproved');
    expect((await verify(forged)).verdict).toBe('invalid');
  });

  it.each(['es384', 'ps256', 'ed25519'] as const)('holds when it is signed with %s', async (algorithm) => {
    const signing = await ReportSigning.create(AT, algorithm);
    const bytes = await signedDossierPdf(made, await signing.signer());
    expect((await verify(bytes, { reportAnchorsPem: signing.anchorsPem })).findings).toEqual([]);
  });

  it('out of a bundle, without evidence, rests on the authority for reports alone', async () => {
    const bare = await signed({}, { ...made, evidence: undefined });
    const result = await verify(bare, { expectedVkey: workshop.log.vkey });
    expect(result.verdict).toBe('valid');
    expect(texts(result)).toContain('comes out of an evidence bundle');
    expect(texts(result)).toContain('were not used');
    const byLog = { reportAnchorsPem: undefined, expectedVkey: workshop.log.vkey };
    expect((await verify(bare, byLog)).verdict).toBe('unproved');
  });

  it('says that a release was taken back', async () => {
    const recalled = await workshop.build(undefined, 0, true);
    const result = await verify(await signed({}, recalled));
    expect(result).toMatchObject({ verdict: 'valid', subject: { asset: { released: false } } });
    expect(texts(result)).toContain('it must not be used any more');
  });
});

describe('the time of a report', () => {
  /** Made now, because the authority has no other clock. */
  let signing: ReportSigning;
  let today: DossierToSign;
  const now = new Date();
  beforeAll(async () => {
    signing = await ReportSigning.create(now);
    today = { ...made, dossier: { ...made.dossier, createdAt: now.toISOString() } };
  });
  const judged = (bytes: Buffer, timeStampRootsPem?: string): Promise<ReportVerification> =>
    verify(bytes, { reportAnchorsPem: signing.anchorsPem, timeStampRootsPem });

  it('is that of the time-stamp, by roots that the reader gave', async () => {
    const stamped = await signedDossierPdf(today, await signing.signer(stamping()));
    const known = await judged(stamped, authority.rootsPem);
    expect(known).toMatchObject({ verdict: 'valid', timeStamps: [{ outcome: 'proved', roots: 'reader' }] });
    const without = await judged(stamped);
    expect(without).toMatchObject({
      verdict: 'valid',
      timeStamps: [{ outcome: 'not_proved', roots: 'none' }],
    });
    const stranger = await FakeAuthority.start();
    const unknown = await judged(stamped, stranger.rootsPem);
    expect(unknown).toMatchObject({ verdict: 'valid', timeStamps: [{ outcome: 'not_proved' }] });
    await stranger.stop();
  });

  it('is not that of a time-stamp over another signature', async () => {
    const { authority: client } = stamping();
    const signer = await signing.signer({
      policy: 'required',
      authority: { ...client, stamp: () => client.stamp(Buffer.from('another signature')) },
    });
    const result = await judged(await signedDossierPdf(today, signer));
    expect(result.verdict).toBe('invalid');
    expect(texts(result)).toContain('about other bytes');
  });

  it('is within that of the certificate, and no later than the time-stamp', async () => {
    const late = new Date(now.getTime() + 50 * 365 * 86_400_000);
    const place = { signedAt: late };
    const expired = await judged(await signedDossierPdf(today, await signing.signer(), { place }));
    expect(texts(expired)).toContain('was not valid when the report was made');
    const tomorrow = { place: { signedAt: new Date(now.getTime() + 86_400_000) } };
    const postdated = await signedDossierPdf(today, await signing.signer(stamping()), tomorrow);
    const result = await judged(postdated, authority.rootsPem);
    expect(texts(result)).toContain('names a later time than its time-stamp');
    expect(result.verdict).toBe('invalid');
  });
});

describe('a dossier of a log that others have seen', () => {
  it('tells witnesses and time-stamps as its bundle does', async () => {
    const anchored = await workshop.build(anchoring(3));
    const bytes = await signed({}, anchored);
    const known = { policy: witnesses.policy, timeStampRootsPem: authority.rootsPem };
    const result = await verify(bytes, known);
    expect(result.findings).toEqual([]);
    expect(result).toMatchObject({
      verdict: 'valid',
      witnessing: [
        { source: 'bundle', policyMet: true },
        { source: 'reader', policyMet: true },
      ],
      timeStamps: [{ path: 'time-stamp-1.tst', outcome: 'proved', roots: 'reader' }],
    });
    expect((await verify(bytes)).findings).toEqual([]);
    const [stamp] = anchored.dossier.log.timeStamps;
    if (stamp === undefined) throw new Error('a time-stamp was expected');
    const timeStamps = [{ ...stamp, at: '2020-01-01T00:00:00.000Z' }];
    const dossier = { ...anchored.dossier, log: { ...anchored.dossier.log, timeStamps } };
    const lied = await verify(await signed({}, { ...anchored, dossier }));
    expect(texts(lied)).toContain('does not say of time-stamp-1.tst what the token says');
  });
});

describe('a changed report', () => {
  const at = (text: string, from = pdf): number => from.indexOf(text, 0, 'latin1');
  const flipped = (place: number, bit = 1): Buffer => {
    const changed = Buffer.from(pdf);
    changed[place] = (changed[place] ?? 0) ^ bit;
    return changed;
  };
  const gap = (): { start: number; end: number } => {
    const start = at('/Contents <3') + '/Contents <'.length;
    return { start, end: pdf.indexOf('>', start, 'latin1') };
  };
  /** What a PDF editor writes to show another page. */
  const update = (object: string): Buffer => {
    const table = Number(/startxref\n(\d+)/.exec(pdf.toString('latin1', pdf.length - 64))?.[1]);
    const place = pdf.length;
    const next = `${object}\nxref\n10 1\n${String(place).padStart(10, '0')} 00000 n \n`;
    const end = `trailer\n<<\n/Size 900\n/Root 3 0 R\n/Prev ${table}\n>>\nstartxref\n${place + object.length + 1}\n%%EOF\n`;
    return Buffer.concat([pdf, Buffer.from(next + end, 'latin1')]);
  };

  it.each<[string, () => Buffer | Promise<Buffer>]>([
    ['a byte of a page', () => flipped(Math.floor(gap().start / 2))],
    ['a byte of an attachment', () => flipped(at('stream\n') + 40)],
    ['a byte after the signature', () => flipped(at('/Reason (') + 12)],
    ['the signing time', () => replaced(pdf, '/M (D:2026', '/M (D:2025')],
    ['a byte appended', () => Buffer.concat([pdf, Buffer.from('\n')])],
    ['another end appended', () => Buffer.concat([pdf, Buffer.from('startxref\n15\n%%EOF\n')])],
    ['the end cut off', () => pdf.subarray(0, pdf.length - 1)],
    ['half of it', () => pdf.subarray(0, Math.floor(pdf.length * 0.8))],
    ['an update that shows other pages', () => update('10 0 obj\n<<\n/Type /Page\n>>\nendobj')],
    [
      'an update with a second signature',
      () => update('10 0 obj\n<<\n/Type /Sig\n/ByteRange [0 1 2 3]\n/Contents <00>\n>>\nendobj'),
    ],
    [
      'the signature in capital letters',
      () => {
        const { start, end } = gap();
        const upper = Buffer.from(pdf);
        upper.write(pdf.toString('latin1', start, end).toUpperCase(), start, 'latin1');
        return upper;
      },
    ],
    ['something in the room after the signature', () => flipped(gap().end - 1)],
    [
      'a comment in the signature',
      () => {
        const changed = Buffer.from(pdf);
        changed.write('>%', gap().end - 2, 'latin1');
        return changed;
      },
    ],
    [
      'the signature of another dossier',
      async () => {
        const other = await signed({ place: { signedAt: new Date('2026-11-22T10:00:01Z') } });
        const { start, end } = gap();
        const from = at('/Contents <3', other) + '/Contents <'.length;
        const changed = Buffer.from(pdf);
        other.copy(changed, start, from, from + end - start);
        return changed;
      },
    ],
    [
      'no signature',
      () => {
        const { start, end } = gap();
        return Buffer.from(pdf).fill('0', start, end);
      },
    ],
    [
      'a range that leaves a gap',
      () => {
        const [, range = ''] = /\/ByteRange (\[[^\]]*\])/.exec(pdf.toString('latin1')) ?? [];
        const [, a, b, c] = range.slice(1, -1).trim().split(/ +/).map(Number);
        const less = `[0 ${(a ?? 0) - 9} ${b} ${c}`.padEnd(range.length - 1);
        return replaced(pdf, range, `${less}]`);
      },
    ],
    ['another header', () => replaced(pdf, '%PDF-1.7', '%PDF-1.8')],
    ['a table of references as a stream', () => replaced(pdf, '\nxref\n0 ', '\nxrex\n0 ')],
    ['bytes between two objects', () => inserted(pdf, at('\n13 0 obj') + 1, '% hidden\n')],
  ])('is invalid: %s', async (_, change) => {
    const result = await verify(await change(), { expectedVkey: workshop.log.vkey });
    expect(result.verdict).toBe('invalid');
    expect(result.findings).not.toEqual([]);
  });

  it('is refused although the report key signed it, when it is not of our form', async () => {
    const forms: ((laidOut: Buffer) => Buffer)[] = [
      (form) => inserted(form, form.indexOf('\n13 0 obj') + 1, '% hidden\n'),
      (form) => inserted(form, form.indexOf('\n13 0 obj') + 1, '13 0 obj\n<<\n>>\nendobj\n'),
      (form) => replaced(form, '/Reason (Rep', '/ByteRange [0'.padEnd(12).slice(0, 12)),
      (form) => replaced(form, '/Filter /Adobe.PPKLite', '/Filter /Adobe.PPKLate'),
      (form) =>
        replaced(
          form,
          '/AFRelationship /Data\n/F (dossier.json)',
          '/AFRelationship /Data\n/F (dossier.jws )',
        ),
      (form) => replaced(form, '/SigFlags 3', '/JavaScript'),
      (form) => {
        const [size = ''] = /\/Size \d+/.exec(form.toString('latin1')) ?? [];
        return replaced(form, size, size.slice(0, -1) + String((Number(size.at(-1)) + 1) % 10));
      },
    ];
    for (const laidOut of forms) {
      const change = async () => verify(await signed({ laidOut }));
      const verdict = await change().then(
        (result) => result.verdict,
        (error: unknown) => error,
      );
      expect([laidOut.toString(), verdict === 'valid']).toEqual([laidOut.toString(), false]);
    }
  });

  it('is invalid when its range leaves a gap, even if the report key signed so', async () => {
    const { key } = workshop.reportSigning;
    const { start, end } = gap();
    const range = `/ByteRange [0 ${start - 1} ${end + 11} ${pdf.length - end - 11}`;
    const [, old = ''] = /(\/ByteRange \[[^\]]*)\]/.exec(pdf.toString('latin1')) ?? [];
    const laidOut = replaced(pdf, old, range.padEnd(old.length));
    const left = { pdf: laidOut, start, end: end + 10 };
    const contentDigest = digestOutsideGap(left, contentDigestOf(key.algorithm));
    const cms = await signDetached({ key, contentDigest, stamp: () => Promise.resolve(undefined) });
    const result = await verify(fillGap({ pdf: laidOut, start, end }, cms));
    expect(texts(result)).toContain('not over every byte of the file but itself');
    expect(result.verdict).toBe('invalid');
  });

  it('is invalid when facts and file are not of one report or one key', async () => {
    const another = await ReportSigning.create(AT);
    const facts = renderDossierJson({ ...made.dossier, reportId: 'rep_other' });
    const cases: [Changes, string][] = [
      [{ facts }, 'another file than dossier.json'],
      [{ type: CAMPAIGN_TYPE }, 'another kind of document'],
      [{ factsSigner: await another.signer() }, 'The signature of the PDF does not hold'],
    ];
    for (const [changes, words] of cases) {
      const result = await verify(await signed(changes));
      expect(result.verdict).toBe('invalid');
      expect(texts(result)).toContain(words);
    }
  });

  it('is invalid when what the key signed is not what the log recorded', async () => {
    const { dossier, evidence } = made;
    if (evidence === undefined) throw new Error('evidence expected');
    const lacks = { ...evidence, entries: evidence.entries.slice(0, -1) };
    const result = await verify(await signed({}, { ...made, evidence: lacks }));
    expect(texts(result)).toContain('is not in this report as the dossier lists it');
    const review = dossier.review && { ...dossier.review, decision: 'reject' as const };
    const wrong = { ...dossier, review };
    expect((await verify(await signed({}, { ...made, dossier: wrong }))).verdict).toBe('invalid');
  });

  it('is never valid, and never crashes, with a flipped bit anywhere in or around the signature', async () => {
    const { start, end } = gap();
    const from = start - 120;
    const to = end + 200;
    const step = Math.max(1, Math.floor((to - from) / FLIPS));
    for (let place = from; place < to; place += step) {
      const outcome = await verify(flipped(place, 1 << (place % 7)), {
        expectedVkey: workshop.log.vkey,
      }).then(
        ({ verdict }) => verdict,
        (error: unknown) => (error instanceof NotAReport ? 'unusable' : error),
      );
      expect([place, outcome === 'invalid' || outcome === 'unusable']).toEqual([place, true]);
    }
  }, 900_000);
});

/** One object, and the end that makes it a file whose objects are read. */
function tabled(start: Buffer): Buffer {
  const table = `xref\n0 2\n0000000000 65535 f \n0000000015 00000 n \ntrailer\n<<\n/Size 2\n/Root 1 0 R\n/Info 1 0 R\n/ID []\n>>\n`;
  return Buffer.concat([start, Buffer.from(`${table}startxref\n${start.length}\n%%EOF\n`)]);
}

describe('a PDF that is no report of ours', () => {
  it('is not judged', async () => {
    const unsigned = await renderDossierPdf(made);
    const foreign = await new Promise<Buffer>((resolve) => {
      const doc = new PDFDocument({ pdfVersion: '1.7' });
      const chunks: Buffer[] = [];
      doc.on('data', (chunk: Buffer) => chunks.push(chunk));
      doc.on('end', () => resolve(Buffer.concat(chunks)));
      doc.file(Buffer.from('{}'), { name: 'dossier.json' });
      doc.end();
    });
    const nested = Buffer.from(`%PDF-1.7\n%\xff\xff\xff\xff\n1 0 obj\n${'['.repeat(100_000)}`, 'latin1');
    const long = Buffer.from(
      `%PDF-1.7\n%\xff\xff\xff\xff\n1 0 obj\n(${'\\\\'.repeat(2_000_000)})\nendobj\n`,
      'latin1',
    );
    for (const bytes of [
      unsigned,
      foreign,
      tabled(nested),
      tabled(long),
      Buffer.from('%PDF-1.4\n'),
      Buffer.alloc(0),
    ])
      await expect(verify(bytes)).rejects.toThrow(/not a report that Colophon made and signed/);
  });
});
