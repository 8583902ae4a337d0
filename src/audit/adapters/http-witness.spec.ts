import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeWitness } from '../../../test/fakes/witness/fake-witness.js';
import { type WitnessFault } from '../../../test/fakes/witness/witness-fault.js';
import { MemoryLog, readGolden } from '../../../test/vectors/tlog/vectors.js';
import { type WitnessAnswer } from '../application/witness.port.js';
import { formatAddCheckpoint } from '../core/add-checkpoint.js';
import { openCheckpoint, signCheckpoint } from '../core/checkpoint.js';
import { verifierFromVkey } from '../core/cosignature.js';
import {
  COSIGNATURE_V1,
  ED25519,
  ed25519Signer,
  generatePrivateKey,
  parsePrivateKey,
} from '../core/note-key.js';
import { formatSignatureLine } from '../core/signed-note.js';
import { consistencyProofFromTiles } from '../core/tile-reading.js';
import { HttpWitness } from './http-witness.js';

const golden = readGolden();
const signer = ed25519Signer(parsePrivateKey(golden.log.skey));
const log = { origin: golden.log.name, log: verifierFromVkey(golden.log.vkey) };

let fake: FakeWitness;
let witness: HttpWitness;
let tree: MemoryLog;

beforeEach(async () => {
  fake = await FakeWitness.start({ logs: [golden.log.vkey] });
  witness = clientOf(fake);
  tree = new MemoryLog();
  await tree.appendGolden(3);
});
afterEach(() => fake.stop());

function clientOf({ url, hostPort }: FakeWitness, deadlineMs = 5_000): HttpWitness {
  return new HttpWitness(`${url}/`, {
    allowedPrivateHosts: [hostPort],
    submissionDeadlineMs: deadlineMs,
    monitoringDeadlineMs: deadlineMs,
  });
}

async function checkpointOf(log = tree, origin = golden.log.name): Promise<Buffer> {
  return signCheckpoint({ origin, size: log.range.size, root: log.range.root() }, [signer]);
}

async function submit(oldSize: number, from = tree): Promise<WitnessAnswer> {
  const { size } = from.range;
  const { proof } = await consistencyProofFromTiles(from, oldSize, size, from.range.root());
  return witness.addCheckpoint({ oldSize, proof, checkpoint: await checkpointOf(from) });
}

/** What it answers to a request whose old size, proof and checkpoint need not fit. */
async function post(oldSize: number, proof: Buffer[], checkpoint: Uint8Array): Promise<[number, string]> {
  const body = formatAddCheckpoint({ oldSize, proof, checkpoint });
  const response = await fetch(`${fake.url}/add-checkpoint`, { method: 'POST', body });
  return [response.status, await response.text()];
}

describe('a witness that does right', () => {
  it('cosigns a log that grows, and its cosignatures open', async () => {
    const first = await submit(0);
    await tree.appendGolden(1, 300);
    const second = await submit(3);
    expect([first.kind, second.kind]).toEqual(['cosigned', 'cosigned']);
    if (second.kind !== 'cosigned') return;
    const lines = second.signatures.map(formatSignatureLine).join('');
    const note = Buffer.concat([await checkpointOf(), Buffer.from(lines)]);
    const { cosignatures } = openCheckpoint(note, { ...log, witnesses: [verifierFromVkey(fake.vkey)] });
    expect(cosignatures.map(({ name }) => name)).toEqual([fake.name]);
    expect(Math.abs((cosignatures[0]?.timestampSeconds ?? 0) - Date.now() / 1000)).toBeLessThan(60);
  });

  it('cosigns the same checkpoint again', async () => {
    await submit(0);
    expect((await submit(3)).kind).toBe('cosigned');
  });

  it('names the size that it cosigned last', async () => {
    await submit(0);
    await tree.appendGolden(2);
    expect(await submit(0)).toEqual({ kind: 'knows_size', size: 3 });
    expect(await submit(2)).toEqual({ kind: 'knows_size', size: 3 });
  });

  it('refuses another history', async () => {
    await submit(0);
    const other = new MemoryLog();
    await other.append(['x', 'y', 'z', 'u', 'v'].map((text) => Buffer.from(text)));
    expect(await submit(3, other)).toEqual({ kind: 'refused_history' });
    expect(fake.sizeOf(golden.log.name)).toBe(3);
  });

  it('shows what it cosigned last, to those who know the origin', async () => {
    expect(await witness.lastCheckpoint(golden.log.name)).toEqual({ kind: 'nothing' });
    await submit(0);
    const shown = await witness.lastCheckpoint(golden.log.name);
    if (shown.kind !== 'shown') throw new Error(shown.kind);
    expect(openCheckpoint(shown.note, log).checkpoint.size).toBe(3);
    expect(await witness.lastCheckpoint('other.example')).toEqual({ kind: 'nothing' });
  });

  it('remembers across a restart when it has a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'colophon-witness-'));
    const options = { stateFile: join(folder, 'state'), logs: [golden.log.vkey] };
    await fake.stop();
    fake = await FakeWitness.start(options);
    witness = clientOf(fake);
    await submit(0);
    await fake.stop();
    fake = await FakeWitness.start(options);
    witness = clientOf(fake);
    await tree.appendGolden(2);
    expect(await submit(0)).toEqual({ kind: 'knows_size', size: 3 });
    await rm(folder, { recursive: true });
  });

  it('answers as the specification says, check by check', async () => {
    const checkpoint = await checkpointOf();
    const unknown = await signCheckpoint({ origin: 'unknown.example', size: 3, root: tree.range.root() }, [
      signer,
    ]);
    const stranger = ed25519Signer(generatePrivateKey(golden.log.name, ED25519));
    const unsigned = await signCheckpoint({ origin: golden.log.name, size: 3, root: tree.range.root() }, [
      stranger,
    ]);
    const body = checkpoint.toString();
    // The signature stays decodable: another letter in its middle.
    const at = body.length - 30;
    const forged = Buffer.from(body.slice(0, at) + (body[at] === 'A' ? 'B' : 'A') + body.slice(at + 1));
    expect((await post(0, [], unknown))[0]).toBe(404);
    expect((await post(0, [], unsigned))[0]).toBe(403);
    expect((await post(0, [], forged))[0]).toBe(403);
    expect((await post(4, [], checkpoint))[0]).toBe(400);
    expect(await post(2, [Buffer.alloc(32)], checkpoint)).toEqual([409, '0\n']);
    expect((await post(0, [Buffer.alloc(32)], checkpoint))[0]).toBe(422);
    expect((await post(0, [], checkpoint))[0]).toBe(200);
    expect((await post(3, [Buffer.alloc(32)], checkpoint))[0]).toBe(422);
    expect((await fetch(`${fake.url}/add-checkpoint`, { method: 'POST', body: 'old' })).status).toBe(400);
    expect((await fetch(`${fake.url}/elsewhere`)).status).toBe(404);
    expect(fake.sizeOf(golden.log.name)).toBe(3);
  });

  it('lets one of two racing submissions win, and never goes back', async () => {
    await submit(0);
    const bigger = new MemoryLog();
    await bigger.appendGolden(3, 5);
    await tree.appendGolden(1);
    const answers = await Promise.all([submit(3), submit(3, bigger)]);
    expect(answers.map(({ kind }) => kind).sort()).toEqual(['cosigned', 'knows_size']);
  });
});

