import { compactVerify, importX509 } from 'jose';
import { openCheckpoint } from '../../audit/core/checkpoint.js';
import { leafHash } from '../../audit/core/merkle.js';
import { verifyInclusion } from '../../audit/core/merkle-proof.js';
import { ED25519, noteKeyId, type NotePublicKey, parseVkey } from '../../audit/core/note-key.js';
import { type NoteVerifier, parseNote } from '../../audit/core/signed-note.js';
import { bytesEqual, encodeUtf8, formatBase64 } from '../../audit/core/strict-encoding.js';
import { parseTlogProof } from '../../audit/core/tlog-proof.js';
import { sha256, sha256Hex } from '../../shared/bytes.js';

/**
 * The checks of verify.html: the same rules of the log as everywhere in this program, and nothing of Node. Runs in a
 * browser from disk; signatures are checked by WebCrypto.
 */

export interface PageCheck {
  readonly state: 'yes' | 'no' | 'not_checked';
  readonly text: string;
  /** What is wrong, at most {@link MAX_FAULTS}. */
  readonly faults: readonly string[];
}

export interface PageResult {
  /** `unproved`: nothing is wrong, but who made it is not shown by what the reader gave. */
  readonly verdict: 'holds' | 'unproved' | 'does_not_hold';
  /** What the bundle says it is about. */
  readonly about: readonly (readonly [label: string, value: string])[];
  readonly checks: readonly PageCheck[];
}

export type BundleFiles = ReadonlyMap<string, Uint8Array>;

const MAX_FAULTS = 20;
const JWS_ALGORITHMS = ['ES256', 'ES384', 'PS256', 'Ed25519'];
const DOSSIER_TYPE = 'vnd.colophon.dossier+json';
const BUNDLE_TYPE = 'vnd.colophon.evidence-bundle+json';
/** Of earlier formats not every file is signed. */
const SIGNED_FORMAT = 5;

interface Log {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly checkpoint: Uint8Array;
}

/** @param expectedVkey the key of the log as the reader knows it from elsewhere; empty when they know none */
export async function verifyFiles(files: BundleFiles, expectedVkey: string): Promise<PageResult> {
  const checks: PageCheck[] = [];
  const ask = async (yes: string, work: (faults: string[]) => void | Promise<void>): Promise<void> => {
    const faults: string[] = [];
    try {
      await work(faults);
    } catch (error) {
      faults.push(error instanceof Error ? error.message : 'cannot be read');
    }
    const state = faults.length === 0 ? 'yes' : 'no';
    checks.push({ state, text: yes, faults: faults.slice(0, MAX_FAULTS) });
  };
  const dossier = readDossier(files);
  await ask('Every file has the SHA-256 that SHA256SUMS gives; none is missing, none was added.', (faults) =>
    checkSums(files, faults),
  );
  let log: Log | undefined;
  await ask('The key in log/vkey signed the state of the log in log/checkpoint (Ed25519).', async () => {
    log = await openLog(files);
  });
  checks.push(keyCheck(files, expectedVkey));
  const { count, check } = await checkEntries(files, log);
  checks.push({ ...check, text: `All ${count} entries are in that state of the log, unchanged (RFC 6962).` });
  await ask('Disclosed values are those that were sealed when the entries were written.', (faults) =>
    checkOpenings(files, faults),
  );
  await ask('The media file is the one whose signing the log recorded.', (faults) =>
    checkAsset(files, dossier, faults),
  );
  if ([...files.keys()].some((path) => path.startsWith('attachments/')))
    await ask('Attached files are those whose attachment the log recorded.', (faults) =>
      checkAttachments(files, faults),
    );
  let certificate = '';
  await ask('dossier.json is signed, byte for byte, by the certificate in dossier.jws.', async () => {
    certificate = await checkSignature(files, 'dossier', DOSSIER_TYPE);
  });
  if (isSignedAsWhole(files)) {
    await ask(
      'The same certificate signed the list of all files and their hashes (bundle.json, bundle.jws).',
      async (faults) => {
        const signer = await checkSignature(files, 'bundle', BUNDLE_TYPE);
        if (signer !== certificate) faults.push('dossier and bundle are signed by two keys');
        checkListed(files, faults);
      },
    );
    checks.push(keyInLogCheck(files, certificate, expectedVkey));
  } else checks.push(OLDER_FORMAT);
  const states = checks.map(({ state }) => state);
  const verdict = states.includes('no')
    ? 'does_not_hold'
    : states.includes('not_checked')
      ? 'unproved'
      : 'holds';
  return { verdict, about: aboutOf(dossier, log, certificate), checks };
}

