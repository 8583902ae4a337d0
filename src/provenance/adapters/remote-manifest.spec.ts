import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { VerifyFile } from '../application/verify-file.js';
import { pictureWithRemoteManifest } from '../testing/remote-manifest-picture.js';
import { SigningWorkshop } from '../testing/signing-workshop.js';
import { KnownFiles } from '../testing/tampering/known-files.js';
import { remoteManifests } from './remote-manifest.js';

let server: Server;
let port: number;
let connections = 0;
beforeAll(async () => {
  server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());

/** Every address was asked about as a name first, so an operator who lists a host means its public addresses. */
const PRIVATE = ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '169.254.169.254', '10.0.0.1'];

describe('a manifest that a file says lies elsewhere', () => {
  it('is asked for at no host that the operator did not name', async () => {
    const looked: string[] = [];
    const resolver = (name: string) => (looked.push(name), Promise.resolve([]));
    for (const hosts of [[], ['example.org'], [`127.0.0.1:${port + 1}`]]) {
      const fetchManifest = remoteManifests(hosts, { resolver });
      for (const url of [
        `https://127.0.0.1:${port}/m.c2pa`,
        `http://127.0.0.1:${port}/m.c2pa`,
        'https://example.org.evil.test/m.c2pa',
        'https://example.org@evil.test/m.c2pa',
        'https://user:pass@example.org/m.c2pa',
        'https://example.org:8443/m.c2pa',
        'file:///etc/passwd',
        'data:application/c2pa,x',
        'not an address',
        '',
      ])
        expect(await fetchManifest(url)).toBeUndefined();
    }
    expect([connections, looked]).toEqual([0, []]);
  });

  it('is never fetched from a private address, even where the operator named the host', async () => {
    const hosts = PRIVATE.flatMap((host) => [host, `${host}:${port}`]);
    const fetchManifest = remoteManifests(hosts);
    for (const host of PRIVATE)
      for (const address of [`https://${host}/m.c2pa`, `https://${host}:${port}/m.c2pa`])
        expect(await fetchManifest(address)).toBeUndefined();
    expect(connections).toBe(0);
  });

  it('is not asked for by whoever verifies the file, and the answer says so', async () => {
    const workshop = await SigningWorkshop.create();
    const none = (): Promise<never> => Promise.reject(new Error('not asked for'));
    const before = connections;
    for (const url of [`https://localhost:${port}/m.c2pa`, 'https://169.254.169.254/latest/meta-data']) {
      const path = await pictureWithRemoteManifest(workshop, await workshop.picture(), url);
      const verifyFile = new VerifyFile(
        { verify: (file) => workshop.reader.verify(file), crJson: none, manifestStore: none },
        new KnownFiles('example.org/logs/org_1'),
        () => undefined,
        remoteManifests([`localhost:${port}`, '169.254.169.254']),
      );
      const { verification, remoteManifest, headline } = await verifyFile.verify(path);
      expect(verification.verdict).toBe('none');
      expect(remoteManifest).toEqual({ url, fetched: false });
      expect(headline).toBe('This file carries no manifest.');
    }
    expect(connections).toBe(before);
    await workshop.close();
  });

  it('is reached only where the operator allowed that network, too', async () => {
    const fetchManifest = remoteManifests([`localhost:${port}`], {
      allowedPrivateHosts: [`localhost:${port}`],
    });
    // No TLS is spoken here: it is not to be had, but the door was tried.
    expect(await fetchManifest(`https://localhost:${port}/m.c2pa`)).toBeUndefined();
    expect(connections).toBe(1);
  });
});
