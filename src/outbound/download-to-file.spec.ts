import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Download, downloadToFile } from './download-to-file.js';

let folder: string;
let server: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-download-'));
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  await rm(folder, { recursive: true });
});

async function download(listener: RequestListener, maxResponseBytes = 10_000_000): Promise<Download> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  const hostPort = `127.0.0.1:${(started.address() as AddressInfo).port}`;
  return downloadToFile({
    url: `http://${hostPort}/file`,
    allowedPrivateHosts: [hostPort],
    maxResponseBytes,
    deadlineMs: 2000,
    destinationPath: join(folder, 'sub', 'file.bin'),
  });
}

const filesLeft = (): Promise<string[]> => readdir(join(folder, 'sub')).catch(() => []);

describe('downloadToFile', () => {
  it('stores the bytes and says their hash, size and claimed type', async () => {
    const bytes = Buffer.alloc(3_000_000, 'colophon');
    const result = await download((_request, response) => {
      response.writeHead(200, { 'content-type': 'Image/PNG; charset=binary' }).end(bytes);
    });
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(result).toEqual({ sha256, sizeBytes: 3_000_000, declaredMediaType: 'image/png' });
    expect(await filesLeft()).toEqual(['file.bin']);
    expect((await readFile(join(folder, 'sub', 'file.bin'))).equals(bytes)).toBe(true);
  });

  const failures: [string, RequestListener, string][] = [
    ['a missing file', (_request, response) => response.writeHead(404).end('no'), 'upstream_error'],
    ['an error page', (_request, response) => response.writeHead(503).end('no'), 'upstream_error'],
    ['an empty file', (_request, response) => response.writeHead(200).end(), 'upstream_invalid'],
    ['no content', (_request, response) => response.writeHead(204).end(), 'upstream_error'],
    [
      'a file over the limit',
      (_request, response) => response.writeHead(200).end(Buffer.alloc(20_000)),
      'upstream_invalid',
    ],
    [
      'a file that breaks off',
      (_request, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('half', () => response.destroy());
      },
      'upstream_invalid',
    ],
    [
      'a redirect',
      (_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      'url_blocked',
    ],
  ];
  it.each(failures)('leaves no file behind after %s', async (_name, listener, code) => {
    await expect(download(listener, 10_000)).rejects.toMatchObject({ code });
    expect(await filesLeft()).toEqual([]);
  });

  it('ignores a malformed media type', async () => {
    const result = await download((_request, response) =>
      response.writeHead(200, { 'content-type': 'a b/<c>' }).end('x'),
    );
    expect(result.declaredMediaType).toBeUndefined();
  });

  it('does not touch an existing file when the download fails', async () => {
    await download((_request, response) => response.end('first'));
    server?.close();
    await writeFile(join(folder, 'sub', 'file.bin'), 'first');
    await expect(download((_request, response) => response.writeHead(500).end())).rejects.toThrow();
    expect(await readFile(join(folder, 'sub', 'file.bin'), 'utf8')).toBe('first');
  });
});
