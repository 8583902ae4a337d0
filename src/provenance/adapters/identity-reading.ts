import { constants, verify, X509Certificate, type KeyObject } from 'node:crypto';
import { decode, encode } from 'cborg';
import { storedManifests, type StoredAssertion, type StoredManifest } from '../domain/jumbf.js';
import { type NamedActor } from '../domain/media-verifier.port.js';
import { type ClaimFinding } from '../domain/signature-finding.js';
import { type Clock } from '../../shared/clock.js';
import { type TrustList, type TrustListUse, trustListUse } from '../domain/trust-list.js';
import { type IdentitiesByManifest } from './chain-tree.js';
import { DOCUMENT_SIGNING, IdentityAnchors, isWithin } from './identity-chain.js';
import {
  type AssertionReference,
  assertionReferences,
  encodeInOrder,
  HARD_BINDING_LABEL,
  IDENTITY_LABEL,
  X509_SIGNATURE_TYPE,
} from './identity-assertion.js';

/** More manifests or identities than this are made to keep a reader busy. */
const MAX_MANIFESTS = 1000;
const MAX_IDENTITIES = 20;
const MAX_ASSERTION_BYTES = 256 * 1024;
const MAX_CHAIN = 10;
interface IdentityList {
  readonly list: TrustList;
  readonly anchors: IdentityAnchors;
}

/**
 * The named actors of every manifest of a store. They are checked here and not by the C2PA library: version 0.8.0 of the
 * binding finds no certificate trusted whatever its settings, and counts that against the whole file.
 */
export class IdentityReading {
  private readonly lists: readonly IdentityList[];

  /** @param lists those for identities count, in their order */
  constructor(
    lists: readonly TrustList[],
    private readonly clock: Clock,
  ) {
    this.lists = lists
      .filter(({ purpose }) => purpose === 'identities')
      .map((list) => ({ list, anchors: new IdentityAnchors(certificatesIn(list.anchorsPem)) }));
  }

  /** @param claims say when a manifest was signed, where a trusted time-stamp says so; otherwise now counts */
  async read(store: Buffer, claims: readonly ClaimFinding[]): Promise<IdentitiesByManifest> {
    const times = new Map(claims.map(({ manifestLabel, trustedTime }) => [manifestLabel, trustedTime]));
    const identities = new Map<string, readonly NamedActor[]>();
    for (const manifest of storedManifests(store).slice(-MAX_MANIFESTS)) {
      const { manifestLabel } = manifest;
      const time = times.get(manifestLabel);
      const at = time === undefined ? this.clock.now() : new Date(time);
      identities.set(manifestLabel, await identitiesOf(manifest, (chain) => this.listFor(chain, at), at));
    }
    return identities;
  }

  private async listFor(chain: readonly X509Certificate[], at: Date): Promise<TrustListUse | undefined> {
    for (const { list, anchors } of this.lists)
      if (await anchors.vouchFor(chain, at)) return trustListUse(list, this.clock.now());
    return undefined;
  }
}

/** Who vouches for a chain of certificates. */
type FindList = (chain: readonly X509Certificate[]) => Promise<TrustListUse | undefined>;

async function identitiesOf(manifest: StoredManifest, listFor: FindList, at: Date): Promise<NamedActor[]> {
  const found = manifest.assertions
    .filter(({ label }) => IDENTITY_LABEL.test(label))
    .slice(0, MAX_IDENTITIES);
  if (found.length === 0) return [];
  const claimed = tolerantly(() => assertionReferences(manifest)) ?? [];
  const actors: NamedActor[] = [];
  for (const assertion of found) {
    // Content of manifests is hostile: what cannot be read is malformed, whatever the reason.
    const read = await readIdentity(assertion, claimed, listFor, at).catch(() => MALFORMED);
    actors.push({ ...read, label: assertion.label });
  }
  return actors;
}

const MALFORMED: NamedActor = {
  label: '',
  name: undefined,
  organization: undefined,
  roles: [],
  signatureType: undefined,
  state: 'broken',
  problem: 'cawg.identity.cbor.invalid',
  trustedBy: undefined,
  trustList: undefined,
  references: [],
  certificateSha256: undefined,
};

/** Content of manifests is hostile: what cannot be read is malformed, whatever the reason. */
function tolerantly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

type CborMap = ReadonlyMap<unknown, unknown>;

function mapOf(value: unknown): CborMap {
  if (!(value instanceof Map)) throw new Error('not a map');
  return value;
}

async function readIdentity(
  { content }: StoredAssertion,
  claimed: readonly AssertionReference[],
  listFor: FindList,
  at: Date,
): Promise<NamedActor> {
  if (content.length > MAX_ASSERTION_BYTES) return MALFORMED;
  const assertion = mapOf(decode(content, { useMaps: true, rejectDuplicateMapKeys: true }));
  const payload = mapOf(assertion.get('signer_payload'));
  const signatureType = textOf(payload.get('sig_type'));
  const roles = listOf(payload.get('role')).flatMap((role) => textOf(role) ?? []);
  const references = listOf(payload.get('referenced_assertions')).map(mapOf);
  const labels = references.map((reference) => textOf(reference.get('url'))?.split('/').at(-1) ?? '');
  const stated = { ...MALFORMED, roles, signatureType, references: labels };
  const problem = referenceProblem(references, claimed) ?? padProblem(assertion);
  if (problem !== undefined) return { ...stated, problem };
  if (signatureType !== X509_SIGNATURE_TYPE)
    return { ...stated, state: 'not_checked', problem: 'cawg.identity.sig_type.unknown' };
  const signature = assertion.get('signature');
  if (!(signature instanceof Uint8Array)) return stated;
  return { ...stated, ...(await readSignature(signature, payload, listFor, at)) };
}

