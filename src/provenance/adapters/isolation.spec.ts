import { createServer, type Server } from 'node:net';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isColophonError } from '../../shared/errors.js';
import { parserBombs } from '../testing/parser-bombs.js';
import { type MediaFile, SigningWorkshop } from '../testing/signing-workshop.js';
import { findIsolation } from './isolation.js';
import { VerificationProcess, type VerificationProcessOptions } from './verification-process.js';

const TYPESCRIPT = {
  childModuleUrl: new URL('./verification-child.ts', import.meta.url),
  childExecArgv: ['--import', new URL('../testing/typescript-loader.js', import.meta.url).href],
};
const MEBIBYTE = 1024 * 1024;

let workshop: SigningWorkshop;
let signed: MediaFile;
let server: Server;
let port: number;
const open: VerificationProcess[] = [];
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
  signed = await workshop.sign(await workshop.picture());
  server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as { port: number }).port;
});
afterAll(async () => {
  for (const each of open) each.close();
  server.close();
  await workshop.close();
});

function verifier(options: Partial<VerificationProcessOptions> = {}): VerificationProcess {
  const trust = { name: 'this installation', anchorsPem: workshop.keystore.caCertificatePem };
  const created = new VerificationProcess({ trust, ...TYPESCRIPT, ...options });
  open.push(created);
  return created;
}

async function childThat(onMessage: string): Promise<Partial<VerificationProcessOptions>> {
  const program = `import net from 'node:net';
    process.on('message', (job) => { ${onMessage} }); process.send({ kind: 'ready' });`;
  const path = `${workshop.newPath()}.mjs`;
  await (await import('node:fs/promises')).writeFile(path, program);
  return { childModuleUrl: pathToFileURL(path), childExecArgv: [] };
}

describe('the process that parses files of strangers', () => {
  it('says in words what it has been deprived of', async () => {
    const isolation = await findIsolation({ memoryLimitBytes: 512 * MEBIBYTE, cpuLimitSeconds: 60 });
    expect(isolation.text).toContain(isolation.hasNoNetwork ? 'without network' : 'set to fetch nothing');
    expect(isolation.text).toContain(isolation.hasKernelLimits ? 'by the kernel' : 'watched by itself');
    expect(await verifier().describeIsolation()).toContain('files of strangers are parsed');
  });

  it('reaches not even this machine, where the system allows that', async () => {
    const { hasNoNetwork } = await findIsolation({ memoryLimitBytes: 1024 * MEBIBYTE, cpuLimitSeconds: 120 });
    const child = verifier(
      await childThat(`const socket = net.connect(${port}, '127.0.0.1');
        const say = (word) => process.send({ kind: 'verified', verification: { word } });
        socket.on('connect', () => say('connected')); socket.on('error', () => say('no network'));`),
    );
    const { word } = (await child.verify(signed)) as unknown as { word: string };
    expect(word).toBe(hasNoNetwork ? 'no network' : 'connected');
  });

  it('is ended by the kernel or by itself when it takes more memory than one file may need', async () => {
    const child = verifier({
      ...(await childThat(`const held = []; for (;;) held.push(Buffer.alloc(64 * 1024 * 1024, 1));`)),
      memoryLimitBytes: 128 * MEBIBYTE,
    });
    const { hasKernelLimits } = await findIsolation({
      memoryLimitBytes: 128 * MEBIBYTE,
      cpuLimitSeconds: 120,
    });
    // Without the kernel this child, which does not watch itself, would only end at its deadline.
    if (!hasKernelLimits) return;
    await expect(child.verify(signed)).rejects.toMatchObject({ code: 'manifest_malformed' });
  });

  it('answers every bomb with a clear refusal or a sober result, and others meanwhile', async () => {
    const png = await readFile((await workshop.picture()).path);
    const child = verifier({ deadlineMs: 20_000, maxConcurrent: 2 });
    for (const [name, { bytes, mediaType }] of Object.entries(parserBombs(png))) {
      const path = await workshop.write(bytes);
      const [bomb, other] = await Promise.all([
        child.verify({ path, mediaType }).then(
          ({ verdict }) => verdict,
          (error: unknown) => (isColophonError(error) ? error.code : `${name}: ${String(error)}`),
        ),
        child.verify(signed),
      ]);
      expect(['none', 'broken', 'media_corrupt', 'manifest_malformed', 'unsupported_media']).toContain(bomb);
      expect(other.verdict).toBe('intact_and_trusted');
    }
  });

  it('represents a manifest store as crJSON, and says plainly when there is none', async () => {
    const child = verifier();
    const document = JSON.parse(await child.crJson(signed)) as { '@context': object; manifests: object[] };
    expect(document['@context']).toMatchObject({ '@vocab': expect.stringContaining('crjson') as unknown });
    expect(document.manifests).toHaveLength(1);
    await expect(child.crJson(await workshop.picture())).rejects.toMatchObject({ code: 'no_manifest' });
    const cut = (await readFile(signed.path)).subarray(0, 700);
    const path = await workshop.write(cut);
    await expect(child.crJson({ ...signed, path })).rejects.toMatchObject({
      code: expect.stringMatching(/malformed|corrupt|no_manifest/) as unknown,
    });
  });
});
