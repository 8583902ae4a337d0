import { type Tx } from '../../../database/organization-tx.js';
import {
  type KeyCertificate,
  type KeyEventKind,
  type KeyGeneration,
  type KeyPurpose,
  type KeyState,
  type LoggedKeyEvent,
} from '../../domain/key-generation.js';

/** The register of keys, shared by all processes. */
export interface KeyGenerations {
  /** Oldest first. */
  list(purpose?: KeyPurpose): Promise<KeyGeneration[]>;
  active(purpose: KeyPurpose): Promise<KeyGeneration | undefined>;
  /** One change of the register at a time, in all processes; all of it is committed or nothing. */
  change<T>(work: (register: KeyRegister) => Promise<T>): Promise<T>;
  /** In the transaction of an asset: the state cannot change before that is committed. */
  stateForRecord(tx: Tx, certificateSha256: string): Promise<KeyState | undefined>;
  /** Events since the log of this organization began that do not stand in it yet, in order. */
  unloggedEvents(tx: Tx): Promise<LoggedKeyEvent[]>;
  /** The activation of this key, whenever it was, unless it stands in the log of this organization. */
  unloggedActivations(tx: Tx, certificateSha256: string): Promise<LoggedKeyEvent[]>;
  /** One that tells the log of this organization at a time, until its transaction ends. */
  lockTelling(tx: Tx): Promise<void>;
  markLogged(tx: Tx, ordinal: number, entryId: string): Promise<void>;
  assetsSignedWith(tx: Tx, certificateSha256: string): Promise<number>;
  newestLoggedEvent(): Promise<{ readonly ordinal: number; readonly at: Date } | undefined>;
  /** UUIDs of organizations whose log existed at that time. */
  organizationsSince(at: Date): Promise<string[]>;
  /** UUIDs of all organizations. */
  organizations(): Promise<string[]>;
}

/** Inside one change. */
export interface KeyRegister {
  list(): Promise<KeyGeneration[]>;
  add(key: NewKeyGeneration): Promise<KeyGeneration>;
  certify(id: string, certificate: KeyCertificate, development: boolean): Promise<KeyGeneration>;
  move(id: string, to: KeyState, event: KeyEventKind, reason?: string): Promise<KeyGeneration>;
}

export type NewKeyGeneration = Pick<
  KeyGeneration,
  'purpose' | 'reference' | 'algorithm' | 'spkiSha256' | 'development'
>;