describe('a witness that does wrong', () => {
  it.each<[WitnessFault, string]>([
    ['down', 'the connection was lost'],
    ['status-500', 'it answers with status 500'],
    ['redirect', 'the address redirects, and redirects are not followed'],
    ['garbage', 'its answer cannot be read: the answer is not valid UTF-8'],
    ['html', 'its answer cannot be read: a signature line is not'],
    ['empty', 'its answer cannot be read: the answer does not end with a newline'],
    ['truncated', 'the answer broke off'],
    ['huge', 'the answer is larger than 65536 bytes'],
    ['many', 'the answer is larger than 65536 bytes'],
    ['conflict-words', 'its answer cannot be read: the size is not a decimal number'],
    ['conflict-plain', 'it answers with status 409 without naming a size'],
    ['claims-huge', 'its answer cannot be read: the size is 2^53 or larger'],
  ])('%s: is unavailable, and says why', async (fault, reason) => {
    fake.misbehave(fault);
    const answer = await submit(0);
    expect(answer.kind).toBe('unavailable');
    if (answer.kind === 'unavailable') {
      expect(answer.reason).toContain(reason);
      expect(answer.reason).not.toContain('127.0.0.1');
    }
    if (['down', 'truncated'].includes(fault)) {
      expect(await witness.lastCheckpoint(golden.log.name)).toEqual({ kind: 'unavailable' });
    }
  });

  it('that never answers is given up at the deadline', async () => {
    fake.misbehave('hang');
    witness = clientOf(fake, 200);
    expect(await submit(0)).toEqual({
      kind: 'unavailable',
      reason: 'no complete answer within the time limit',
    });
    expect(await witness.lastCheckpoint(golden.log.name)).toEqual({ kind: 'unavailable' });
  });

  it.each<[string, string]>([
    ['', 'the address is not a URL'],
    ['not-a-url', 'the address is not a URL'],
    ['http://169.254.169.254', 'only https addresses are fetched'],
    ['https://127.0.0.1:1', 'only port 443 is contacted'],
  ])('or has the address "%s" is not contacted', async (url, reason) => {
    witness = new HttpWitness(url, {});
    expect(await submit(0)).toEqual({ kind: 'unavailable', reason });
    expect(await witness.lastCheckpoint(golden.log.name)).toEqual({ kind: 'unavailable' });
  });

  it('or does not know the log says so', async () => {
    const other = await FakeWitness.start({ key: generatePrivateKey('w', COSIGNATURE_V1) });
    witness = clientOf(other);
    expect(JSON.stringify(await submit(0))).toContain('it does not know this log (status 404)');
    await other.stop();
    expect(await submit(0)).toEqual({ kind: 'unavailable', reason: 'no connection could be made' });
  });
});
