import { type AddCheckpointRequest } from '../core/add-checkpoint.js';
import { type NoteSignature } from '../core/signed-note.js';
import { type PolicyWitness } from '../core/witness-policy.js';

/**
 * What became of a submitted checkpoint. Nothing in it is verified yet.
 *
 * - `cosigned`: signatures that the witness sent, also those by keys that nobody knows.
 * - `knows_size`: the witness cosigned a tree of this size last, which is not the old size of the request.
 * - `refused_history`: the proof does not lead from what the witness knows to this checkpoint.
 * - `unavailable`: no usable answer. `reason` is for people and holds no address and nothing the witness sent.
 */
export type WitnessAnswer =
  | { readonly kind: 'cosigned'; readonly signatures: readonly NoteSignature[] }
  | { readonly kind: 'knows_size'; readonly size: number }
  | { readonly kind: 'refused_history' }
  | { readonly kind: 'unavailable'; readonly reason: string };

/**
 * What a witness shows of a log.
 *
 * - `shown`: a note that should be the checkpoint it cosigned last, unverified.
 * - `nothing`: it answers, but has no checkpoint of this log or does not offer to show it.
 * - `unavailable`: no usable answer in time.
 */
export type ShownCheckpoint =
  | { readonly kind: 'shown'; readonly note: Uint8Array }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unavailable' };

/** One witness that can be asked. Its methods never reject, whatever the other side does. */
export interface Witness {
  addCheckpoint(request: AddCheckpointRequest): Promise<WitnessAnswer>;
  /** Reads back the checkpoint of the log with this origin that the witness cosigned last. */
  lastCheckpoint(origin: string): Promise<ShownCheckpoint>;
}

export type ConnectWitness = (witness: PolicyWitness) => Witness;
