/**
 * Why a piece of log material was refused. The union is closed: a verifier maps each code to its own words.
 *
 * - `malformed`: the bytes do not follow the format.
 * - `limit_exceeded`: larger or longer than a verifier is willing to read.
 * - `unknown_key`: no signature by a key that the verifier trusts.
 * - `ambiguous_key`: two trusted keys share name and key id.
 * - `bad_signature`: a signature by a trusted key does not verify.
 * - `wrong_origin`: a valid checkpoint of another log.
 * - `out_of_range`: an index or size that does not exist in the tree.
 * - `proof_length`: a proof with more or fewer hashes than its sizes require.
 * - `proof_mismatch`: a proof that leads to another root.
 * - `tile_mismatch`: tiles or bundles that contradict a known root.
 */
export type TlogErrorCode =
  | 'malformed'
  | 'limit_exceeded'
  | 'unknown_key'
  | 'ambiguous_key'
  | 'bad_signature'
  | 'wrong_origin'
  | 'out_of_range'
  | 'proof_length'
  | 'proof_mismatch'
  | 'tile_mismatch';

/** The one error of the transparency log core. Its message names the rule and never quotes entry contents. */
export class TlogError extends Error {
  readonly code: TlogErrorCode;

  constructor(code: TlogErrorCode, message: string) {
    super(message);
    this.name = 'TlogError';
    this.code = code;
  }
}
