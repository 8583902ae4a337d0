import { cosignatureSigner } from '../../../audit/core/cosignature.js';
import {
  COSIGNATURE_V1,
  formatVkey,
  generatePrivateKey,
  type NotePrivateKey,
  publicKeyOf,
} from '../../../audit/core/note-key.js';
import { type NoteSigner } from '../../../audit/core/signed-note.js';
import {
  NO_WITNESS_POLICY,
  parseOperatorPolicy,
  type WitnessPolicy,
} from '../../../audit/core/witness-policy.js';

/** For tests: who outside of the installation has seen the log. */
export interface Anchoring {
  readonly policy: WitnessPolicy;
  readonly cosigners: readonly NoteSigner[];
  /** Tokens over the text of the checkpoint. */
  readonly stamp: (text: Buffer) => Promise<readonly { authority: string; token: Buffer }[]>;
  readonly rootsPem: string | undefined;
}

export const NOBODY: Anchoring = {
  policy: NO_WITNESS_POLICY,
  cosigners: [],
  stamp: () => Promise.resolve([]),
  rootsPem: undefined,
};

const AT_SECONDS = Date.parse('2026-11-22T10:00:05.000Z') / 1000;

/** For tests: witnesses `w1`, `w2`, ... with keys of their own, of whom `threshold` are enough. */
export class TestWitnesses {
  readonly keys: readonly NotePrivateKey[];
  readonly policyText: string;

  constructor(count: number, threshold: number) {
    this.keys = Array.from({ length: count }, (_, i) =>
      generatePrivateKey(`witness.example/w${i + 1}`, COSIGNATURE_V1),
    );
    const names = this.keys.map((_, i) => `w${i + 1}`);
    this.policyText = [
      ...this.keys.map(
        (key, i) =>
          `witness ${names[i] ?? ''} ${formatVkey(publicKeyOf(key))} https://witness.example/${i + 1}`,
      ),
      `group enough ${threshold} ${names.join(' ')}`,
      'quorum enough',
      '',
    ].join('\n');
  }

  get policy(): WitnessPolicy {
    return parseOperatorPolicy(Buffer.from(this.policyText));
  }

  /** The first of them, each a second after the one before. */
  signers(count: number): NoteSigner[] {
    return this.keys.slice(0, count).map((key, i) => cosignatureSigner(key, () => AT_SECONDS + i));
  }
}
