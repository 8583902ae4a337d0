import { X509Certificate, verify } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../shared/clock.js';
import { openFileKeystore } from './file-keystore.js';

const FILES = ['claim-ca-key.pem', 'claim-ca.pem', 'claim-chain.pem', 'claim-key.pem'];
const DAY_MS = 86_400_000;

let home: string;
let folder: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'colophon-keys-'));
  folder = join(home, 'keys');
});
afterEach(() => rm(home, { recursive: true, force: true }));

const openKeys = (clock = systemClock) => openFileKeystore({ folder, clock });

describe('file keystore', () => {
  it('creates keys once, readable by the owner only, and finds them again', async () => {
    const first = await openKeys();
    expect(first.created).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(FILES);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    for (const file of FILES) expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);

    const second = await openKeys();
    expect(second.created).toBe(false);
    expect(second.claimKey.certificateChainPem).toBe(first.claimKey.certificateChainPem);
    expect(second.caCertificatePem).toBe(first.caCertificatePem);
  });

  it('issues a certificate that says it is not to be trusted and lives a year at most', async () => {
    const { claimKey, caCertificatePem, certificateNotAfter } = await openKeys();
    const leaf = new X509Certificate(claimKey.certificateChainPem);
    const ca = new X509Certificate(caCertificatePem);
    for (const name of [leaf.subject, leaf.issuer, ca.subject]) {
      // A comma is written with a backslash in a distinguished name (RFC 4514).
      expect(name).toMatch(/O=Colophon \(Development\\, not trusted\)/);
      expect(name).toMatch(/CN=.*\(Development\\, not trusted\)/);
    }
    expect(leaf.verify(ca.publicKey)).toBe(true);
    expect([leaf.ca, ca.ca]).toEqual([false, true]);
    expect(leaf.keyUsage).toEqual(['1.3.6.1.4.1.62558.2.1', '1.3.6.1.5.5.7.3.36']);
    const validityMs = Date.parse(leaf.validTo) - Date.parse(leaf.validFrom);
    expect(validityMs).toBeLessThanOrEqual(366 * DAY_MS);
    expect(certificateNotAfter.toISOString()).toBe(new Date(leaf.validTo).toISOString());
    expect(claimKey.certificateNotAfter).toEqual(certificateNotAfter);
  });

  it('signs in the form that COSE wants', async () => {
    const { claimKey } = await openKeys();
    const bytes = Buffer.from('claim');
    const signature = await claimKey.sign(bytes);
    const key = new X509Certificate(claimKey.certificateChainPem).publicKey;
    expect(signature).toHaveLength(64);
    expect(verify('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
  });

  it.each(FILES)('refuses %s when others can read it', async (file) => {
    await openKeys();
    await chmod(join(folder, file), 0o640);
    await expect(openKeys()).rejects.toMatchObject({
      code: 'signer_unavailable',
      message: expect.stringContaining(`${file} can be read by others (mode 0640)`) as unknown,
    });
  });

  it('refuses a folder that is open to others, and a key behind a symbolic link', async () => {
    await openKeys();
    await chmod(folder, 0o755);
    await expect(openKeys()).rejects.toMatchObject({ code: 'signer_unavailable' });
    await chmod(folder, 0o700);

    const moved = join(home, 'elsewhere.pem');
    await writeFile(moved, await readFile(join(folder, 'claim-key.pem')), { mode: 0o600 });
    await unlink(join(folder, 'claim-key.pem'));
    await symlink(moved, join(folder, 'claim-key.pem'));
    await expect(openKeys()).rejects.toMatchObject({ code: 'signer_unavailable' });
  });

  it('refuses an expired certificate and says since when', async () => {
    const { certificateNotAfter } = await openKeys();
    const clock = { now: () => new Date(certificateNotAfter.getTime()) };
    await expect(openKeys(clock)).rejects.toMatchObject({
      code: 'signer_unavailable',
      message: expect.stringContaining(certificateNotAfter.toISOString()) as unknown,
    });
  });

  it.each([
    ['claim-key.pem', 'not a key'],
    ['claim-chain.pem', 'not a certificate'],
  ])('refuses a damaged %s and does not replace it', async (file, text) => {
    await openKeys();
    await writeFile(join(folder, file), text);
    await expect(openKeys()).rejects.toMatchObject({ code: 'signer_unavailable' });
    expect(await readFile(join(folder, file), 'utf8')).toBe(text);
  });

  it('refuses a key that belongs to another certificate', async () => {
    await openKeys();
    const other = await openFileKeystore({ folder: join(home, 'other'), clock: systemClock });
    await writeFile(join(folder, 'claim-chain.pem'), other.claimKey.certificateChainPem);
    await expect(openKeys()).rejects.toThrow('does not belong');
  });

  it('recovers from dying at any point of the creation', async () => {
    await openKeys();
    // The order in which they are written; the chain is last.
    for (const survivors of [[], ['claim-ca-key.pem'], ['claim-ca-key.pem', 'claim-ca.pem'], FILES]) {
      for (const file of FILES) {
        const mustGo = file === 'claim-chain.pem' || !survivors.includes(file);
        if (mustGo) await rm(join(folder, file), { force: true });
      }
      const { created, claimKey } = await openKeys();
      expect(created).toBe(true);
      expect(await claimKey.sign(Buffer.from('works'))).toHaveLength(64);
    }
  });

  it('leaves the keys of other parts of the program alone', async () => {
    await openKeys();
    await writeFile(join(folder, 'log-key.pem'), 'other', { mode: 0o600 });
    await openKeys();
    expect(await readFile(join(folder, 'log-key.pem'), 'utf8')).toBe('other');
  });
});
