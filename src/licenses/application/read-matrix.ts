import { type Tx } from '../../database/organization-tx.js';
import { sha256Hex } from '../../shared/bytes.js';
import { ColophonError } from '../../shared/errors.js';
import { decisiveSha256 } from '../domain/decisive-facts.js';
import { isEngineVersion } from '../domain/engine-version.js';
import { type ListingIndex } from '../domain/listing-index.js';
import { type ListingId } from '../domain/listing.js';
import { type MatrixInput, matrixResultSha256 } from '../domain/matrix.js';
import { archivedIndex } from './archived-listings.js';
import { type AskPolicies } from './ask-policies.js';
import { answerAll, askPoliciesOfAll, type DecidedMatrix } from './decide-matrix.js';
import { type EffectiveRegistry } from './effective-registry.js';

export interface ReadMatrix extends DecidedMatrix {
  readonly createdBy: string;
  /** Whether the answers, made once more from what is stored, are those that were recorded; null for other rules. */
  readonly same: boolean | null;
  /** Listings of which something that can decide is not as it was. */
  readonly changedListings: readonly ListingId[];
}

interface MatrixRow {
  input: Buffer;
  result_sha256: string;
  created_by: string;
  created_at: Date;
}

/**
 * A recorded matrix with its answers, made once more from the stored question and the listings as they were. By rules of
 * another release there are no answers: they are repeated by the release that has them.
 * @throws ColophonError `not_found`
 */
export async function readMatrix(
  tx: Tx,
  id: string,
  registry: EffectiveRegistry,
  asker: AskPolicies,
): Promise<ReadMatrix> {
  const [row] = await tx.query<MatrixRow>(
    `SELECT input, result_sha256, created_by, created_at FROM clearance_matrix
      WHERE organization_id = $1 AND id = $2`,
    [tx.organizationId, id],
  );
  if (!row) throw new ColophonError('not_found', 'There is no clearance matrix with this id.');
  // Written by this program, and never changed: the database refuses it.
  const input = JSON.parse(row.input.toString('utf8')) as MatrixInput;
  const listings = await archivedIndex(tx, input);
  const { engineVersion, policies } = input;
  const rules = isEngineVersion(engineVersion) ? engineVersion : undefined;
  const isOurs = rules !== undefined && (policies === undefined || asker.canRepeat(policies));
  const licensed = isOurs ? await answerAll(input, listings, rules) : [];
  const cells = await askPoliciesOfAll(tx, asker, licensed, listings, policies);
  return {
    id,
    input,
    inputSha256: sha256Hex(row.input),
    resultSha256: row.result_sha256,
    cells,
    createdAt: row.created_at,
    createdBy: row.created_by,
    same: isOurs ? matrixResultSha256(cells) === row.result_sha256 : null,
    changedListings: changedListings(input, listings, (await registry.now(tx)).index),
  };
}

function changedListings({ listings }: MatrixInput, then: ListingIndex, now: ListingIndex): ListingId[] {
  return listings.flatMap(([id]) => {
    const [before, after] = [then.get(id), now.get(id)];
    const same =
      before === undefined || after === undefined
        ? before === after
        : decisiveSha256(before) === decisiveSha256(after);
    return same ? [] : [id];
  });
}
