import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile, truncate } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { generatedPlan, parentOf, action, SigningWorkshop } from '../testing/signing-workshop.js';
import { dataMining, pictureWithXmp, xmpPacket } from '../testing/reserved-pictures.js';
import { sha256Hex } from '../../shared/bytes.js';
import { type TrustList } from '../domain/trust-list.js';
import { LargeFileMemory } from './large-file-memory.js';
import { MAX_BYTES_IN_MEMORY } from './media-content.js';
import { VerificationProcess, type VerificationProcessOptions } from './verification-process.js';

const TYPESCRIPT = {
  childModuleUrl: new URL('./verification-child.ts', import.meta.url),
  childExecArgv: ['--import', new URL('../testing/typescript-loader.js', import.meta.url).href],
};

let workshop: SigningWorkshop;
const open: VerificationProcess[] = [];
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
});
afterAll(async () => {
  for (const each of open) each.close();
  await workshop.close();
});

function verifier(options: Partial<VerificationProcessOptions> = {}): VerificationProcess {
  const trust = { name: 'this installation', anchorsPem: workshop.keystore.caCertificatePem };
  const created = new VerificationProcess({ trust, ...TYPESCRIPT, ...options });
  open.push(created);
  return created;
}

/** A child program which answers `ready` and then does what is asked. */
async function childThat(onMessage: string): Promise<Partial<VerificationProcessOptions>> {
  const path = await workshop.write(
    Buffer.from(`process.on('message', (job) => { ${onMessage} }); process.send({ kind: 'ready' });`),
  );
  return { childModuleUrl: pathToFileURL(path), childExecArgv: [] };
}

const ANSWER = `process.send({ kind: 'verified', verification: { pid: process.pid, env: Object.keys(process.env), cwd: process.cwd() } })`;