function file(files: BundleFiles, path: string): Uint8Array {
  const bytes = files.get(path);
  if (bytes === undefined) throw new Error(`${path} is missing`);
  return bytes;
}

function checkSums(files: BundleFiles, faults: string[]): void {
  const listed = new Map<string, string>();
  for (const line of text(file(files, 'SHA256SUMS')).replace(/\n$/, '').split('\n')) {
    const [, sha256Text = '', path = ''] = /^([0-9a-f]{64}) {2}([\x21-\x7e]+)$/.exec(line) ?? [];
    if (path === '' || listed.has(path)) faults.push('SHA256SUMS has a malformed line');
    listed.set(path, sha256Text);
  }
  for (const [path, bytes] of files) {
    if (path === 'SHA256SUMS') continue;
    if (!listed.has(path)) faults.push(`${path} was added`);
    else if (listed.get(path) !== sha256Hex(bytes)) faults.push(`${path} was changed`);
  }
  for (const path of listed.keys()) if (!files.has(path)) faults.push(`${path} is missing`);
}

/** The signature is verified first, by WebCrypto, which is asynchronous; the rules of the note ask for its answer. */
async function openLog(files: BundleFiles): Promise<Log> {
  const key = parseVkey(text(file(files, 'log/vkey')).replace(/\n$/, ''));
  const checkpoint = file(files, 'log/checkpoint');
  const log = await verifierOf(key, checkpoint);
  const opened = openCheckpoint(checkpoint, { origin: key.name, log });
  const { origin, size, root } = opened.checkpoint;
  return { origin, size, root, checkpoint };
}

async function verifierOf(key: NotePublicKey, note: Uint8Array): Promise<NoteVerifier> {
  if (key.type !== ED25519) throw new Error('log/vkey is no key of a log');
  const parsed = parseNote(note);
  const message = encodeUtf8(parsed.text, 'the note');
  const keyId = noteKeyId(key);
  const imported = await importEd25519(key.publicKey);
  const good: Uint8Array[] = [];
  for (const { name, keyId: id, signature } of parsed.signatures) {
    if (name !== key.name || id !== keyId) continue;
    if (await crypto.subtle.verify({ name: 'Ed25519' }, imported, owned(signature), owned(message)))
      good.push(signature);
  }
  return {
    name: key.name,
    keyId,
    verify: (bytes, signature) =>
      bytesEqual(bytes, message) && good.some((each) => bytesEqual(each, signature)),
  };
}

async function importEd25519(publicKey: Uint8Array) {
  try {
    return await crypto.subtle.importKey('raw', owned(publicKey), { name: 'Ed25519' }, false, ['verify']);
  } catch {
    throw new Error('this browser does not know Ed25519; use a newer one, or the command in VERIFY.md');
  }
}

function keyCheck(files: BundleFiles, expectedVkey: string): PageCheck {
  const held = text(files.get('log/vkey') ?? new Uint8Array()).trim();
  if (expectedVkey.trim() === '') {
    const text = 'Whether that key is the organization\u2019s: you gave no key from elsewhere.';
    return { state: 'not_checked', text, faults: [] };
  }
  if (!isLogKey(expectedVkey.trim())) {
    const text =
      'Whether that key is the organization\u2019s: what you gave is no key of a log. Copy it again, whole.';
    return { state: 'not_checked', text, faults: [] };
  }
  const isSame = expectedVkey.trim() === held;
  return {
    state: isSame ? 'yes' : 'no',
    text: 'The key of the log is the one you gave.',
    faults: isSame ? [] : ['log/vkey is another key'],
  };
}

/** A key that was copied wrong says nothing about the bundle. */
function isLogKey(text: string): boolean {
  try {
    return parseVkey(text).type === ED25519;
  } catch {
    return false;
  }
}

