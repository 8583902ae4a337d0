import { decode, encode } from 'cborg';
import { sha256 } from '../../shared/bytes.js';
import { ColophonError } from '../../shared/errors.js';
import { type StoredManifest } from '../domain/jumbf.js';
import { type PlannedIdentity } from '../domain/manifest-plan.js';
import { ClaimSignature } from './cose-sign1.js';

/** Signature type of an identity that is proved by an X.509 certificate (CAWG Identity 1.3 section 8.2). */
export const X509_SIGNATURE_TYPE = 'cawg.x509.cose';
export const IDENTITY_LABEL = /^cawg\.identity(__\d+)?$/;
export const HARD_BINDING_LABEL = /^c2pa\.hash\.(data|boxes|bmff\.v[23]|collection\.data)$/;
const ACTIONS_LABEL = 'c2pa.actions.v2';

/** URL and hash of one referenced assertion in CBOR, and what a map and its keys take. */
const REFERENCE_BYTES = 160;
const PAYLOAD_BYTES = 400;
/** So that the padding always has a length of two bytes, and every size can be reached exactly. */
const LEAST_PADDING_BYTES = 256;
/** `{"p": "..."}` in CBOR: map, key, and the three bytes before a text of 256 to 65,535 bytes. */
const PLACEHOLDER_OVERHEAD_BYTES = 6;

/** One for each key: reading its chain again for every file takes longer than signing. */
const signatures = new WeakMap<PlannedIdentity['key'], ClaimSignature>();

function signatureBy(key: PlannedIdentity['key']): ClaimSignature {
  const known = signatures.get(key) ?? new ClaimSignature(key);
  signatures.set(key, known);
  return known;
}

/**
 * The `cawg.identity` assertions of one manifest.
 *
 * They refer to the hash of the hard binding, which the C2PA library knows only while it writes the file, and they hold
 * byte strings, which the binding cannot write. So the library writes placeholders of exactly their size, and
 * {@link completeStore} puts the real ones in their place before the claim is signed.
 *
 * The library's own identity signer is not used: it does not pass `directCoseHandling` on, so a claim signature could
 * carry no time-stamp of ours; and version 0.8.0 writes a second identity of one manifest empty.
 */
export class IdentityAssertion {
  private readonly signature: ClaimSignature;

  constructor(private readonly planned: PlannedIdentity) {
    this.signature = signatureBy(planned.key);
  }

  get certificateSha256(): string {
    return this.signature.certificateSha256;
  }

  /** Data of the JSON assertion which the library writes in the place of this one. */
  get placeholder(): Record<string, unknown> {
    return { p: '0'.repeat(this.sizeBytes - PLACEHOLDER_OVERHEAD_BYTES) };
  }

  private get sizeBytes(): number {
    const references = (this.planned.references.length + 2) * REFERENCE_BYTES;
    return this.signature.sizeBytes + references + PAYLOAD_BYTES + LEAST_PADDING_BYTES;
  }

  /**
   * CBOR of the assertion, exactly as long as its placeholder.
   *
   * `signer_payload` is serialized in the order of the specification's schema, not sorted as its section 8.2 demands
   * (RFC 8949 section 4.2.1): c2pa-rs verifies the former and calls the latter a mismatch, and readers are built on it.
   *
   * @throws ColophonError `signer_unavailable`
   */
  async encode(manifest: StoredManifest): Promise<Uint8Array> {
    const wanted = new Set([ACTIONS_LABEL, ...this.planned.references]);
    const referenced = assertionReferences(manifest).filter(
      ({ label }) => wanted.has(label) || HARD_BINDING_LABEL.test(label),
    );
    const payload = new Map<string, unknown>([
      [
        'referenced_assertions',
        referenced.map(
          ({ url, hash }) =>
            new Map<string, unknown>([
              ['url', url],
              ['hash', hash],
            ]),
        ),
      ],
      ['sig_type', X509_SIGNATURE_TYPE],
      ['role', [...this.planned.roles]],
    ]);
    const { cose } = await this.signature.sign(encodeInOrder(payload));
    const signature = new Uint8Array(cose);
    const assertion = (padding: number) =>
      encodeInOrder(
        new Map<string, unknown>([
          ['signer_payload', payload],
          ['signature', signature],
          ['pad1', new Uint8Array(padding)],
        ]),
      );
    const padding = LEAST_PADDING_BYTES + this.sizeBytes - assertion(LEAST_PADDING_BYTES).length;
    if (padding < LEAST_PADDING_BYTES)
      throw new ColophonError('internal', 'An identity assertion is larger than the space kept for it.');
    return assertion(padding);
  }
}

export interface AssertionReference {
  readonly url: string;
  readonly label: string;
  readonly hash: Uint8Array;
}

/** The hashed URIs by which a claim of version 2 names the assertions of its own manifest. */
export function assertionReferences({ claim }: StoredManifest): AssertionReference[] {
  const decoded = claim === undefined ? undefined : (decode(claim, { useMaps: true }) as unknown);
  if (!(decoded instanceof Map)) return [];
  return ['created_assertions', 'gathered_assertions', 'assertions'].flatMap((list) => {
    const references: unknown = decoded.get(list);
    return Array.isArray(references) ? references.flatMap(referenceOf) : [];
  });
}

function referenceOf(reference: unknown): AssertionReference[] {
  if (!(reference instanceof Map)) return [];
  const url: unknown = reference.get('url');
  const hash: unknown = reference.get('hash');
  if (typeof url !== 'string' || !(hash instanceof Uint8Array)) return [];
  return [{ url, hash, label: url.split('/').at(-1) ?? '' }];
}

/** CBOR with map keys in the order in which they were put in. */
export function encodeInOrder(value: unknown): Uint8Array {
  return encode(value, { mapSorter: () => 0 });
}

export function assertionHash(hashed: Uint8Array): Buffer {
  return sha256(hashed);
}