describe('verification in a child process', () => {
  it('says the same as in this process', async () => {
    const first = await workshop.sign(await workshop.picture());
    const file = await workshop.sign(
      await workshop.picture(),
      generatedPlan({
        actions: [action('c2pa.edited', 'humanEdits')],
        ingredients: [parentOf(first)],
      }),
    );
    const child = verifier();
    const inProcess: unknown = JSON.parse(JSON.stringify(await workshop.verify(file)));
    expect(await child.verify(file)).toEqual(inProcess);
    expect((await child.verify(await workshop.picture())).verdict).toBe('none');
  });

  it('reads what a file reserves, and dies alone of what is made to kill it', async () => {
    const reserved = xmpPacket(dataMining('DMI-PROHIBITED-GENAIMLTRAINING'));
    const child = verifier();
    for (const format of ['png', 'avif'] as const) {
      const path = await workshop.write(await pictureWithXmp(format, reserved));
      expect(await child.readReservations({ path, mediaType: `image/${format}` })).toMatchObject({
        found: [
          { origin: 'plus.data-mining', act: 'generative-ai-training', use: 'notAllowed', constraint: null },
        ],
        unread: [],
      });
    }
    const dying = verifier(await childThat('process.kill(process.pid, "SIGSEGV")'));
    const file = await workshop.picture();
    await expect(dying.readReservations(file)).rejects.toMatchObject({ code: 'manifest_malformed' });
  });

  it('judges each file by the lists of that moment, in a child that has had others', async () => {
    const file = await workshop.sign(await workshop.picture());
    const { caCertificatePem: anchorsPem } = workshop.keystore;
    const list = (name: string, purpose: TrustList['purpose']): TrustList => ({
      ...{ name, purpose, source: 'test', issuedAt: undefined, nextUpdateAt: undefined },
      ...{ loadedAt: '2026-11-22T10:00:00Z', sha256: sha256Hex(anchorsPem), anchorsPem },
    });
    let lists: TrustList[] = [];
    const child = verifier({ trust: undefined, lists: () => lists, maxConcurrent: 1 });
    const trustedBy = async (...now: TrustList[]) => {
      lists = now;
      return (await child.verify(file)).trustedBy;
    };
    // A picture is looked at first: what it was sent along is kept for the files that need it.
    await child.probe(file.path);
    expect(await trustedBy(list('First', 'signers'))).toBe('First');
    expect(await trustedBy(list('First', 'signers'))).toBe('First');
    expect(await trustedBy(list('Second', 'signers'))).toBe('Second');
    expect(await trustedBy(list('Second', 'identities'))).toBe('no list');
    expect(await trustedBy()).toBe('no list');
    expect(await trustedBy(list('First', 'signers'))).toBe('First');
  });

  it('takes no answer to another question', async () => {
    const child = verifier(await childThat(ANSWER));
    const file = await workshop.picture();
    await expect(child.readReservations(file)).rejects.toMatchObject({ code: 'manifest_malformed' });
  });

  it('passes on the refusals of the reader', async () => {
    const path = await workshop.write(Buffer.from([0, 1, 2, 3, 0xff]));
    const child = verifier();
    await expect(child.verify({ path, mediaType: 'image/png' })).rejects.toMatchObject({
      code: 'unsupported_media',
    });
    const file = await workshop.sign(await workshop.picture());
    await truncate(file.path, 700);
    await expect(child.verify(file)).rejects.toMatchObject({
      code: expect.stringMatching(/^(media_corrupt|manifest_malformed)$/) as unknown,
    });
  });

  it('can be the inspector of the signer', async () => {
    const file = await workshop.sign(await workshop.picture());
    expect((await verifier().verify(file)).manifestSha256).toBe(file.signed.manifestSha256);
  });

  it('gives the child no environment and no working folder of ours', async () => {
    const child = verifier(await childThat(ANSWER));
    const { env, cwd } = (await child.verify(await workshop.picture())) as unknown as {
      env: string[];
      cwd: string;
    };
    // Node itself sets the variables of its channel.
    expect(env.filter((name) => !name.startsWith('NODE_CHANNEL'))).toEqual([]);
    expect(cwd).toBe('/');
  });

  it.each([
    ['dies', 'process.kill(process.pid, "SIGSEGV")'],
    ['ends', 'process.exit(0)'],
    ['hangs', 'while (true) {}'],
    ['runs out of heap', 'const a = []; while (true) a.push(new Array(100000).fill(job))'],
    ['answers nonsense', 'process.send("nonsense")'],
    ['answers with an unknown code', 'process.send({ kind: "refused", code: "__proto__", detail: "" })'],
  ])(
    'survives a child that %s',
    async (_what, program) => {
      const child = verifier({ ...(await childThat(program)), deadlineMs: 1500 });
      const file = await workshop.picture();
      await expect(child.verify(file)).rejects.toMatchObject({ code: 'manifest_malformed' });
      // and the next file gets a fresh child
      await expect(child.verify(file)).rejects.toMatchObject({ code: 'manifest_malformed' });
    },
    40_000,
  );

  it('ends a child that grows beyond its memory', async () => {
    const child = verifier({ memoryLimitBytes: 1024 });
    await expect(child.verify(await workshop.picture('image/png', 1500))).rejects.toMatchObject({
      code: 'manifest_malformed',
    });
  });

  it('says that it is our fault when the child does not start', async () => {
    const child = verifier({ childModuleUrl: new URL('file:///nonexistent.js'), childExecArgv: [] });
    await expect(child.verify(await workshop.picture())).rejects.toMatchObject({
      code: 'reader_unavailable',
    });
  });

  it('uses one child for files one after another, and at most two at a time', async () => {
    const child = verifier(await childThat(`setTimeout(() => ${ANSWER}, 50)`));
    const file = await workshop.picture();
    const pid = async () => ((await child.verify(file)) as unknown as { pid: number }).pid;
    const [one, two] = [await pid(), await pid()];
    expect(one).toBe(two);
    const pids = await Promise.all(Array.from({ length: 12 }, pid));
    expect(new Set(pids).size).toBeLessThanOrEqual(2);
    expect(pids).toContain(one);
  });

  it('reads no more large files at once than there is memory for, and fails those that wait when it is closed', async () => {
    const largePath = await workshop.write(Buffer.alloc(0));
    await truncate(largePath, 2 * MAX_BYTES_IN_MEMORY);
    const large = { path: largePath, mediaType: 'image/png' };
    const options = { maxConcurrent: 3, memory: new LargeFileMemory(1) };
    const child = verifier({ ...(await childThat(`setTimeout(() => ${ANSWER}, 20)`)), ...options });
    const pids = await Promise.all(
      [1, 2, 3].map(async () => ((await child.verify(large)) as unknown as { pid: number }).pid),
    );
    // One child after the other would have been started for files that are read at the same time.
    expect(new Set(pids).size).toBe(1);
    const hanging = verifier({ ...(await childThat('')), ...options });
    const calls = [hanging.verify(large), hanging.verify(large)];
    const codes = Promise.all(
      calls.map((call) => call.catch((error: unknown) => (error as { code: string }).code)),
    );
    await new Promise((resolve) => setImmediate(resolve));
    hanging.close();
    expect(await codes).toEqual(['reader_unavailable', 'reader_unavailable']);
  });

  it('turns callers away when too many wait, and serves those who do', async () => {
    const child = verifier({
      ...(await childThat(`setTimeout(() => ${ANSWER}, 200)`)),
      maxConcurrent: 1,
      maxQueued: 2,
    });
    const file = await workshop.picture();
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => child.verify(file)));
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(3);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'rate_limited' });
    await expect(child.verify(file)).resolves.toBeDefined();
  });

  it('refuses files over the limit and what is no file', async () => {
    const child = verifier({ maxFileBytes: 100 });
    const file = await workshop.picture();
    expect((await readFile(file.path)).length).toBeGreaterThan(100);
    await expect(child.verify(file)).rejects.toMatchObject({ code: 'payload_too_large' });
    await expect(child.verify({ path: workshop.folder, mediaType: 'image/png' })).rejects.toMatchObject({
      code: 'unsupported_media',
    });
  });

  it('fails what is in work and waiting when it is closed', async () => {
    const child = verifier({ ...(await childThat('')), maxConcurrent: 1 });
    const file = await workshop.picture();
    const calls = [child.verify(file), child.verify(file)].map((call) =>
      call.then(
        () => 'answered',
        () => 'failed',
      ),
    );
    await new Promise((resolve) => setImmediate(resolve));
    child.close();
    expect(await Promise.all(calls)).toEqual(['failed', 'failed']);
  });
});
