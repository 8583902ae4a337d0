import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readOrCreateSecretFile, readSecretFile } from '../../config/secret-file.js';
import { ColophonError } from '../../shared/errors.js';
import { type LogKey, type LogKeys } from '../application/log-keys.port.js';
import {
  ED25519,
  ed25519Signer,
  ed25519Verifier,
  formatPrivateKey,
  formatVkey,
  generatePrivateKey,
  parsePrivateKey,
  publicKeyOf,
} from '../core/note-key.js';

/** Log keys as files (`<organization id>.key`, mode 0600) in Go's note format, readable by sumdb/note. */
export class FileLogKeys implements LogKeys {
  private readonly loaded = new Map<string, LogKey>();

  constructor(private readonly folder: string) {}

  create(organizationId: string, origin: string): Promise<LogKey> {
    const file = this.fileOf(organizationId);
    if (existsSync(file))
      return Promise.reject(new Error(`The log of organization ${organizationId} already has a key.`));
    readOrCreateSecretFile(file, () => formatPrivateKey(generatePrivateKey(origin, ED25519)));
    return this.ofLog(organizationId);
  }

  ofLog(organizationId: string): Promise<LogKey> {
    const known = this.loaded.get(organizationId);
    if (known) return Promise.resolve(known);
    const text = readSecretFile(this.fileOf(organizationId));
    if (text === undefined) {
      return Promise.reject(
        new ColophonError('signer_unavailable', 'The key of this log is missing from the keystore.'),
      );
    }
    const key = parsePrivateKey(text.trim());
    const publicKey = publicKeyOf(key);
    const logKey: LogKey = {
      origin: publicKey.name,
      vkey: formatVkey(publicKey),
      signer: ed25519Signer(key),
      verifier: ed25519Verifier(publicKey),
    };
    this.loaded.set(organizationId, logKey);
    return Promise.resolve(logKey);
  }

  private fileOf(organizationId: string): string {
    return join(this.folder, `${organizationId}.key`);
  }
}
