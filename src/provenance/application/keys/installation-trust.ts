import { type KeyGeneration } from '../../domain/key-generation.js';
import { type KeyGenerations } from './key-generations.port.js';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g;

/**
 * By which authorities this installation knows its own signatures: the roots of all claim keys that it ever signed
 * with, also of retired ones, whose signatures stay good. The root of a compromised key goes, unless another key has it
 * too: then only the log can tell the installation's files from a thief's.
 */
export class InstallationTrust {
  /** Handed out once and kept up to date; plain, because it is sent to child processes. */
  readonly anchors: { readonly name: string; anchorsPem: string } = {
    name: 'this installation',
    anchorsPem: '',
  };

  constructor(private readonly generations: KeyGenerations) {}

  async refresh(): Promise<void> {
    const keys = await this.generations.list('claim');
    this.anchors.anchorsPem = [...new Set(keys.flatMap(rootOf))].join('');
  }
}

function rootOf({ state, certificate }: KeyGeneration): string[] {
  if (certificate === undefined || state === 'pending' || state === 'compromised') return [];
  const root = certificate.chainPem.match(PEM_CERTIFICATE)?.at(-1);
  return root === undefined ? [] : [`${root.trim()}\n`];
}
