import { type LogKeys } from '../../audit/application/log-keys.port.js';
import { openOwnCheckpoint } from '../../audit/application/own-checkpoint.js';
import { type ReadLog } from '../../audit/application/read-log.js';
import { parseEntry } from '../../audit/core/entry.js';
import { leafHash } from '../../audit/core/merkle.js';
import { verifyInclusion } from '../../audit/core/merkle-proof.js';
import { parseTlogProof } from '../../audit/core/tlog-proof.js';
import { TlogError } from '../../audit/core/tlog-error.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import {
  type ManifestReceipt,
  PROOF_ALGORITHM,
  RECEIPT_CONTEXT,
  RECEIPT_TYPE,
  type SuppliedReceipt,
} from '../domain/manifest-receipt.js';
import { type RecoverableManifest, type RecoverableManifests } from './recoverable-manifests.js';

/** A fresh entry is in a published checkpoint within a second or two. */
const PUBLISHED_TIMEOUT_MS = 5_000;

/** Receipts for manifests, anchored in the log of their organization. */
export class ManifestReceipts {
  constructor(
    private readonly manifests: RecoverableManifests,
    private readonly readLog: ReadLog,
    private readonly keys: LogKeys,
  ) {}

  /**
   * @param baseUrl under which this service is reached, without a trailing slash
   * @throws ColophonError `not_found`; `audit_unavailable` while no published checkpoint covers the entry
   */
  async of(manifestId: string, principal: Principal | undefined, baseUrl: string): Promise<ManifestReceipt> {
    const { organizationId, asset } = await this.manifests.find(manifestId, principal);
    const { entries } = await this.readLog.waitUntilPublished(
      organizationId,
      [asset.entryId],
      PUBLISHED_TIMEOUT_MS,
    );
    const [entry] = entries;
    if (entry?.index === undefined) throw new ColophonError('internal', 'A published entry has no index.');
    const proof = await this.readLog.proof(organizationId, entry.index);
    const { origin } = await this.keys.ofLog(organizationId);
    return {
      '@context': RECEIPT_CONTEXT,
      '@type': RECEIPT_TYPE,
      repository: { uri: `${baseUrl}/sbr`, manifestId },
      anchor: {
        uri: `${baseUrl}/logs/${publicId('organization', organizationId)}`,
        proof: { alg: PROOF_ALGORITHM, value: proof.toString('base64') },
        parameters: {
          origin,
          index: entry.index,
          entry: entry.entry.toString('base64'),
          manifestSha256: asset.manifestSha256,
          assetSha256: asset.sha256,
        },
      },
      verified: true,
    };
  }

  /**
   * Whether a receipt that somebody holds proves that this log recorded this manifest.
   * @returns the reason why not, as one sentence; `undefined` when it does
   * @throws ColophonError `not_found` when there is no such manifest for the asker
   */
  async faultOf(
    manifestId: string,
    principal: Principal | undefined,
    receipt: SuppliedReceipt,
  ): Promise<string | undefined> {
    const found = await this.manifests.find(manifestId, principal);
    if (receipt.repository.manifestId !== manifestId) return 'The receipt is for another manifest.';
    if (receipt.anchor.proof.alg !== PROOF_ALGORITHM) return 'The proof is of a kind that is not made here.';
    return this.proofFault(found, receipt);
  }

  private async proofFault(
    { organizationId, asset }: RecoverableManifest,
    { anchor }: SuppliedReceipt,
  ): Promise<string | undefined> {
    const entry = Buffer.from(anchor.parameters.entry, 'base64');
    try {
      const { type, data } = parseEntry(entry).entry;
      const named = data as { manifestLabel?: unknown; manifestSha256?: unknown };
      if (type !== 'asset.signed' || named.manifestLabel !== asset.manifestLabel)
        return 'The entry is not the one that records this manifest.';
      if (named.manifestSha256 !== asset.manifestSha256) return 'The entry records other bytes.';
      const proof = parseTlogProof(Buffer.from(anchor.proof.value, 'base64'));
      const { checkpoint } = openOwnCheckpoint(proof.checkpoint, await this.keys.ofLog(organizationId));
      const { size, root } = checkpoint;
      verifyInclusion({ index: proof.index, size, leafHash: leafHash(entry), root }, proof.hashes);
      return undefined;
    } catch (error) {
      if (error instanceof TlogError) return 'The proof does not show that the entry is in the log.';
      throw error;
    }
  }
}
