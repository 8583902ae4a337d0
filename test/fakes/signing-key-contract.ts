import { createPublicKey } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { type SigningKey, type SigningKeys } from '../../src/provenance/domain/claim-key.port.js';
import {
  algorithmOfKey,
  signatureHolds,
  type SigningAlgorithm,
} from '../../src/provenance/domain/signing-algorithm.js';

export interface SigningKeyBench {
  readonly keys: SigningKeys;
  readonly algorithms: readonly SigningAlgorithm[];
  /** Makes a key and tells its address. */
  create(algorithm: SigningAlgorithm): Promise<string>;
  /** A key that exists and cannot sign claims. */
  readonly unfit: string;
  /** Well formed, of no key. */
  readonly unknown: string;
}

/** What every place of keys has to keep, whatever its API looks like. */
export function signingKeyContract(
  bench: () => SigningKeyBench,
  algorithms: readonly SigningAlgorithm[],
): void {
  it.each(algorithms)(
    'signs %s in the form that COSE wants, also what is larger than 4,096 bytes',
    async (algorithm) => {
      const key = await bench().keys.open(await bench().create(algorithm));
      expect(key.algorithm).toBe(algorithm);
      expect(algorithmOfKey(publicKeyOf(key))).toBe(algorithm);
      // Several at once, and several times: r and s with and without leading zeros.
      const messages = [
        Buffer.from([0]),
        Buffer.from('claim'),
        Buffer.alloc(10_000, 7),
        Buffer.from('claim'),
      ];
      const signatures = await Promise.all(messages.map((message) => key.sign(message)));
      for (const [index, signature] of signatures.entries())
        expect(holds(key, messages[index], signature)).toBe(true);
      expect(holds(key, Buffer.from('other'), signatures[1])).toBe(false);
    },
  );

  it('gives each key an address that opens the same key again', async () => {
    const [algorithm = 'es256'] = algorithms;
    const first = await bench().keys.open(await bench().create(algorithm));
    const second = await bench().keys.open(await bench().create(algorithm));
    expect(second.publicKey.equals(first.publicKey)).toBe(false);
    const again = await bench().keys.open(first.reference);
    expect(again.reference).toBe(first.reference);
    expect(again.publicKey.equals(first.publicKey)).toBe(true);
    expect(holds(first, Buffer.from('x'), await again.sign(Buffer.from('x')))).toBe(true);
  });

  it.each(['unfit', 'unknown'] as const)('refuses a key that is %s, and says what to do', async (which) => {
    await expectUnavailable(
      bench().keys.open(bench()[which]),
      /\. [A-Z].*\.$|: .*\.$|must be .*\.$|cannot be used\.$/,
    );
  });
}

export function publicKeyOf(key: SigningKey) {
  return createPublicKey({ key: key.publicKey, format: 'der', type: 'spki' });
}

export function holds(key: SigningKey, message: Buffer | undefined, signature: Buffer | undefined): boolean {
  return signatureHolds(
    key.algorithm,
    publicKeyOf(key),
    message ?? Buffer.alloc(0),
    signature ?? Buffer.alloc(0),
  );
}

/** Held, never signed wrongly; and nothing secret in what callers see. */
export async function expectUnavailable(attempt: Promise<unknown>, sentence: RegExp): Promise<void> {
  await expect(attempt).rejects.toMatchObject({
    code: 'signer_unavailable',
    message: expect.stringMatching(sentence) as unknown,
  });
  await expect(attempt).rejects.not.toThrow(/127\.0\.0\.1|arn:aws|hvs\.|111122223333/);
}
