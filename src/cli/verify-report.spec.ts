import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TestWitnesses } from '../reports/verify/testing/anchoring.js';
import { EvidenceWorkshop } from '../reports/verify/testing/evidence-workshop.js';
import { signedDossierPdf } from '../reports/verify/testing/signed-pdf.js';
import { verify } from './verify.js';

let workshop: EvidenceWorkshop;
let pdf: Buffer;
let pdfPath: string;
let anchorsPath: string;
let output: string;

beforeAll(async () => {
  workshop = await EvidenceWorkshop.create();
  pdf = await signedDossierPdf(await workshop.build(), await workshop.reportSigning.signer());
  pdfPath = await workshop.signing.write(pdf);
  anchorsPath = await workshop.signing.write(Buffer.from(workshop.reportSigning.anchorsPem));
});
afterAll(() => workshop.close());
beforeEach(() => {
  output = '';
  jest.spyOn(console, 'log').mockImplementation((text: string) => void (output += `${text}\n`));
});
afterEach(() => {
  jest.restoreAllMocks();
});

const run = (...argv: string[]): Promise<number> => verify(argv, { COLOPHON_HOME: '/nonexistent' });

describe('colophon verify with a report in PDF', () => {
  it('answers 0 when its report key is proved, and says who signed it and what that does not prove', async () => {
    expect(await run(pdfPath, '--report-trust', anchorsPath)).toBe(0);
    expect(output).toMatch(/^VALID /);
    expect(output).toMatch(/report {3}rep_\S+ \(dossier\)/);
    expect(output).toContain('CN=Colophon report signer');
    expect(output).toContain('whose certificate leads to an authority that you gave');
    expect(output).toContain('pages are not compared');
    output = '';
    expect(await run(pdfPath, '--vkey', workshop.log.vkey)).toBe(0);
    expect(output).toContain('which the log that you know names as its own');
  });

  it('answers 2 with the word unproved when nobody vouches for it', async () => {
    expect(await run(pdfPath)).toBe(2);
    expect(output).toMatch(/^UNPROVED /);
    expect(output).toContain('--report-trust');
  });

  it('answers 1 to a changed one', async () => {
    const longer = await workshop.signing.write(Buffer.concat([pdf, Buffer.from('%%EOF\n')]));
    expect(await run(longer, '--report-trust', anchorsPath)).toBe(1);
    expect(output).toMatch(/✗ NO .*\n[^]*Findings/);
  });

  it('says in the headline that the witnesses asked for have not seen the log', async () => {
    const policy = await workshop.signing.write(Buffer.from(new TestWitnesses(2, 2).policyText));
    expect(await run(pdfPath, '--report-trust', anchorsPath, '--policy', policy)).toBe(0);
    expect(output).toContain('BUT THE WITNESS POLICY YOU GAVE IS NOT MET');
  });

  it('prints the same as JSON', async () => {
    expect(await run(pdfPath, '--json', '--report-trust', anchorsPath)).toBe(0);
    expect(JSON.parse(output)).toMatchObject({
      kind: 'report',
      verdict: 'valid',
      subject: { kind: 'asset', asset: { released: true } },
      findings: [],
    });
  });

  it('answers 2 to options that say nothing about a report', async () => {
    for (const option of [
      ['--trust', anchorsPath],
      ['--older-format'],
      ['--manifest', pdfPath],
      ['--csv', 'result.csv'],
    ]) {
      output = '';
      expect(await run(pdfPath, ...option)).toBe(2);
      expect(output).toMatch(/^UNUSABLE/);
    }
  });
});
