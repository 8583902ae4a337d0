import { randomBytes, randomUUID } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose';
import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';

const KEY_BYTES = 32;
/** A key of an erased person is in the memory of a process at most this long. */
const UNWRAPPED_MS = 10_000;
const MAX_UNWRAPPED = 100;

interface KeyRow {
  key_id: string;
  wrapped_key: string;
}

interface SubjectKey {
  readonly keyId: string;
  readonly key: Uint8Array;
}

/**
 * Prompts and personal data, encrypted under one key per data subject (the person or service they come from).
 * Deleting the subject's key makes every value of that subject unreadable wherever a copy of it lies, unless a copy of
 * the key lies there, too; the log with its commitments stays as it is (promise P7).
 *
 * Values: JWE compact, `dir` + A256GCM, `kid` the id of the key. Subject keys: JWE compact, A256KW under the master key.
 */
export class SubjectVault {
  /**
   * Keys by subject for as long as a transaction lasts: a report opens dozens of values of the same few people. What a
   * transaction opens after an erasure that it overlapped is as if it had been opened before; a report looks whether
   * anybody was erased before it is finished.
   */
  private readonly opened = new WeakMap<Tx, Map<string, SubjectKey>>();
  /** Keys for sealing, whose subjects a transaction has locked: nobody is erased and no key changes until it ends. */
  private readonly locked = new WeakMap<Tx, Map<string, SubjectKey>>();

  /**
   * By the wrapped key, which a transaction has just read: this says what it unwraps to, never that it is still there. A
   * step of a run needs the same key four times, and unwrapping it takes a millisecond of the event loop.
   */
  private readonly unwrapped = new Map<string, Uint8Array>();

  constructor(
    private readonly masterKey: Uint8Array,
    private readonly clock: Clock,
  ) {
    if (masterKey.length !== KEY_BYTES) throw new Error('the master key must have 32 bytes');
  }

  /**
   * Waits while the subject is being erased, and holds off an erasure until this transaction ends: then the value goes
   * with the others, or it is sealed under a key that was made after them.
   */
  async encrypt(tx: Tx, subjectId: string, value: string): Promise<string> {
    const { keyId, key } = await this.keyForSealing(tx, subjectId);
    return new CompactEncrypt(Buffer.from(value, 'utf8'))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: keyId })
      .encrypt(key);
  }

  /** `undefined` when the value was erased, also when its subject has had a new key since. */
  async decrypt(tx: Tx, subjectId: string, sealed: string): Promise<string | undefined> {
    // Removed by a retention rule (migration 0035): the key may still be there.
    if (sealed === '') return undefined;
    const found = await this.keyForOpening(tx, subjectId);
    if (found === undefined || decodeProtectedHeader(sealed).kid !== found.keyId) return undefined;
    const { plaintext } = await compactDecrypt(sealed, found.key, {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    return Buffer.from(plaintext).toString('utf8');
  }

  private async keyForOpening(tx: Tx, subjectId: string): Promise<SubjectKey | undefined> {
    const known = this.opened.get(tx) ?? new Map<string, SubjectKey>();
    this.opened.set(tx, known);
    const before = known.get(subjectId);
    if (before !== undefined) return before;
    const [row] = await tx.query<KeyRow>(
      'SELECT key_id, wrapped_key FROM data_subject_key WHERE organization_id = $1 AND subject_id = $2',
      [tx.organizationId, subjectId],
    );
    // A subject without a key may get one in this transaction: only what is there is kept.
    if (row === undefined) return undefined;
    const found = { keyId: row.key_id, key: await this.unwrap(row.wrapped_key) };
    known.set(subjectId, found);
    return found;
  }

  private async keyForSealing(tx: Tx, subjectId: string): Promise<SubjectKey> {
    const known = this.locked.get(tx) ?? new Map<string, SubjectKey>();
    this.locked.set(tx, known);
    const key = known.get(subjectId) ?? (await this.lockForSealing(tx, subjectId));
    known.set(subjectId, key);
    return key;
  }

  private async lockForSealing(tx: Tx, subjectId: string): Promise<SubjectKey> {
    const existing = await this.lockedKey(tx, subjectId);
    if (existing) return { keyId: existing.key_id, key: await this.unwrap(existing.wrapped_key) };
    const key = randomBytes(KEY_BYTES);
    const wrapped = await new CompactEncrypt(key)
      .setProtectedHeader({ alg: 'A256KW', enc: 'A256GCM' })
      .encrypt(this.masterKey);
    await tx.query(
      `INSERT INTO data_subject_key (organization_id, subject_id, key_id, wrapped_key, created_at)
       VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
      [tx.organizationId, subjectId, randomUUID(), wrapped, this.clock.now()],
    );
    // Another transaction may have been first: its key is the one that counts.
    const stored = await this.lockedKey(tx, subjectId);
    if (stored === undefined) throw new Error('a data subject has no key although it was just made');
    const counts = stored.wrapped_key === wrapped ? key : await this.unwrap(stored.wrapped_key);
    return { keyId: stored.key_id, key: counts };
  }

  /** Takes the shared lock of the subject first (migration 0006), for the rest of the transaction. */
  private async lockedKey(tx: Tx, subjectId: string): Promise<KeyRow | undefined> {
    const [row] = await tx.query<KeyRow>('SELECT key_id, wrapped_key FROM subject_key_for_sealing($1, $2)', [
      tx.organizationId,
      subjectId,
    ]);
    return row;
  }

  private async unwrap(wrapped: string): Promise<Uint8Array> {
    const known = this.unwrapped.get(wrapped);
    if (known !== undefined) return known;
    const key = await this.unwrapAnew(wrapped);
    if (this.unwrapped.size === 0) setTimeout(() => this.unwrapped.clear(), UNWRAPPED_MS).unref();
    if (this.unwrapped.size < MAX_UNWRAPPED) this.unwrapped.set(wrapped, key);
    return key;
  }

  private async unwrapAnew(wrapped: string): Promise<Uint8Array> {
    const { plaintext } = await compactDecrypt(wrapped, this.masterKey, {
      keyManagementAlgorithms: ['A256KW'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    return plaintext;
  }
}
