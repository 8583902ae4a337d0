import { type SigningAlgorithm } from '../../../domain/signing-algorithm.js';
import { type Pkcs11Attributes } from '../key-reference.js';

/** What the child is told once, before anything else. */
export interface Pkcs11Setup {
  /** The npm package `pkcs11js`, by name or by path. */
  readonly packageName: string;
  /** Shared library of the token's vendor. */
  readonly modulePath: string;
  readonly pinFile: string;
}

export type Pkcs11Task =
  | { readonly kind: 'describe'; readonly key: Pkcs11Attributes }
  | {
      readonly kind: 'sign';
      readonly key: Pkcs11Attributes;
      readonly algorithm: SigningAlgorithm;
      /** Base64 of the hash, or of the message for Ed25519. */
      readonly input: string;
    };

export interface Pkcs11Request {
  readonly id: number;
  readonly setup: Pkcs11Setup;
  readonly task: Pkcs11Task;
}

/** Why the child could not do it. */
export const PKCS11_PROBLEMS = [
  'package_missing',
  'module_unusable',
  'pin_file_unusable',
  'pin_refused',
  'token_missing',
  'key_missing',
  'key_ambiguous',
  'key_unfit',
  'token_failed',
] as const;
export type Pkcs11Problem = (typeof PKCS11_PROBLEMS)[number];

export type Pkcs11Answer =
  | {
      readonly id: number;
      readonly ok: true;
      /** Base64: SPKI, or signature in COSE's form. */ readonly value: string;
    }
  | { readonly id: number; readonly ok: false; readonly problem: Pkcs11Problem; readonly detail: string };

export class Pkcs11Failure extends Error {
  constructor(
    readonly problem: Pkcs11Problem,
    detail: string,
  ) {
    super(detail);
    this.name = 'Pkcs11Failure';
  }
}
