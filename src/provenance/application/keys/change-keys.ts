import { sha256Hex } from '../../../shared/bytes.js';
import { type Clock } from '../../../shared/clock.js';
import { ColophonError } from '../../../shared/errors.js';
import { type SigningKey, type SigningKeys } from '../../domain/claim-key.port.js';
import {
  certificateStanding,
  type KeyCertificate,
  type KeyGeneration,
  type KeyPurpose,
  mayBecome,
} from '../../domain/key-generation.js';
import { type KeyGenerations, type KeyRegister } from './key-generations.port.js';

/** What the formats of certificates are handled by. */
export interface CertificateFormats {
  /** PKCS#10 in PEM, by the profile of the purpose. @throws ColophonError `invalid_request` for a subject that is none */
  request(key: SigningKey, purpose: KeyPurpose, subject: string): Promise<string>;
  /** @throws ColophonError `invalid_request`: what is wrong with the chain for this purpose */
  read(
    chainPem: string,
    purpose: KeyPurpose,
    at: Date,
  ): { readonly certificate: KeyCertificate; readonly spkiSha256: string; readonly development: boolean };
}

/** A superseded key may finish what it began: longer than any signing takes, retries of a held step included. */
export const RETIRING_MS = 10 * 60 * 1000;

/** The life of a key, as its operator leads it. Every step is one transaction; a repeated one is refused or does nothing. */
export class ChangeKeys {
  constructor(
    private readonly generations: KeyGenerations,
    private readonly keys: SigningKeys,
    private readonly formats: CertificateFormats,
    private readonly clock: Clock,
  ) {}

  /**
   * A certificate request for a key that lies at this address. The key is `pending` from now on. Asking again for the
   * same one gives another request.
   */
  async request(
    purpose: KeyPurpose,
    reference: string,
    subject: string,
  ): Promise<{ generation: KeyGeneration; pem: string }> {
    const key = await this.keys.open(reference);
    const pem = await this.formats.request(key, purpose, subject);
    const generation = await this.generations.change((register) => addPending(register, purpose, key, false));
    return { generation, pem };
  }

  /** The chain that a certification authority issued for a pending key. @throws ColophonError `invalid_request`, `conflict` */
  async import(purpose: KeyPurpose, chainPem: string): Promise<KeyGeneration> {
    const read = this.formats.read(chainPem, purpose, this.clock.now());
    return this.generations.change(async (register) => {
      const known = (await register.list()).find(({ spkiSha256 }) => spkiSha256 === read.spkiSha256);
      if (known === undefined || known.purpose !== purpose)
        throw refused(
          `The certificate is for a key that no ${purpose} request was made for. Run: colophon keys csr.`,
        );
      if (known.certificate?.sha256 === read.certificate.sha256) return known;
      if (known.certificate !== undefined || known.state !== 'pending')
        throw conflict(
          'This key is certified already. A new certificate needs a new key: colophon keys csr.',
        );
      return register.certify(known.id, read.certificate, read.development);
    });
  }

  /**
   * The key signs from the commit on, in all processes; the one before is `retiring`. The key is opened first: one that
   * cannot sign never becomes the active one.
   */
  async activate(id: string): Promise<KeyGeneration> {
    const found = (await this.generations.list()).find((one) => one.id === id);
    if (found === undefined) throw new ColophonError('not_found', 'There is no key with this id.');
    const key = await this.keys.open(found.reference);
    if (sha256Hex(key.publicKey) !== found.spkiSha256)
      throw conflict('At this address lies another key than was certified.');
    return this.generations.change((register) => activate(register, id, this.clock.now()));
  }

  /** A key with its certificate becomes active at once: how the development authority changes its keys. */
  async adopt(purpose: KeyPurpose, reference: string, chainPem: string): Promise<KeyGeneration> {
    const key = await this.keys.open(reference);
    const read = this.formats.read(chainPem, purpose, this.clock.now());
    if (read.spkiSha256 !== sha256Hex(key.publicKey))
      throw conflict('Key and certificate do not belong together.');
    return this.generations.change(async (register) => {
      const pending = await addPending(register, purpose, key, read.development);
      if (pending.state !== 'pending') return pending;
      if (pending.certificate === undefined)
        await register.certify(pending.id, read.certificate, read.development);
      return activate(register, pending.id, this.clock.now());
    });
  }

  /** For good. From the commit on nothing is recorded that it signed. @throws ColophonError `not_found`, `conflict` */
  revoke(id: string, reason: string): Promise<KeyGeneration> {
    return this.generations.change(async (register) => {
      const key = (await register.list()).find((one) => one.id === id);
      if (key === undefined) throw new ColophonError('not_found', 'There is no key with this id.');
      if (!mayBecome(key.state, 'compromised')) throw conflict('This key is marked as compromised already.');
      return register.move(id, 'compromised', 'compromised', reason);
    });
  }

  /** Superseded keys whose time to finish is over. Any process may do it, any number of times. */
  async retireDue(): Promise<number> {
    const isDue = ({ state, changedAt }: KeyGeneration): boolean =>
      state === 'retiring' && this.clock.now().getTime() - changedAt.getTime() >= RETIRING_MS;
    if (!(await this.generations.list()).some(isDue)) return 0;
    return this.generations.change(async (register) => {
      const due = (await register.list()).filter(isDue);
      for (const { id } of due) await register.move(id, 'retired', 'retired');
      return due.length;
    });
  }
}

async function addPending(
  register: KeyRegister,
  purpose: KeyPurpose,
  key: SigningKey,
  development: boolean,
): Promise<KeyGeneration> {
  const spkiSha256 = sha256Hex(key.publicKey);
  const known = (await register.list()).find((one) => one.spkiSha256 === spkiSha256);
  if (known === undefined)
    return register.add({
      purpose,
      reference: key.reference,
      algorithm: key.algorithm,
      spkiSha256,
      development,
    });
  const isFresh = known.purpose === purpose && (known.state === 'pending' || known.state === 'active');
  if (!isFresh || (known.certificate !== undefined && !development))
    throw conflict(`This key was certified before, or is the ${known.purpose} key. Make a new one.`);
  return known;
}

async function activate(register: KeyRegister, id: string, at: Date): Promise<KeyGeneration> {
  const keys = await register.list();
  const key = keys.find((one) => one.id === id);
  if (key === undefined) throw new ColophonError('not_found', 'There is no key with this id.');
  if (key.state === 'active') return key;
  if (!mayBecome(key.state, 'active')) throw conflict(`This key is ${key.state}: it never signs again.`);
  if (key.certificate === undefined)
    throw conflict('This key has no certificate yet. Run: colophon keys import.');
  const standing = certificateStanding(key.certificate, at);
  if (standing === 'expired' || standing === 'not_yet_valid')
    throw conflict(
      `The certificate of this key is ${standing === 'expired' ? 'past its end' : 'not yet valid'}.`,
    );
  for (const other of keys)
    if (other.purpose === key.purpose && other.state === 'active')
      await register.move(other.id, 'retiring', 'retiring');
  return register.move(id, 'active', 'activated');
}

function conflict(detail: string): ColophonError {
  return new ColophonError('conflict', detail);
}

function refused(detail: string): ColophonError {
  return new ColophonError('invalid_request', detail);
}
