import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { canonicalJson } from '../../shared/canonical-json.js';
import { renderDossierJson } from '../adapters/dossier-json.js';
import { writeEvidenceBundle } from '../adapters/evidence-bundle.js';
import { BUNDLE_PATHS, type BundleIndex } from '../domain/bundle-format.js';
import { type AssetDossier, type BundleEvidence } from '../domain/dossier.js';
import { BUNDLE_TYPE, DOSSIER_TYPE } from '../domain/report-kinds.js';
import {
  type BundleVerification,
  type VerifyBundleOptions,
  type VerifyMedia,
} from './bundle-verification.js';
import { EvidenceWorkshop } from './testing/evidence-workshop.js';
import { type BundleFiles, repack } from './testing/repack.js';
import { ReportSigning } from './testing/report-signing.js';
import { runVerifyBundle } from './verify-bundle.js';

let workshop: EvidenceWorkshop;
let dossier: AssetDossier;
let evidence: BundleEvidence;
let verifyMedia: VerifyMedia;
let bundlePath: string;

beforeAll(async () => {
  workshop = await EvidenceWorkshop.create();
  ({ dossier, evidence } = await workshop.build());
  verifyMedia = workshop.mediaVerifier();
  bundlePath = workshop.signing.newPath();
  const documents = await workshop.documents(dossier);
  await writeEvidenceBundle({ dossier, ...documents, evidence, destinationPath: bundlePath });
});

afterAll(() => workshop.close());

/** As a reader who has the key of the log from elsewhere. */
function known(): VerifyBundleOptions {
  return { verifyMedia, expectedVkey: workshop.log.vkey };
}

function texts({ findings }: BundleVerification): string {
  return findings.map(({ path, text }) => `${path ?? ''}: ${text}`).join('\n');
}

describe('who made a bundle', () => {
  const options = (more: Partial<VerifyBundleOptions>): VerifyBundleOptions => ({ verifyMedia, ...more });
  const forged = async (change: (files: BundleFiles) => void | Promise<void>): Promise<string> => {
    const path = workshop.signing.newPath();
    await repack(bundlePath, path, change);
    return path;
  };
  /** The list of contents that a forger writes who takes away what an older format does not have. */
  const withVersion = (files: BundleFiles, v: number): void => {
    files.delete(BUNDLE_PATHS.signedIndex);
    const index = JSON.parse(files.get(BUNDLE_PATHS.index)?.toString() ?? '') as BundleIndex;
    const left = index.files.filter(({ path }) => files.has(path));
    files.set(BUNDLE_PATHS.index, canonicalJson({ ...index, v, files: left } as never));
  };

  it('is not proved without a key or authority from elsewhere: nothing is wrong, and it is not valid', async () => {
    const result = await runVerifyBundle(bundlePath, { verifyMedia });
    expect([result.verdict, texts(result)]).toEqual(['unproved', '']);
    expect(result.notProved[0]).toContain('Who signed the report is not proved');
    const { anchorsPem } = workshop.reportSigning;
    expect((await runVerifyBundle(bundlePath, options({ reportAnchorsPem: anchorsPem }))).verdict).toBe(
      'valid',
    );
    const other = (await ReportSigning.create(new Date(dossier.createdAt))).anchorsPem;
    expect((await runVerifyBundle(bundlePath, { ...known(), reportAnchorsPem: other })).verdict).toBe(
      'invalid',
    );
  });

  it('is not proved by an authority with the same names that a forger made, with the right key of the log', async () => {
    const stranger = await ReportSigning.create(new Date(dossier.createdAt));
    const signer = await stranger.signer();
    const softened = { ...dossier, gaps: [], organization: { ...dossier.organization, name: 'Another' } };
    const path = workshop.signing.newPath();
    await writeEvidenceBundle({
      dossier: softened,
      dossierPdf: Buffer.from('%PDF-1.4 any other text'),
      dossierJws: await signer.signJson(renderDossierJson(softened), DOSSIER_TYPE),
      signIndex: (index) => signer.signJson(index, BUNDLE_TYPE),
      evidence: { ...evidence, reportAnchorsPem: stranger.anchorsPem },
      destinationPath: path,
    });
    const result = await runVerifyBundle(path, known());
    expect(result.verdict).toBe('unproved');
    expect(result.notProved[0]).toContain('no entry of the log in this file names the key');
  });

  it('covers the PDF and every other file', async () => {
    const paths: string[] = [
      ...[BUNDLE_PATHS.dossierPdf, BUNDLE_PATHS.instructions, BUNDLE_PATHS.verifierPage],
      ...[BUNDLE_PATHS.certification, BUNDLE_PATHS.reportAnchors, BUNDLE_PATHS.identityAnchors],
    ];
    for (const path of paths) {
      const altered = await forged((files) => {
        files.set(path, Buffer.concat([files.get(path) ?? Buffer.alloc(0), Buffer.from('\n')]));
      });
      expect([path, (await runVerifyBundle(altered, known())).verdict]).toEqual([path, 'invalid']);
    }
  });

  it('is not asked less of a bundle that says it has an older format, unless the reader says so', async () => {
    for (const v of [2, 4]) {
      const older = await forged((files) => {
        files.set(BUNDLE_PATHS.dossierPdf, Buffer.from('%PDF-1.4 any other text'));
        const { verifierPage, certification, dossierJws, reportAnchors } = BUNDLE_PATHS;
        if (v === 2)
          for (const path of [verifierPage, certification, dossierJws, reportAnchors]) files.delete(path);
        withVersion(files, v);
      });
      const result = await runVerifyBundle(older, known());
      expect([v, result.verdict, texts(result)]).toEqual([v, 'unproved', '']);
      expect(result.notProved[0]).toContain(v === 2 ? 'is unsigned' : 'only dossier.json is signed');
      const accepted = await runVerifyBundle(older, { ...known(), acceptOlderFormat: true });
      expect([v, accepted.verdict]).toEqual([v, 'valid']);
      const unknown = await runVerifyBundle(older, options({ acceptOlderFormat: true }));
      expect([v, unknown.verdict]).toEqual([v, 'unproved']);
    }
  });

  it('is somebody else where the log says that the key was given up', async () => {
    const other = await EvidenceWorkshop.create();
    const { certificateSha256 } = (await other.reportSigning.signer()).identity;
    other.log.append({
      type: 'report_key.compromised',
      at: dossier.createdAt,
      actor: { kind: 'system', id: 'system' },
      subject: { kind: 'signing_key', id: certificateSha256 },
      data: { certificateSha256, reason: 'key_compromise', assets: 0 },
    });
    const made = await other.build();
    const destinationPath = other.signing.newPath();
    await writeEvidenceBundle({ ...made, ...(await other.documents(made.dossier)), destinationPath });
    const result = await runVerifyBundle(destinationPath, {
      verifyMedia: other.mediaVerifier(),
      expectedVkey: other.log.vkey,
    });
    expect(texts(result)).toContain('was given up');
    await other.close();
  });
});
