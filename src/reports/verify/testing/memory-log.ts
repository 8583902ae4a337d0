import { signCheckpoint } from '../../../audit/core/checkpoint.js';
import { type Opening, seal } from '../../../audit/core/commitment.js';
import { buildEntry, type EntryInput } from '../../../audit/core/entry.js';
import { type Hash, treeRoot } from '../../../audit/core/merkle.js';
import { inclusionProof } from '../../../audit/core/merkle-proof.js';
import {
  ED25519,
  ed25519Signer,
  formatVkey,
  generatePrivateKey,
  publicKeyOf,
} from '../../../audit/core/note-key.js';
import { type NoteSigner } from '../../../audit/core/signed-note.js';
import { formatTlogProof } from '../../../audit/core/tlog-proof.js';

/** For tests: a real log in memory, with real keys, proofs and openings. */
export class MemoryLog {
  readonly vkey: string;
  private readonly key;
  readonly entries: { bytes: Buffer; leafHash: Hash; input: EntryInput }[] = [];
  readonly openings: { index: number; field: string; opening: Opening }[] = [];

  constructor(readonly origin: string) {
    this.key = generatePrivateKey(origin, ED25519);
    this.vkey = formatVkey(publicKeyOf(this.key));
  }

  /** @returns the index of the entry */
  append(input: EntryInput, values: Readonly<Record<string, string>> = {}): number {
    const index = this.entries.length;
    const sealed: Record<string, string> = {};
    for (const [field, value] of Object.entries(values)) {
      const { commitment, opening } = seal(value);
      sealed[field] = commitment;
      this.openings.push({ index, field, opening });
    }
    const full = { ...input, ...(Object.keys(sealed).length > 0 && { sealed }) };
    this.entries.push({ ...buildEntry(full), input: full });
    return index;
  }

  root(): Hash {
    return treeRoot(this.entries.map(({ leafHash }) => leafHash));
  }

  async checkpoint(cosigners: readonly NoteSigner[] = []): Promise<Buffer> {
    const { origin } = this;
    return signCheckpoint({ origin, size: this.entries.length, root: this.root() }, [
      ed25519Signer(this.key),
      ...cosigners,
    ]);
  }

  async proof(index: number, checkpoint: Uint8Array): Promise<Buffer> {
    const leaves = this.entries.map(({ leafHash }) => leafHash);
    const reader = {
      readHash: (level: number, position: number) =>
        Promise.resolve(treeRoot(leaves.slice(position * 2 ** level, (position + 1) * 2 ** level))),
    };
    return formatTlogProof({ index, hashes: await inclusionProof(reader, index, leaves.length), checkpoint });
  }
}
