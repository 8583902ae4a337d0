import { type KeyGeneration } from '../../domain/key-generation.js';
import { type OnlyCertificates, OWN_TRUST_LIST } from '../../domain/trust-list.js';
import { type KeyGenerations } from './key-generations.port.js';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g;

/**
 * By which authorities this installation knows its own signatures: the roots of all claim keys that it ever signed
 * with, also of retired ones, whose signatures stay good. The root of a compromised key goes, unless another key has it
 * too: then only the log can tell the installation's files from a thief's.
 */
export class InstallationTrust {
  /** Handed out once and kept up to date; plain, because it is sent to child processes. */
  readonly anchors: {
    readonly name: string;
    anchorsPem: string;
    certificates: OnlyCertificates;
    /** The authority of named actors: set once at the start. */
    identityAnchorsPem?: string;
  } = {
    name: OWN_TRUST_LIST,
    anchorsPem: '',
    certificates: { trusted: [], ever: [] },
  };

  constructor(private readonly generations: KeyGenerations) {}

  async refresh(): Promise<void> {
    const keys = await this.generations.list('claim');
    this.anchors.anchorsPem = [...new Set(keys.flatMap(rootOf))].join('');
    this.anchors.certificates = {
      trusted: keys.filter(isTrusted).flatMap(leafOf),
      ever: keys.flatMap(leafOf),
    };
  }
}

function isTrusted({ state }: KeyGeneration): boolean {
  return state !== 'pending' && state !== 'compromised';
}

function leafOf({ certificate }: KeyGeneration): string[] {
  return certificate === undefined ? [] : [certificate.sha256];
}

function rootOf(key: KeyGeneration): string[] {
  const { certificate } = key;
  if (certificate === undefined || !isTrusted(key)) return [];
  const root = certificate.chainPem.match(PEM_CERTIFICATE)?.at(-1);
  return root === undefined ? [] : [`${root.trim()}\n`];
}
