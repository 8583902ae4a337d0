import { type Clock } from '../../shared/clock.js';
import { sha256Hex } from '../../shared/bytes.js';
import { storedManifests, type StoredManifest } from '../domain/jumbf.js';
import { type ClaimFinding, type SignerFinding, type TimeStampFinding } from '../domain/signature-finding.js';
import { type TrustList } from '../domain/trust-list.js';
import { readClaimSignature, signatureHolds, type ClaimSignatureParts } from './cose-reading.js';
import { TrustJudge } from './trust-judge.js';

/** Of a hostile number of manifests the last ones are looked at: the active one, and what lies nearest to it. */
const MAX_CLAIMS = 64;

export interface SignatureFindings {
  readonly signer: SignerFinding | undefined;
  readonly timeStamp: TimeStampFinding | undefined;
  readonly claims: readonly ClaimFinding[];
}

/** Everything that the signatures in a manifest store say, by our own reading of them. */
export class SignatureReading {
  private readonly judge: TrustJudge;

  constructor(lists: readonly TrustList[], clock: Clock) {
    this.judge = new TrustJudge(lists, clock);
  }

  async read(store: Buffer): Promise<SignatureFindings> {
    const manifests = storedManifests(store).slice(-MAX_CLAIMS);
    const readings = [];
    for (const manifest of manifests) readings.push(await this.one(manifest));
    const active = readings.at(-1);
    return {
      signer: active?.signer,
      timeStamp: active?.timeStamp,
      claims: readings.flatMap(({ finding }) => finding ?? []),
    };
  }

  private async one({ manifestLabel, claim, signature }: StoredManifest): Promise<{
    signer?: SignerFinding | undefined;
    timeStamp?: TimeStampFinding;
    finding?: ClaimFinding;
  }> {
    if (claim === undefined) return {};
    const claimSha256 = sha256Hex(claim);
    const parts = signature && readClaimSignature(signature);
    if (parts === undefined) {
      const nobody = { certificateSha256: undefined, trustedBy: undefined, isOurCertificate: false };
      return { finding: { manifestLabel, claimSha256, signatureHolds: false, ...nobody } };
    }
    return this.signed(manifestLabel, claimSha256, claim, parts);
  }

  private async signed(
    manifestLabel: string,
    claimSha256: string,
    claim: Buffer,
    parts: ClaimSignatureParts,
  ): Promise<{ signer: SignerFinding | undefined; timeStamp: TimeStampFinding; finding: ClaimFinding }> {
    const timeStamp = await this.judge.timeStamp(parts, claim);
    const trustedTime =
      timeStamp.status === 'trusted' && timeStamp.at !== undefined ? new Date(timeStamp.at) : undefined;
    const found = await this.judge.signer(parts, trustedTime);
    const holds = signatureHolds(parts, claim);
    const signer =
      found === undefined || holds
        ? found
        : { ...found, list: undefined, notTrustedBecause: 'its signature does not hold' };
    const finding = {
      manifestLabel,
      claimSha256,
      signatureHolds: holds,
      certificateSha256: signer?.certificateSha256,
      trustedBy: signer?.list?.name,
      isOurCertificate: signer?.isOurs ?? false,
      ...(trustedTime && { trustedTime: trustedTime.toISOString() }),
    };
    return { signer, timeStamp, finding };
  }
}
