import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { readOrCreateSecretFile, readSecretFile } from '../../config/secret-file.js';
import { ColophonError } from '../../shared/errors.js';
import { systemErrorCode } from '../../shared/system-error.js';
import {
  type HeldLogKeys,
  type LogKey,
  type LogKeyRing,
  type LogKeys,
  type RetiredLogKey,
} from '../application/log-keys.port.js';
import {
  ED25519,
  ed25519Signer,
  ed25519Verifier,
  formatPrivateKey,
  formatVkey,
  generatePrivateKey,
  type NotePrivateKey,
  noteKeyId,
  parsePrivateKey,
  parseVkey,
  publicKeyOf,
} from '../core/note-key.js';

type KeyState = 'active' | 'prepared' | 'retired';

interface KeyFile {
  readonly serial: number;
  readonly state: KeyState;
  readonly path: string;
}

const ENDINGS: Readonly<Record<KeyState, string>> = { active: '', prepared: '.new', retired: '.retired' };
const KEY_FILE = /^([0-9a-f-]{36})(?:\.([1-9]\d{0,5}))?\.key(\.new|\.retired)?$/;

/**
 * A change less than this ago may not be the last under its time: file systems count in steps of milliseconds. Until
 * it is older the folder is read each time.
 */
const SETTLED_AFTER_MS = 2_000;

/**
 * Log keys as files (mode 0600) in Go's note format, readable by sumdb/note. `<organization id>.key` is the first of a
 * log, `<organization id>.2.key` the second, and so on; the highest number is the current one.
 *
 * `.key.new` is a key that does not sign yet. `.key.retired` holds a vkey and a size in place of the secret. Where a
 * `.key` of the same number lies beside it, that one counts: the removal was interrupted, or a key that had been lost
 * came back.
 *
 * Several processes may use the folder: each asks for its modification time before each use. Synchronous, as one
 * question costs microseconds.
 */
export class FileLogKeys implements LogKeys {
  private readonly loaded = new Map<string, { readonly version: bigint; readonly ring: LogKeyRing }>();

  constructor(private readonly folder: string) {}

  async create(organizationId: string, origin: string): Promise<LogKey> {
    if (this.filesOf(organizationId).length > 0)
      throw new Error(`The log of organization ${organizationId} already has a key.`);
    const file = this.fileOf(organizationId, 1, 'active');
    readOrCreateSecretFile(file, () => formatPrivateKey(generatePrivateKey(origin, ED25519)));
    this.syncFolder();
    return this.ofLog(organizationId);
  }

  ofLog(organizationId: string): Promise<LogKeyRing> {
    // Before the files: a change after this is noticed by the next call.
    const version = this.version();
    const known = this.loaded.get(organizationId);
    if (known !== undefined && known.version === version) return Promise.resolve(known.ring);
    const ring = this.load(organizationId);
    if (ring === undefined) {
      return Promise.reject(
        new ColophonError('signer_unavailable', 'The key of this log is missing from the keystore.'),
      );
    }
    if (version !== undefined) this.loaded.set(organizationId, { version, ring });
    return Promise.resolve(ring);
  }

  held(organizationId: string): Promise<HeldLogKeys> {
    const files = this.filesOf(organizationId);
    const ofState = (wanted: KeyState): string[] =>
      files.flatMap((file) => (file.state === wanted ? (this.vkeyIn(file) ?? []) : []));
    return Promise.resolve({
      active: ofState('active'),
      prepared: ofState('prepared'),
      retired: ofState('retired'),
    });
  }

  prepare(organizationId: string, origin: string, known: readonly string[]): Promise<string> {
    const key = generateOther(origin, known);
    const file = this.fileOf(organizationId, known.length + 1, 'prepared');
    // What lies there is of an attempt that was never committed: nobody knows that key.
    this.writeDurably(file, formatPrivateKey(key));
    return Promise.resolve(formatVkey(publicKeyOf(key)));
  }

  activate(organizationId: string, vkey: string): Promise<void> {
    const file = this.filesOf(organizationId).find(
      (one) => one.state === 'prepared' && this.vkeyIn(one) === vkey,
    );
    if (file !== undefined) this.moveDurably(file.path, this.fileOf(organizationId, file.serial, 'active'));
    return Promise.resolve();
  }

