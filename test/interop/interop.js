// Checks logs that this program writes with published Go modules only (golang.org/x/mod, transparency-dev/tessera,
// transparency-dev/formats), with a verifier in Python that was written from docs/spec/audit-log.md alone
// (verify_log.py), and with our own fsck beside them. `npm run interop [-- FOLDER VKEY]`; a FOLDER is checked in
// addition to the logs that are made here. What is not to be had on a machine (Go, its modules, Python, openssl) is
// named as NOT RUN, and the rest is checked.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { signCheckpoint } = await import('../../dist/src/audit/core/checkpoint.js');
const { CompactRange } = await import('../../dist/src/audit/core/compact-range.js');
const { cosignatureSigner } = await import('../../dist/src/audit/core/cosignature.js');
const { growLog } = await import('../../dist/src/audit/core/tile-growth.js');
const { inclusionProofFromTiles } = await import('../../dist/src/audit/core/tile-reading.js');
const { tilePath } = await import('../../dist/src/audit/core/tiles.js');
const { formatTlogProof } = await import('../../dist/src/audit/core/tlog-proof.js');
const { formatWitnessPolicy, parseWitnessPolicy } =
  await import('../../dist/src/audit/core/witness-policy.js');
const noteKey = await import('../../dist/src/audit/core/note-key.js');
const { verifyLog } = await import('../../dist/src/audit/verify/verify-log.js');
const { folderSource } = await import('../../dist/src/cli/log-fsck.js');
const { buildEntry } = await import('../../dist/src/audit/core/entry.js');
const { commitTo } = await import('../../dist/src/audit/core/commitment.js');

const SIZES = [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000, 1_000_000];
const ORIGIN = 'interop.example/logs/test';
const here = dirname(fileURLToPath(import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'colophon-interop-'));

function notRun(why, what) {
  console.log(`NOT RUN: ${why}. The logs are not checked with ${what}.`);
  return undefined;
}

function buildChecker() {
  if (spawnSync('go', ['version']).status !== 0) return notRun('there is no Go on this machine', 'Go');
  const cwd = join(here, 'go');
  if (spawnSync('go', ['mod', 'download'], { cwd, timeout: 180_000 }).status !== 0)
    return notRun('the Go modules cannot be downloaded from here', 'Go');
  const checker = join(work, 'checker');
  execFileSync('go', ['build', '-o', checker, '.'], { cwd, stdio: 'inherit' });
  return checker;
}

/** Arguments for verify_log.py -> what it says; `undefined` where it cannot run. */
function findPython() {
  const major = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']);
  if (major.status !== 0) return notRun('there is no Python 3.8 or later on this machine', 'Python');
  if (!/^OpenSSL [3-9]/.test(spawnSync('openssl', ['version'], { encoding: 'utf8' }).stdout ?? ''))
    return notRun('there is no OpenSSL 3 on this machine, which checks signatures for it', 'Python');
  return (...argv) => {
    const { status, stdout, stderr } = spawnSync('python3', [join(here, 'verify_log.py'), ...argv], {
      encoding: 'utf8',
    });
    return { ok: status === 0, text: `${stdout}${stderr}`.trim() };
  };
}

const logKey = noteKey.generatePrivateKey(ORIGIN, noteKey.ED25519);
const witnessKeys = [1, 2, 3].map((number) =>
  noteKey.generatePrivateKey(`interop.example/witness${number}`, noteKey.COSIGNATURE_V1),
);
const vkeyOf = (key) => noteKey.formatVkey(noteKey.publicKeyOf(key));
const policy = formatWitnessPolicy(
  parseWitnessPolicy(
    Buffer.from(
      [
        `log ${vkeyOf(logKey)}`,
        ...witnessKeys.map((key, i) => `witness w${i} ${vkeyOf(key)} http://127.0.0.1:9`),
        'group enough 2 w0 w1 w2',
        'quorum enough',
        '',
      ].join('\n'),
    ),
  ),
);

const plainEntry = (index) => Buffer.from(`entry ${index}`);

/** An entry of this program. */
const realEntry = (index) =>
  buildEntry({
    type: 'project.created',
    at: new Date(Date.UTC(2026, 10, 22) + index).toISOString(),
    actor: { kind: 'api_key', id: `key_${index}` },
    subject: { kind: 'project', id: `prj_${index}` },
    data: { name: `Fr\u00fchling "${index}" \u2013 \u{1f45f}` },
    sealed: { note: commitTo({ salt: Buffer.alloc(32, index), value: `secret ${index}` }) },
  }).bytes;

