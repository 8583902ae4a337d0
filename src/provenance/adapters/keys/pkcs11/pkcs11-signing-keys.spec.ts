import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  expectUnavailable,
  holds,
  signingKeyContract,
} from '../../../../../test/fakes/signing-key-contract.js';
import { type SigningAlgorithm } from '../../../domain/signing-algorithm.js';
import { SigningKeyPlaces } from '../signing-key-places.js';
import { Pkcs11Process } from './pkcs11-process.js';
import { type Pkcs11Settings, Pkcs11SigningKeys } from './pkcs11-signing-keys.js';

/** Neither is part of this repository: the package needs a compiler, SoftHSM is a program of the system. */
const MODULE = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
].find((path) => existsSync(path));
const PACKAGE = packagePath();
const MESSAGE = Buffer.from('claim');
const PIN = '1234-user';

function packagePath(): string | undefined {
  const given = process.env.PKCS11JS_PATH;
  if (given !== undefined) return pathToFileURL(given).href;
  try {
    createRequire(import.meta.url).resolve('pkcs11js');
    return 'pkcs11js';
  } catch {
    return undefined;
  }
}

const TYPESCRIPT = {
  moduleUrl: new URL('./pkcs11-child.ts', import.meta.url),
  execArgv: ['--import', new URL('../../../testing/typescript-loader.js', import.meta.url).href],
};

const open: Pkcs11SigningKeys[] = [];
afterAll(() => {
  for (const each of open) each.close();
});

describe('without what PKCS#11 needs', () => {
  it('says that the package is missing, and how to get it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'colophon-pkcs11-'));
    const keys = new Pkcs11SigningKeys({
      modulePath: '/nowhere.so',
      pinFile: '/nowhere',
      packageName: 'no-such-package-for-pkcs11',
      child: TYPESCRIPT,
    });
    open.push(keys);
    const places = new SigningKeyPlaces({ pkcs11: keys });
    await expectUnavailable(places.open('pkcs11:token=a;object=b'), /npm install --no-save pkcs11js/);
    rmSync(folder, { recursive: true });
  });
});

describe('the process that loads the library of a vendor', () => {
  it('gets the variables that were named, and no secret of ours', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'colophon-pkcs11-'));
    const program = join(folder, 'child.mjs');
    writeFileSync(
      program,
      `process.on('message', ({ id }) => process.send({ id, ok: true,
         value: Buffer.from(JSON.stringify(Object.keys(process.env))).toString('base64') }));`,
    );
    const child = new Pkcs11Process(
      { moduleUrl: pathToFileURL(program) },
      { SOFTHSM2_CONF: '/etc/softhsm2.conf' },
    );
    const setup = { modulePath: '/m.so', pinFile: '/pin', packageName: 'p' };
    const answer = await child.run(setup, { kind: 'describe', key: { object: 'claim' } }, 20_000);
    child.close();
    rmSync(folder, { recursive: true });
    const names = JSON.parse(answer.toString()) as string[];
    // Node itself sets the variables of its channel.
    expect(names.filter((name) => !name.startsWith('NODE_CHANNEL'))).toEqual(['SOFTHSM2_CONF']);
  });
});