/** CAWG Identity 1.3 section 7: each reference is one of the claim, none twice, and the hard binding is among them. */
function referenceProblem(
  references: readonly CborMap[],
  claimed: readonly AssertionReference[],
): string | undefined {
  const urls = references.map((reference) => textOf(reference.get('url')));
  if (new Set(urls).size !== urls.length) return 'cawg.identity.assertion.duplicate';
  for (const reference of references) {
    const hash = reference.get('hash');
    const known = claimed.find(({ url }) => url === reference.get('url'));
    if (known === undefined || !(hash instanceof Uint8Array) || Buffer.compare(known.hash, hash) !== 0)
      return 'cawg.identity.assertion.mismatch';
  }
  const bound = urls.some((url) => HARD_BINDING_LABEL.test(url?.split('/').at(-1) ?? ''));
  return bound ? undefined : 'cawg.identity.hard_binding_missing';
}

function padProblem(assertion: CborMap): string | undefined {
  const pads = [assertion.get('pad1'), assertion.get('pad2')].filter((pad) => pad !== undefined);
  const zero = pads.every((pad) => pad instanceof Uint8Array && pad.every((byte) => byte === 0));
  return zero ? undefined : 'cawg.identity.pad.invalid';
}

/** COSE header labels and algorithms (RFC 9052, RFC 9053, RFC 9360). */
const HEADER_ALG = 1;
const HEADER_X5CHAIN = 33;
const COSE_SIGN1_TAG = 18;
const ALGORITHMS: ReadonlyMap<unknown, { hash: string | null; pss?: true }> = new Map([
  [-7, { hash: 'sha256' }],
  [-35, { hash: 'sha384' }],
  [-36, { hash: 'sha512' }],
  [-37, { hash: 'sha256', pss: true }],
  [-38, { hash: 'sha384', pss: true }],
  [-39, { hash: 'sha512', pss: true }],
  [-8, { hash: null }],
]);

async function readSignature(
  signature: Uint8Array,
  payload: CborMap,
  listFor: FindList,
  at: Date,
): Promise<Partial<NamedActor>> {
  const parts: unknown = decode(signature, {
    useMaps: true,
    tags: { [COSE_SIGN1_TAG]: (inner): unknown => inner() },
  });
  const [protectedBytes, unprotected, , value] = listOf(parts);
  if (!(protectedBytes instanceof Uint8Array) || !(value instanceof Uint8Array)) return {};
  const header = mapOf(decode(protectedBytes, { useMaps: true }));
  const x5chain =
    header.get(HEADER_X5CHAIN) ??
    (unprotected instanceof Map ? (unprotected as CborMap).get(HEADER_X5CHAIN) : undefined);
  const chain = (x5chain instanceof Uint8Array ? [x5chain] : listOf(x5chain))
    .slice(0, MAX_CHAIN)
    .map((der) => new X509Certificate(der as Uint8Array));
  const [leaf] = chain;
  if (leaf === undefined) return {};
  const who = {
    name: nameIn(leaf, 'CN'),
    organization: nameIn(leaf, 'O'),
    certificateSha256: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
  if (!signatureHolds(header.get(HEADER_ALG), protectedBytes, payload, value, leaf.publicKey))
    return { ...who, problem: 'cawg.x509.signature.mismatch' };
  if (!isWithin(leaf, at)) return { ...who, problem: 'cawg.x509.signature.outside_validity' };
  if (leaf.ca || !(leaf.keyUsage ?? []).includes(DOCUMENT_SIGNING))
    return { ...who, problem: 'cawg.x509.credential.invalid' };
  const trustList = await listFor(chain);
  return { ...who, state: 'valid', problem: undefined, trustedBy: trustList?.name, trustList };
}

/**
 * Over the payload as it was written, or with its keys sorted as section 8.2 asks (RFC 8949 section 4.2.1): writers differ
 * in which of the two they sign.
 */
function signatureHolds(
  algorithm: unknown,
  protectedBytes: Uint8Array,
  payload: CborMap,
  signature: Uint8Array,
  publicKey: KeyObject,
): boolean {
  const known = ALGORITHMS.get(algorithm);
  if (known === undefined) return false;
  const key = {
    key: publicKey,
    dsaEncoding: 'ieee-p1363' as const,
    ...(known.pss && {
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    }),
  };
  return [encodeInOrder(payload), encode(payload)].some((bytes) => {
    const toBeSigned = encode(['Signature1', protectedBytes, new Uint8Array(0), bytes]);
    return tolerantly(() => verify(known.hash, toBeSigned, key, signature)) === true;
  });
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** A list in which something cannot be read vouches for nobody by that. */
function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(PEM_CERTIFICATE) ?? []).flatMap(
    (text) => tolerantly(() => new X509Certificate(text)) ?? [],
  );
}

/** Node's `subject` escapes characters; the fields of the older form are as the certificate has them, lists where repeated. */
function nameIn(certificate: X509Certificate, attribute: 'CN' | 'O'): string | undefined {
  const value: unknown = certificate.toLegacyObject().subject[attribute];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return textOf(first);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
