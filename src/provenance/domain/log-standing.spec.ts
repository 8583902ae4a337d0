import { describe, expect, it } from '@jest/globals';
import { type LogKnowledge, logStanding, type LogPlace } from './log-standing.js';
import { type MediaVerification } from './media-verifier.port.js';
import { type ClaimFinding } from './signature-finding.js';

const PLACE: LogPlace = {
  origin: 'example/logs/org_1',
  entryIndex: 7,
  isTest: false,
  recordedAt: '2026-11-01T00:00:00.000Z',
  checkpoint: { treeSize: 9, signedAt: '2026-11-01T00:00:10.000Z' },
};
const NOTHING: LogKnowledge = { file: undefined, claims: new Map(), labels: new Set(), namesOurLog: false };

function claim(finding: Partial<ClaimFinding> = {}): ClaimFinding {
  return {
    manifestLabel: 'urn:c2pa:1',
    isActive: true,
    claimSha256: 'aa',
    signatureHolds: true,
    certificateSha256: 'cc',
    trustedBy: undefined,
    isOurCertificate: false,
    ...finding,
  };
}

function file(
  claims: ClaimFinding[],
  verdict: MediaVerification['verdict'] = 'intact',
  claimGenerator = 'Camera 1.0',
): MediaVerification {
  const marked = claims.map((each, i) => ({ ...each, isActive: i === claims.length - 1 }));
  return { verdict, claims: marked, chain: { claimGenerator } } as unknown as MediaVerification;
}

const ours = claim({ isOurCertificate: true, trustedBy: 'this installation' });
const known = (...sha256s: string[]): Pick<LogKnowledge, 'claims'> => ({
  claims: new Map(sha256s.map((sha256) => [sha256, PLACE])),
});

describe('what our log says about a file', () => {
  it('that it holds exactly this file', () => {
    const standing = logStanding(file([ours]), { ...NOTHING, ...known('aa'), file: PLACE });
    expect(standing).toMatchObject({ status: 'in_log', place: PLACE, misusedKey: undefined });
  });

  it('that a file which was saved again is changed, and no forgery', () => {
    for (const verdict of ['broken', 'intact_and_trusted'] as const) {
      expect(logStanding(file([ours], verdict), { ...NOTHING, ...known('aa') })).toMatchObject({
        status: 'changed',
        place: PLACE,
        misusedKey: undefined,
      });
    }
  });

  it('that a manifest of ours with a damaged claim is changed: the label is still known', () => {
    const damaged = claim({ claimSha256: 'ff', signatureHolds: false, isOurCertificate: true });
    const standing = logStanding(file([damaged], 'broken'), { ...NOTHING, labels: new Set(['urn:c2pa:1']) });
    expect(standing).toMatchObject({ status: 'changed', place: undefined, misusedKey: undefined });
  });

  it('that a stranger who copies the label of a manifest of ours forges, broken or not', () => {
    const labels = new Set(['urn:c2pa:1']);
    const signed = claim({ claimSha256: 'ff' });
    const unsigned = claim({ claimSha256: 'ff', signatureHolds: false });
    for (const copied of [file([signed]), file([signed], 'broken'), file([unsigned], 'broken')])
      expect(logStanding(copied, { ...NOTHING, labels })).toMatchObject({
        status: 'forged',
        place: undefined,
        misusedKey: undefined,
      });
  });

  it('nothing of a manifest that only has the name of ours: it may be damaged, it is not called ours', () => {
    const unread = claim({ claimSha256: 'ff', signatureHolds: false, certificateSha256: undefined });
    const standing = logStanding(file([unread], 'broken'), { ...NOTHING, labels: new Set(['urn:c2pa:1']) });
    expect(standing).toMatchObject({ status: 'changed', place: undefined });
    expect(standing.text).not.toContain('This installation signed the manifest');
  });

  it('that a signature by our key which it does not know is a forgery and a misused key', () => {
    for (const verdict of ['intact_and_trusted', 'broken'] as const) {
      const standing = logStanding(file([ours], verdict), NOTHING);
      expect(standing).toMatchObject({ status: 'forged', misusedKey: { claimSha256: 'aa' } });
      expect(standing.text).toContain('tell the operator');
    }
  });

  it('the same when it lies among what another file was made from', () => {
    const other = claim({ manifestLabel: 'urn:c2pa:2', claimSha256: 'bb' });
    expect(logStanding(file([ours, other]), NOTHING)).toMatchObject({
      status: 'forged',
      misusedKey: { claimSha256: 'aa' },
    });
  });

  it('the same when our certificate has ended since', () => {
    const late = claim({ isOurCertificate: true });
    expect(logStanding(file([late]), NOTHING).misusedKey).toMatchObject({ claimSha256: 'aa' });
  });

  it('that our certificate under a signature that does not hold is a forgery, but our key is safe', () => {
    const pasted = claim({ isOurCertificate: true, signatureHolds: false });
    expect(logStanding(file([pasted], 'broken'), NOTHING)).toMatchObject({
      status: 'forged',
      misusedKey: undefined,
    });
  });

  it('that a stranger who names our log as his record forges', () => {
    expect(logStanding(file([claim()]), { ...NOTHING, namesOurLog: true }).status).toBe('forged');
  });

  it('that another installation of this product is another installation', () => {
    expect(logStanding(file([claim()], 'intact', 'Colophon 0.1.0'), NOTHING).status).toBe(
      'other_installation',
    );
  });

  it('nothing by an older manifest, when the manifest of the file itself cannot be read', () => {
    const older = { ...ours, isActive: false };
    const unread = { verdict: 'intact', claims: [older], chain: {} } as unknown as MediaVerification;
    expect(logStanding(unread, { ...NOTHING, ...known('aa') })).toMatchObject({
      status: 'unknown',
      place: undefined,
    });
  });

  it('that it knows a part of the history of a file that it does not know', () => {
    const newer = claim({ manifestLabel: 'urn:c2pa:2', claimSha256: 'bb' });
    const standing = logStanding(file([ours, newer]), { ...NOTHING, ...known('aa') });
    expect(standing).toMatchObject({
      status: 'unknown',
      history: [{ manifestLabel: 'urn:c2pa:1', place: PLACE }],
    });
    expect(logStanding(file([]), NOTHING)).toMatchObject({ status: 'unknown', history: [] });
  });
});