describe('keys on a PKCS#11 token', () => {
  if (MODULE === undefined || PACKAGE === undefined) {
    it(`NOT CHECKED on this machine: there is no ${MODULE === undefined ? 'SoftHSM' : 'package pkcs11js'}`, () => {
      expect([MODULE, PACKAGE]).toContain(undefined);
    });
    return;
  }
  let folder: string;
  let environment: Record<string, string>;
  let pinFile: string;
  let count = 0;
  const tool = (...args: string[]): void => {
    const options = ['--module', MODULE, '--token-label', 'colophon', '--login', '--pin', PIN, ...args];
    execFileSync('pkcs11-tool', options, { env: { ...process.env, ...environment }, stdio: 'pipe' });
  };
  const create = (algorithm: SigningAlgorithm): Promise<string> => {
    const types = {
      es256: 'EC:prime256v1',
      es384: 'EC:secp384r1',
      ps256: 'rsa:2048',
      ed25519: 'EC:edwards25519',
    };
    const label = `claim-${String(++count)}`;
    const id = count.toString(16).padStart(2, '0');
    tool('--keypairgen', '--key-type', types[algorithm], '--label', label, '--id', id, '--usage-sign');
    return Promise.resolve(`pkcs11:token=colophon;object=${label};id=%${id}`);
  };
  const token = (settings: Partial<Pkcs11Settings> = {}): Pkcs11SigningKeys => {
    const keys = new Pkcs11SigningKeys({
      modulePath: MODULE,
      pinFile,
      packageName: PACKAGE,
      child: TYPESCRIPT,
      environment,
      ...settings,
    });
    open.push(keys);
    return keys;
  };
  const places = (pkcs11: Pkcs11SigningKeys): SigningKeyPlaces => new SigningKeyPlaces({ pkcs11 });
  let shared: Pkcs11SigningKeys;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'colophon-softhsm-'));
    mkdirSync(join(folder, 'tokens'));
    writeFileSync(join(folder, 'softhsm2.conf'), `directories.tokendir = ${join(folder, 'tokens')}\n`);
    environment = { SOFTHSM2_CONF: join(folder, 'softhsm2.conf') };
    const init = ['--init-token', '--free', '--label', 'colophon', '--so-pin', '5678-so', '--pin', PIN];
    execFileSync('softhsm2-util', init, { env: { ...process.env, ...environment }, stdio: 'pipe' });
    pinFile = join(folder, 'pin');
    writeFileSync(pinFile, `${PIN}\n`, { mode: 0o600 });
    tool('--keypairgen', '--key-type', 'EC:secp521r1', '--label', 'unfit', '--id', 'ee', '--usage-sign');
    shared = token();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  signingKeyContract(
    () => ({
      keys: places(shared),
      algorithms: ['es256', 'es384', 'ps256', 'ed25519'],
      create,
      unfit: 'pkcs11:token=colophon;object=unfit',
      unknown: 'pkcs11:token=colophon;object=none',
    }),
    ['es256', 'es384', 'ps256', 'ed25519'],
  );

  it('does not choose between two keys', async () => {
    for (const id of ['f1', 'f2'])
      tool('--keypairgen', '--key-type', 'EC:prime256v1', '--label', 'twin', '--id', id, '--usage-sign');
    await expectUnavailable(places(shared).open('pkcs11:token=colophon;object=twin'), /Several keys/);
    const one = await places(shared).open('pkcs11:token=colophon;object=twin;id=%F2');
    expect(one.algorithm).toBe('es256');
  });

  it('names a token that is not there, and a module that is none', async () => {
    await expectUnavailable(places(shared).open('pkcs11:token=other;object=claim'), /not present/);
    const broken = token({ modulePath: pinFile });
    await expectUnavailable(
      places(broken).open('pkcs11:token=colophon;object=unfit'),
      /COLOPHON_PKCS11_MODULE/,
    );
  });

  it('tries a wrong PIN once, so that the token does not lock itself', async () => {
    const wrongFile = join(folder, 'wrong-pin');
    writeFileSync(wrongFile, 'wrong', { mode: 0o600 });
    const address = await create('es256');
    const keys = token({ pinFile: wrongFile });
    for (let attempt = 0; attempt < 20; attempt++)
      await expectUnavailable(places(keys).open(address), /refused the PIN/);
    writeFileSync(wrongFile, PIN);
    utimesSync(wrongFile, new Date(), new Date(Date.now() + 1000));
    expect((await places(keys).open(address)).algorithm).toBe('es256');
  });

  it('goes on with a new child when the old one died, and gives up on one that hangs', async () => {
    const keys = token();
    const key = await places(keys).open(await create('es256'));
    keys.close();
    expect(holds(key, MESSAGE, await key.sign(MESSAGE))).toBe(true);
    const silent = join(folder, 'silent.mjs');
    writeFileSync(silent, `process.on('message', () => {});`);
    const hanging = token({ deadlineMs: 200, child: { moduleUrl: pathToFileURL(silent) } });
    await expectUnavailable(places(hanging).open(key.reference), /cannot sign at the moment/);
  });
});
