import { randomBytes } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';

const KEY_BYTES = 32;

/**
 * Prompts and personal data, encrypted under one key per data subject (the person or service they come from).
 * Deleting the subject's key makes every value of that subject unreadable, in backups too, while the log with its
 * commitments stays as it is (promise P7).
 *
 * Values: JWE compact, `dir` + A256GCM. Subject keys: JWE compact, A256KW under the master key.
 */
export class SubjectVault {
  constructor(
    private readonly masterKey: Uint8Array,
    private readonly clock: Clock,
  ) {
    if (masterKey.length !== KEY_BYTES) throw new Error('the master key must have 32 bytes');
  }

  async encrypt(tx: Tx, subjectId: string, value: string): Promise<string> {
    const key = await this.subjectKey(tx, subjectId);
    return new CompactEncrypt(Buffer.from(value, 'utf8'))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: subjectId })
      .encrypt(key);
  }

  /** `undefined` when the subject was erased. */
  async decrypt(tx: Tx, subjectId: string, sealed: string): Promise<string | undefined> {
    const wrapped = await this.findWrappedKey(tx, subjectId);
    if (wrapped === undefined) return undefined;
    const { plaintext } = await compactDecrypt(sealed, await this.unwrap(wrapped), {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    return Buffer.from(plaintext).toString('utf8');
  }

  private async subjectKey(tx: Tx, subjectId: string): Promise<Uint8Array> {
    const existing = await this.findWrappedKey(tx, subjectId);
    if (existing !== undefined) return this.unwrap(existing);
    const key = randomBytes(KEY_BYTES);
    const wrapped = await new CompactEncrypt(key)
      .setProtectedHeader({ alg: 'A256KW', enc: 'A256GCM' })
      .encrypt(this.masterKey);
    await tx.query(
      `INSERT INTO data_subject_key (organization_id, subject_id, wrapped_key, created_at)
       VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
      [tx.organizationId, subjectId, wrapped, this.clock.now()],
    );
    // Another transaction may have been first: its key is the one that counts.
    const stored = await this.findWrappedKey(tx, subjectId);
    if (stored === undefined) throw new Error('the data subject was erased while a value was being sealed');
    return stored === wrapped ? key : this.unwrap(stored);
  }

  private async findWrappedKey(tx: Tx, subjectId: string): Promise<string | undefined> {
    const [row] = await tx.query<{ wrapped_key: string }>(
      'SELECT wrapped_key FROM data_subject_key WHERE organization_id = $1 AND subject_id = $2',
      [tx.organizationId, subjectId],
    );
    return row?.wrapped_key;
  }

  private async unwrap(wrapped: string): Promise<Uint8Array> {
    const { plaintext } = await compactDecrypt(wrapped, this.masterKey, {
      keyManagementAlgorithms: ['A256KW'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    return plaintext;
  }
}