  /** A crash after the first step leaves both files, and the key signs on until it is retired again. */
  retire(
    organizationId: string,
    { vkey, serial, lastSize }: { vkey: string; serial: number; lastSize: number },
  ): Promise<void> {
    const marker = this.fileOf(organizationId, serial, 'retired');
    if (!existsSync(marker)) this.writeDurably(marker, `${vkey} ${lastSize}\n`);
    for (const file of this.filesOf(organizationId))
      if (file.state !== 'retired' && this.vkeyIn(file) === vkey) rmSync(file.path, { force: true });
    this.syncFolder();
    return Promise.resolve();
  }

  /** The folder's state; `undefined` when it changed so lately that another change could look the same. */
  private version(): bigint | undefined {
    try {
      const { mtimeNs, mtimeMs } = statSync(this.folder, { bigint: true });
      return Math.abs(Date.now() - Number(mtimeMs)) > SETTLED_AFTER_MS ? mtimeNs : undefined;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  private load(organizationId: string): LogKeyRing | undefined {
    const files = this.filesOf(organizationId);
    const active = files.flatMap((file) => (file.state === 'active' ? (readKey(file) ?? []) : []));
    const current = active.at(-1);
    if (current === undefined) return undefined;
    const serials = new Set(files.filter(({ state }) => state === 'active').map(({ serial }) => serial));
    const retired = files.flatMap((file) =>
      file.state === 'retired' && !serials.has(file.serial) ? (readRetired(file) ?? []) : [],
    );
    for (const { origin } of active)
      if (origin !== current.origin)
        throw new Error(`The key files of organization ${organizationId} belong to different logs.`);
    return { ...current, active, retired };
  }

  /** In the order of their numbers. */
  private filesOf(organizationId: string): KeyFile[] {
    return this.names()
      .flatMap((name) => {
        const [, owner, number = '1', ending = ''] = KEY_FILE.exec(name) ?? [];
        const state = (['active', 'prepared', 'retired'] as const).find((one) => ENDINGS[one] === ending);
        if (owner !== organizationId || state === undefined) return [];
        return [{ serial: Number(number), state, path: join(this.folder, name) }];
      })
      .sort((a, b) => a.serial - b.serial);
  }

  private names(): string[] {
    try {
      return readdirSync(this.folder);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  private fileOf(organizationId: string, serial: number, state: KeyState): string {
    const number = serial === 1 ? '' : `.${serial}`;
    return join(this.folder, `${organizationId}${number}.key${ENDINGS[state]}`);
  }

  /** `undefined` when the file is gone by now. */
  private vkeyIn(file: KeyFile): string | undefined {
    return (file.state === 'retired' ? readRetired(file) : readKey(file))?.vkey;
  }

  private writeDurably(path: string, text: string): void {
    const temporary = `${path}.${randomUUID()}`;
    try {
      writeFileSync(temporary, text, { mode: 0o600, flag: 'wx', flush: true });
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    this.syncFolder();
  }

  private moveDurably(from: string, to: string): void {
    try {
      renameSync(from, to);
    } catch (error) {
      // Another process was faster.
      if (systemErrorCode(error) !== 'ENOENT' || !existsSync(to)) throw error;
    }
    this.syncFolder();
  }

  private syncFolder(): void {
    const folder = openSync(this.folder, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }
}

/** A key whose id no other key of the log has: by name and id a signature finds its key. */
function generateOther(origin: string, known: readonly string[]): NotePrivateKey {
  const taken = new Set(known.map((vkey) => noteKeyId(parseVkey(vkey))));
  let key: NotePrivateKey;
  do key = generatePrivateKey(origin, ED25519);
  while (taken.has(noteKeyId(publicKeyOf(key))));
  return key;
}

function readKey({ path }: KeyFile): LogKey | undefined {
  const text = readSecretFile(path);
  if (text === undefined) return undefined;
  const key = parsePrivateKey(text.trim());
  const publicKey = publicKeyOf(key);
  return {
    origin: publicKey.name,
    vkey: formatVkey(publicKey),
    signer: ed25519Signer(key),
    verifier: ed25519Verifier(publicKey),
  };
}

function readRetired({ path }: KeyFile): RetiredLogKey | undefined {
  const text = readSecretFile(path);
  if (text === undefined) return undefined;
  const [vkey = '', size = ''] = text.trim().split(' ');
  if (!/^(0|[1-9]\d{0,15})$/.test(size)) throw new Error(`The key file ${path} is not "<vkey> <size>".`);
  return { vkey, verifier: ed25519Verifier(parseVkey(vkey)), lastSize: Number(size) };
}