/** A log of `size` entries that grew in uneven steps, in a folder. */
async function writeLog(size, entryAt = plainEntry) {
  const folder = join(work, `log-${size}`);
  const files = new Map();
  const reader = { readTile: (tile) => Promise.resolve(files.get(tilePath(tile))) };
  let range = CompactRange.empty();
  for (let step = 1; range.size < size; step = Math.ceil(step * 2.7)) {
    const count = Math.min(step, size - range.size);
    const entries = Array.from({ length: count }, (_, i) => entryAt(range.size + i));
    const growth = await growLog(range, entries, reader);
    for (const { tile, bytes } of growth.tiles) files.set(tilePath(tile), bytes);
    range = growth.range;
  }
  const checkpoint = await signCheckpoint({ origin: ORIGIN, size, root: range.root() }, [
    noteKey.ed25519Signer(logKey),
    ...witnessKeys.slice(1).map((key) => cosignatureSigner(key, () => Math.floor(Date.now() / 1000))),
  ]);
  files.set('checkpoint', checkpoint);
  files.set('policy', Buffer.from(policy));
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  const proofs = [];
  for (const index of new Set([0, Math.floor(size / 2), size - 1].filter((i) => i >= 0 && i < size))) {
    const { proof } = await inclusionProofFromTiles(reader, index, size, range.root());
    writeFileSync(join(folder, `${index}.tlog-proof`), formatTlogProof({ index, hashes: proof, checkpoint }));
    writeFileSync(join(folder, `${index}.entry`), entryAt(index));
    proofs.push(join(folder, `${index}.tlog-proof`), join(folder, `${index}.entry`));
  }
  return { folder, proofs };
}

function check(checker, folder, vkey, proofs) {
  const { status, stdout, stderr } = spawnSync(checker, [folder, vkey, ...proofs], { encoding: 'utf8' });
  return { ok: status === 0, text: `${stdout}${stderr}`.trim() };
}

function flipBit(path) {
  const bytes = readFileSync(path);
  bytes[Math.floor(bytes.length / 2)] ^= 1;
  writeFileSync(path, bytes);
}

const failures = [];
const checker = buildChecker();
const python = findPython();
const vkey = vkeyOf(logKey);
const trust = { origin: ORIGIN, log: noteKey.ed25519Verifier(noteKey.publicKeyOf(logKey)) };
const opaque = { opaqueEntries: true };

/** Larger logs take Python minutes, and have no path that these do not have. */
const LARGEST_FOR_PYTHON = 70_000;

function checkInPython(size, folder, proofs, ...options) {
  if (python === undefined || size > LARGEST_FOR_PYTHON) return 'not run';
  const common = ['--vkey', vkey, '--policy', join(folder, 'policy'), ...options];
  const results = [python(folder, ...common)];
  for (let i = 0; i < proofs.length; i += 2)
    results.push(python('--proof', proofs[i], '--entry', proofs[i + 1], ...common));
  for (const { ok, text } of results) if (!ok) failures.push(`Python, size ${size}: ${text}`);
  return results.every(({ ok }) => ok) ? 'ok' : 'FAILED';
}

/** The control: each of them must see one flipped bit, and name the file. */
async function checkFlippedBit(folder, path, options) {
  flipBit(join(folder, path));
  if (checker && check(checker, folder, vkey, []).ok)
    failures.push(`Go does not see a flipped bit in ${path}`);
  // Without the policy the bits of a cosignature prove nothing, and nobody would miss them.
  const strict = { ...trust, policy: parseWitnessPolicy(Buffer.from(policy)) };
  const own = await verifyLog(folderSource(folder), strict, opaque);
  if (own.ok && own.policyMet) failures.push(`our fsck does not see a flipped bit in ${path}`);
  if (python) {
    const { ok, text } = python(folder, '--vkey', vkey, '--policy', join(folder, 'policy'), ...options);
    if (ok || !text.includes(path)) failures.push(`Python does not find a flipped bit in ${path}: ${text}`);
  }
  flipBit(join(folder, path));
}

try {
  for (const size of SIZES) {
    const { folder, proofs } = await writeLog(size);
    const go = checker && check(checker, folder, vkey, proofs);
    const own = await verifyLog(folderSource(folder), trust, opaque);
    const said = checkInPython(size, folder, proofs, '--opaque-entries');
    const goSaid = go === undefined ? 'not run' : go.ok ? 'ok' : 'FAILED';
    console.log(`size ${size}: Go ${goSaid}, Python ${said}, own fsck ${own.ok ? 'ok' : 'FAILED'}`);
    if (go && !go.ok) failures.push(`size ${size}: ${go.text}`);
    if (!own.ok) failures.push(`size ${size}: ${JSON.stringify(own.findings.slice(0, 3))}`);
    if (size === 70_000) await checkFlippedBit(folder, 'tile/entries/005', ['--opaque-entries']);
    rmSync(folder, { recursive: true });
  }
  const real = await writeLog(300, realEntry);
  console.log(`300 entries of this program: Python ${checkInPython(300, real.folder, real.proofs)}`);
  for (const path of [
    'checkpoint',
    'tile/0/000',
    'tile/1/000.p/1',
    'tile/entries/000',
    'tile/entries/001.p/44',
  ])
    await checkFlippedBit(real.folder, path, []);
  const [folder, givenVkey] = process.argv.slice(2);
  if (folder !== undefined) {
    const key = givenVkey ?? readFileSync(join(folder, 'vkey'), 'utf8').trim();
    const results = [checker && check(checker, folder, key, []), python?.(folder, '--vkey', key)];
    for (const result of results.filter((found) => found !== undefined)) {
      console.log(`${folder}:\n${result.text}`);
      if (!result.ok) failures.push(folder);
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
for (const failure of failures) console.error(failure);
process.exit(failures.length === 0 ? 0 : 1);
