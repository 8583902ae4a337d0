import { type KeyGeneration } from '../../provenance/domain/key-generation.js';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * PEM of the roots of all report keys that signed here, also of retired ones, whose signatures stay good; not of
 * compromised ones, unless another key has the same root.
 */
export function reportAnchorsPem(keys: readonly KeyGeneration[]): string {
  const roots = keys
    .filter(({ state }) => state !== 'pending' && state !== 'compromised')
    .flatMap(({ certificate }) => certificate?.chainPem.match(PEM_CERTIFICATE)?.at(-1) ?? []);
  return [...new Set(roots)].map((root) => `${root.trim()}\n`).join('');
}
