import { type Clock } from '../../shared/clock.js';
import { sha256Hex } from '../../shared/bytes.js';
import { mapInOrder } from '../../shared/map-in-order.js';
import { storedManifests, type StoredManifest } from '../domain/jumbf.js';
import { type ClaimFinding, type SignerFinding, type TimeStampFinding } from '../domain/signature-finding.js';
import { type TrustList } from '../domain/trust-list.js';
import { readClaimSignature, signatureHolds, type ClaimSignatureParts } from './cose-reading.js';
import { TrustJudge } from './trust-judge.js';

/** Of a hostile number of manifests the last ones are looked at: the active one, and what lies nearest to it. */
const MAX_CLAIMS = 64;

const DISAGREEMENT = {
  list: undefined,
  notTrustedBecause: 'its certificate can be read in two ways',
} as const;

export interface SignatureFindings {
  readonly signer: SignerFinding | undefined;
  readonly timeStamp: TimeStampFinding | undefined;
  readonly claims: readonly ClaimFinding[];
}

/** The signatures of a store, before it is known which of its manifests counts. */
export interface ReadSignatures {
  /** Of every manifest in the store. */
  readonly labels: readonly string[];
  readonly readings: readonly Reading[];
}

interface Reading {
  readonly signer?: SignerFinding | undefined;
  readonly timeStamp?: TimeStampFinding;
  readonly finding?: Omit<ClaimFinding, 'isActive'>;
}

/** Everything that the signatures in a manifest store say, by our own reading of them. */
export class SignatureReading {
  private readonly judge: TrustJudge;

  constructor(lists: readonly TrustList[], clock: Clock) {
    this.judge = new TrustJudge(lists, clock);
  }

  async read(store: Buffer): Promise<ReadSignatures> {
    const manifests = storedManifests(store);
    const readings = await mapInOrder(manifests.slice(-MAX_CLAIMS), (manifest) => this.one(manifest));
    return { labels: manifests.map(({ manifestLabel }) => manifestLabel), readings };
  }

  private async one({ manifestLabel, claim, signature }: StoredManifest): Promise<Reading> {
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
  ): Promise<Reading> {
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

/**
 * @param active the manifest that the library found to be the file's own, and the serial number of the certificate
 *   that it found there. Of a store that reads differently for us, nothing is taken: a manifest of a good name could
 *   be put where one of us looks, and another one where the other looks.
 */
export function findingsFor(
  { labels, readings }: ReadSignatures,
  active: { readonly label: string | undefined; readonly serialNumber: string | undefined },
): SignatureFindings {
  const isUnique = labels.filter((label) => label === active.label).length === 1;
  const isActive = ({ finding }: Reading): boolean => isUnique && finding?.manifestLabel === active.label;
  const found = readings.find(isActive);
  const agrees = active.serialNumber === undefined || found?.signer?.serialNumber === active.serialNumber;
  return {
    signer: found?.signer && !agrees ? { ...found.signer, ...DISAGREEMENT } : found?.signer,
    timeStamp: found?.timeStamp,
    claims: readings.flatMap((reading) =>
      reading.finding === undefined ? [] : { ...reading.finding, isActive: isActive(reading) },
    ),
  };
}