async function checkEntries(
  files: BundleFiles,
  log: Log | undefined,
): Promise<{ count: number; check: Omit<PageCheck, 'text'> }> {
  const faults: string[] = [];
  let count = 0;
  for (const [path, bytes] of files) {
    const index = /^entries\/(0|[1-9][0-9]{0,15})\.json$/.exec(path)?.[1];
    if (index === undefined) continue;
    count += 1;
    try {
      if (log === undefined) throw new Error('the state of the log does not hold');
      const proof = parseTlogProof(file(files, `proofs/${index}.tlog-proof`));
      if (String(proof.index) !== index) throw new Error('the proof is that of another entry');
      if (!bytesEqual(proof.checkpoint, log.checkpoint)) throw new Error('the proof leads to another state');
      const claim = { index: proof.index, size: log.size, leafHash: leafHash(bytes), root: log.root };
      verifyInclusion(claim, proof.hashes);
    } catch (error) {
      faults.push(`${path}: ${error instanceof Error ? error.message : 'cannot be read'}`);
    }
    // Thousands of entries must not freeze the page.
    if (count % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  if (count === 0) faults.push('there are no entries');
  const state = faults.length === 0 ? 'yes' : 'no';
  return { count, check: { state, faults: faults.slice(0, MAX_FAULTS) } };
}

interface OpeningFile {
  readonly openings: Readonly<Record<string, { readonly salt: string; readonly value: string }>>;
}

function checkOpenings(files: BundleFiles, faults: string[]): void {
  for (const [path, bytes] of files) {
    const index = /^openings\/(.+)\.json$/.exec(path)?.[1];
    if (index === undefined) continue;
    const { openings } = json(bytes) as OpeningFile;
    const { sealed } = json(file(files, `entries/${index}.json`)) as { sealed?: Record<string, unknown> };
    for (const [field, { salt, value }] of Object.entries(openings)) {
      const commitment = sha256(Buffer.from(salt, 'base64url'), value).toString('base64url');
      if (sealed?.[field] !== commitment) faults.push(`${path}: ${field} is not what was sealed`);
    }
  }
}

interface Dossier {
  readonly reportId: string;
  readonly createdAt: string;
  readonly asset: { readonly id: string; readonly sha256: string; readonly entryIndex: number };
  readonly chain: readonly { readonly sha256: string; readonly manifestSha256: string }[];
}

function readDossier(files: BundleFiles): Dossier | undefined {
  try {
    return json(file(files, 'dossier.json')) as Dossier;
  } catch {
    return undefined;
  }
}

/** The entry of the asset names the hash of its bytes; the file with that hash must be there. */
function checkAsset(files: BundleFiles, dossier: Dossier | undefined, faults: string[]): void {
  if (dossier === undefined) throw new Error('dossier.json cannot be read');
  const { asset } = dossier;
  const entry = json(file(files, `entries/${asset.entryIndex}.json`)) as {
    type: string;
    subject: { id: string };
    data: { sha256?: string };
  };
  if (entry.type !== 'asset.signed' || entry.subject.id !== asset.id)
    faults.push('the entry that the dossier names is not the signing of this file');
  if (entry.data.sha256 !== asset.sha256) faults.push('the log recorded another SHA-256 than the dossier');
  const known = new Set(dossier.chain.flatMap((each) => [each.sha256, each.manifestSha256]));
  let isThere = false;
  for (const [path, bytes] of files) {
    if (!path.startsWith('assets/')) continue;
    const hash = sha256Hex(bytes);
    if (hash === asset.sha256) isThere = true;
    if (!known.has(hash)) faults.push(`${path} is no file of the dossier, or was changed`);
  }
  if (!isThere) faults.push('no media file has the SHA-256 that the log recorded');
}

/** Each lies under the id by which its entry names it. */
function checkAttachments(files: BundleFiles, faults: string[]): void {
  const recorded = new Map<string, unknown>();
  for (const [path, bytes] of files) {
    if (!path.startsWith('entries/')) continue;
    const { type, data } = json(bytes) as { type: string; data: { attachmentId?: string; sha256?: unknown } };
    if (type === 'contribution.attached') recorded.set(data.attachmentId ?? '', data.sha256);
  }
  for (const [path, bytes] of files) {
    if (!path.startsWith('attachments/')) continue;
    const id = path.slice('attachments/'.length).replace(/\.bin$/, '');
    if (recorded.get(id) !== sha256Hex(bytes)) faults.push(`${path} is not the file that was attached`);
  }
}

const OLDER_FORMAT: PageCheck = {
  state: 'not_checked',
  text: 'Who made the bundle: it says that it has an older format, of which not every file is signed. Ask for a new one.',
  faults: [],
};

function isSignedAsWhole(files: BundleFiles): boolean {
  try {
    return (json(file(files, 'bundle.json')) as { v: number }).v >= SIGNED_FORMAT;
  } catch {
    return true;
  }
}

/** Every file but the list, its signature and SHA256SUMS has the hash that the list gives. */
function checkListed(files: BundleFiles, faults: string[]): void {
  const { files: listed } = json(file(files, 'bundle.json')) as { files: { path: string; sha256: string }[] };
  const hashes = new Map(listed.map(({ path, sha256: hash }) => [path, hash]));
  for (const [path, bytes] of files) {
    if (['bundle.json', 'bundle.jws', 'SHA256SUMS'].includes(path)) continue;
    if (hashes.get(path) !== sha256Hex(bytes)) faults.push(`${path} is not the file that was signed`);
  }
  for (const path of hashes.keys()) if (!files.has(path)) faults.push(`${path} is missing`);
}

/** A certificate proves nothing by itself: the log that the reader knows must name it. */
function keyInLogCheck(files: BundleFiles, certificate: string, expectedVkey: string): PageCheck {
  const types: string[] = [];
  for (const [path, bytes] of files) {
    if (!path.startsWith('entries/')) continue;
    const { type, data } = json(bytes) as { type: string; data: { certificateSha256?: unknown } };
    if (data.certificateSha256 === certificate) types.push(type);
  }
  if (types.includes('report_key.compromised'))
    return { state: 'no', text: 'The key of the report is in the right hands.', faults: ['it was given up'] };
  if (!types.includes('report_key.activated'))
    return {
      state: 'not_checked',
      text: 'Who signed the report: no entry of this log names the key.',
      faults: [],
    };
  if (expectedVkey.trim() === '')
    return {
      state: 'not_checked',
      text: 'Who signed the report: the log in this bundle names the key, but you gave no key of the log from elsewhere.',
      faults: [],
    };
  return {
    state: 'yes',
    text: 'The log names the key that signed the report as one of its installation.',
    faults: [],
  };
}

/** @returns SHA-256 of the certificate */
async function checkSignature(files: BundleFiles, name: string, type: string): Promise<string> {
  const jws = text(file(files, `${name}.jws`));
  const header = json(Buffer.from(jws.split('.')[0] ?? '', 'base64url')) as {
    alg: string;
    typ: string;
    x5c: string[];
  };
  if (header.typ !== type || !JWS_ALGORITHMS.includes(header.alg))
    throw new Error(`this is no signature on ${name}.json`);
  const der = header.x5c[0] ?? '';
  const pem = `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----`;
  const key = await importX509(pem, header.alg);
  const { payload } = await compactVerify(jws, key, { algorithms: JWS_ALGORITHMS });
  if (!bytesEqual(payload, file(files, `${name}.json`)))
    throw new Error(`what is signed is another file than ${name}.json`);
  return sha256Hex(Buffer.from(der, 'base64'));
}

function aboutOf(
  dossier: Dossier | undefined,
  log: Log | undefined,
  certificate: string,
): PageResult['about'] {
  return [
    ...(dossier === undefined
      ? []
      : [
          ['Report', `${String(dossier.reportId)}, made ${String(dossier.createdAt)}`] as const,
          ['Asset', String(dossier.asset.id)] as const,
          ['SHA-256 of the asset', String(dossier.asset.sha256)] as const,
        ]),
    ...(log === undefined
      ? []
      : [
          ['Log', `${log.origin}, ${log.size} entries`] as const,
          ['Root of the log', formatBase64(log.root)] as const,
        ]),
    ...(certificate === '' ? [] : [['Certificate of the report, SHA-256', certificate] as const]),
  ];
}

function text(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

function json(bytes: Uint8Array): unknown {
  return JSON.parse(text(bytes));
}

/** WebCrypto wants a buffer of its own. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}
