import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type IdentityAuthority, openIdentityAuthority } from './identity-authority.js';
import { IdentityKeys } from './identity-key.js';

const DAY_MS = 86_400_000;
const TODAY = new Date('2026-11-30T12:00:00Z');
const IN_A_YEAR = new Date(TODAY.getTime() + 366 * DAY_MS);

let folder: string;
let now = TODAY;
let authority: IdentityAuthority;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'identity-'));
  authority = await openIdentityAuthority({ folder, clock: { now: () => now } });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('keys of named actors that are remembered', () => {
  it('are not used before the certificate begins, when a clock that ran ahead is set back', async () => {
    const keys = new IdentityKeys(authority.certificatePem);
    now = IN_A_YEAR;
    const credential = await authority.issue({ organization: 'Acme', person: undefined });
    expect(keys.open(credential, now).isTrustedHere).toBe(true);
    expect(() => keys.open(credential, TODAY)).toThrow('the certificate is not valid now');
  });

  it('are opened once a minute', async () => {
    const keys = new IdentityKeys(authority.certificatePem);
    now = TODAY;
    const credential = await authority.issue({ organization: 'Acme', person: undefined });
    const first = keys.open(credential, now);
    expect(keys.open(credential, new Date(now.getTime() + 59_000))).toBe(first);
    expect(keys.open(credential, new Date(now.getTime() + 60_000))).not.toBe(first);
  });
});
