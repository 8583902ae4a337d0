import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeKms, type KeySpec, type KmsFault } from '../../../../test/fakes/aws-kms/fake-kms.js';
import {
  expectUnavailable,
  holds,
  signingKeyContract,
  type SigningKeyBench,
} from '../../../../test/fakes/signing-key-contract.js';
import {
  FakeVault,
  type TransitKeyType,
  type VaultFault,
} from '../../../../test/fakes/vault-transit/fake-vault.js';
import { type SigningAlgorithm } from '../../domain/signing-algorithm.js';
import { KmsSigningKeys } from './aws-kms/kms-signing-keys.js';
import { FileSigningKeys } from './file/file-signing-keys.js';
import { parseKeyReference } from './key-reference.js';
import { SigningKeyPlaces } from './signing-key-places.js';
import { VaultSigningKeys } from './vault/vault-signing-keys.js';

const LIMITS = { attempts: 3, firstPauseMs: 1, deadlineMs: 2000 };
const MESSAGE = Buffer.from('claim');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-signing-keys-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('keys in files', () => {
  const files = (): FileSigningKeys => new FileSigningKeys(folder);
  const keys = (): SigningKeyPlaces => new SigningKeyPlaces({ file: files() });
  let count = 0;
  const create = async (algorithm: SigningAlgorithm): Promise<string> => {
    const reference = `file:key-${String(++count)}.pem`;
    await files().create(parseKeyReference(reference) as never, algorithm);
    return reference;
  };
  const bench = (): SigningKeyBench => ({
    keys: keys(),
    algorithms: ['es256', 'es384', 'ps256', 'ed25519'],
    create,
    unfit: 'file:unfit.pem',
    unknown: 'file:missing.pem',
  });
  beforeAll(async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(join(folder, 'unfit.pem'), pem, { mode: 0o600 });
  });

  signingKeyContract(bench, ['es256', 'es384', 'ps256', 'ed25519']);

  it('never replaces a key', async () => {
    const reference = await create('es256');
    await expectUnavailable(files().create(parseKeyReference(reference) as never, 'es256'), /already/);
  });

  it('refuses a file that others can read, or that somebody else points at', async () => {
    const reference = await create('es256');
    const path = join(folder, reference.replace('file:', ''));
    await symlink(path, join(folder, 'link.pem'));
    await expectUnavailable(keys().open('file:link.pem'), /cannot be used/);
    await chmod(path, 0o640);
    await expectUnavailable(keys().open(reference), /can be read by others/);
    await writeFile(join(folder, 'broken.pem'), 'no key', { mode: 0o600 });
    await expectUnavailable(keys().open('file:broken.pem'), /no readable PEM/);
  });
});

describe('keys in AWS KMS', () => {
  const SPECS: Record<string, KeySpec> = {
    es256: 'ECC_NIST_P256',
    es384: 'ECC_NIST_P384',
    ps256: 'RSA_2048',
  };
  let kms: FakeKms;
  let unfit: string;
  beforeAll(async () => {
    kms = await FakeKms.start();
    unfit = `awskms:${kms.createKey('ECC_NIST_EDWARDS25519')}`;
  });
  afterAll(() => kms.stop());
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
  const keys = (limits = LIMITS): SigningKeyPlaces =>
    new SigningKeyPlaces({
      awskms: new KmsSigningKeys({ region: kms.region, endpoint: kms.endpoint, credentials, limits }),
    });
  const create = (algorithm: SigningAlgorithm): Promise<string> =>
    Promise.resolve(`awskms:${kms.createKey(SPECS[algorithm] ?? 'ECC_NIST_P256')}`);

  signingKeyContract(
    () => ({
      keys: keys(),
      algorithms: ['es256', 'es384', 'ps256'],
      create,
      unfit,
      unknown: `awskms:arn:aws:kms:${kms.region}:111122223333:key/none`,
    }),
    ['es256', 'es384', 'ps256'],
  );

  it('resolves an alias once: what it points at later is another key', async () => {
    const first = kms.createKey('ECC_NIST_P256');
    kms.setAlias('alias/claim', first);
    const key = await keys().open('awskms:alias/claim');
    expect(key.reference).toBe(`awskms:${first}`);
    kms.setAlias('alias/claim', kms.createKey('ECC_NIST_P256'));
    expect(holds(key, MESSAGE, await key.sign(MESSAGE))).toBe(true);
  });

  it.each<[KmsFault]>([['throttle'], ['server-error'], ['internal'], ['down']])(
    'asks again after %s, and gives up after a few times',
    async (fault) => {
      const key = await keys().open(await create('es256'));
      kms.plan(fault, fault);
      expect(holds(key, MESSAGE, await key.sign(MESSAGE))).toBe(true);
      kms.plan(fault, fault, fault);
      await expectUnavailable(key.sign(MESSAGE), /AWS KMS (throttles|does not answer|cannot be used)/);
    },
  );

  it.each<[KmsFault, RegExp]>([
    ['other-key', /another key/],
    ['other-algorithm', /another key/],
    ['access-denied', /Allow kms:Sign/],
    ['garbage', /cannot be used/],
  ])('does not take %s for a signature', async (fault, sentence) => {
    const key = await keys().open(await create('es256'));
    kms.plan(fault);
    await expectUnavailable(key.sign(MESSAGE), sentence);
  });

  it('finds a flipped bit before it is used', async () => {
    const address = await create('es384');
    const key = await keys().open(address);
    kms.plan('flip-bit');
    expect(holds(key, MESSAGE, await key.sign(MESSAGE))).toBe(false);
    // When a key is opened its first signature is looked at.
    const before = kms.requests.length;
    const opening = keys().open(address);
    await opening;
    expect(kms.requests.slice(before).map(({ operation }) => operation)).toEqual(['GetPublicKey', 'Sign']);
  });

  it('says what to do when the key is disabled, deleted, not for signing, or does not answer', async () => {
    const arn = kms.createKey('ECC_NIST_P256');
    const key = await keys({ ...LIMITS, deadlineMs: 300 }).open(`awskms:${arn}`);
    kms.setState(arn, 'Disabled');
    await expectUnavailable(key.sign(MESSAGE), /disabled\. Enable it/);
    kms.setState(arn, 'PendingDeletion');
    await expectUnavailable(key.sign(MESSAGE), /pending deletion/);
    kms.setState(arn, 'Enabled');
    kms.plan('slow');
    await expectUnavailable(key.sign(MESSAGE), /does not answer/);
    const agreement = kms.createKey('ECC_NIST_P256', 'KEY_AGREEMENT');
    await expectUnavailable(keys().open(`awskms:${agreement}`), /SIGN_VERIFY/);
  });

  it('sends a hash and never the message', async () => {
    const key = await keys().open(await create('ps256'));
    const before = kms.requests.length;
    await key.sign(MESSAGE);
    expect(kms.requests.slice(before)).toMatchObject([
      { body: { MessageType: 'DIGEST', SigningAlgorithm: 'RSASSA_PSS_SHA_256' } },
    ]);
  });
});

describe('keys in Vault', () => {
  const TYPES: Record<SigningAlgorithm, TransitKeyType> = {
    es256: 'ecdsa-p256',
    es384: 'ecdsa-p384',
    ps256: 'rsa-2048',
    ed25519: 'ed25519',
  };
  let vault: FakeVault;
  let tokenFile: string;
  let count = 0;
  beforeAll(async () => {
    vault = await FakeVault.start();
    vault.createKey('unfit', 'aes256-gcm96');
    tokenFile = join(folder, 'vault-token');
    await writeFile(tokenFile, `${vault.token}\n`, { mode: 0o600 });
  });
  afterEach(() => {
    vault.sealed = false;
    vault.namespace = undefined;
    vault.forbidden.clear();
  });
  afterAll(() => vault.stop());
  const keys = (options: { namespace?: string; limits?: typeof LIMITS } = {}): SigningKeyPlaces =>
    new SigningKeyPlaces({
      vault: new VaultSigningKeys({ address: vault.address, tokenFile, limits: LIMITS, ...options }),
    });
  const create = (algorithm: SigningAlgorithm): Promise<string> => {
    const name = `key-${String(++count)}`;
    vault.createKey(name, TYPES[algorithm]);
    return Promise.resolve(`vault:transit/${name}`);
  };

  signingKeyContract(
    () => ({
      keys: keys(),
      algorithms: ['es256', 'es384', 'ps256', 'ed25519'],
      create,
      unfit: 'vault:transit/unfit',
      unknown: 'vault:transit/none',
    }),
    ['es256', 'es384', 'ps256', 'ed25519'],
  );

  it('stays with the version that it opened when the key is rotated', async () => {
    const address = await create('es256');
    const key = await keys().open(address);
    expect(key.reference).toBe(`${address}?version=1`);
    vault.rotate(address.replace('vault:transit/', ''));
    expect(holds(key, MESSAGE, await key.sign(MESSAGE))).toBe(true);
    const newest = await keys().open(address);
    expect(newest.reference).toBe(`${address}?version=2`);
    expect(newest.publicKey.equals(key.publicKey)).toBe(false);
    await expectUnavailable(keys().open(`${address}?version=9`), /no such version/);
  });

  it.each<[VaultFault]>([['throttle'], ['server-error'], ['down']])(
    'asks again after %s, and gives up after a few times',
    async (fault) => {
      const key = await keys().open(await create('es256'));
      vault.plan(fault, fault);
      expect(holds(key, MESSAGE, await key.sign(MESSAGE))).toBe(true);
      vault.plan(fault, fault, fault);
      await expectUnavailable(key.sign(MESSAGE), /Vault (throttles|failed|does not answer)/);
    },
  );

  it('does not take the word of another version, nor rubbish, nor a flipped bit', async () => {
    const key = await keys().open(await create('ed25519'));
    vault.plan('other-version');
    await expectUnavailable(key.sign(MESSAGE), /another version/);
    vault.plan('garbage');
    await expectUnavailable(key.sign(MESSAGE), /no answer of the transit engine/);
    vault.plan('flip-bit');
    expect(holds(key, MESSAGE, await key.sign(MESSAGE))).toBe(false);
  });

  it('says what to do when it is sealed, forbidden or silent', async () => {
    const address = await create('es256');
    const key = await keys({ limits: { ...LIMITS, deadlineMs: 300 } }).open(address);
    vault.sealed = true;
    await expectUnavailable(key.sign(MESSAGE), /sealed/);
    vault.sealed = false;
    vault.forbidden.add(`/v1/transit/sign/${address.replace('vault:transit/', '')}`);
    await expectUnavailable(key.sign(MESSAGE), /policy must allow/);
    vault.forbidden.clear();
    vault.plan('slow');
    await expectUnavailable(key.sign(MESSAGE), /does not answer/);
  });

  it('reads its token anew, and not from a file that others can read', async () => {
    const key = await keys().open(await create('es256'));
    vault.token = 'hvs.renewed';
    await expectUnavailable(key.sign(MESSAGE), /Renew the token/);
    await writeFile(tokenFile, vault.token);
    expect(holds(key, MESSAGE, await key.sign(MESSAGE))).toBe(true);
    await chmod(tokenFile, 0o644);
    await expectUnavailable(key.sign(MESSAGE), /token file/);
    await chmod(tokenFile, 0o600);
  });

  it('works in a namespace', async () => {
    vault.namespace = 'media';
    const address = await create('es256');
    await expectUnavailable(keys().open(address), /refuses/);
    expect((await keys({ namespace: 'media' }).open(address)).algorithm).toBe('es256');
  });
});

describe('addresses of keys', () => {
  it.each([
    '',
    'claim.pem',
    'file:',
    'file:../claim.pem',
    'file:a/b.pem',
    'file:.hidden',
    'http://169.254.169.254/',
    'awskms:alias/',
    'awskms:arn:aws:s3:::bucket',
    'vault:key',
    'vault:transit/../sys/seal',
    'vault:transit/key?version=0',
    'vault:transit/key?token=x',
    'pkcs11:object=claim',
    'pkcs11:token=a',
    'pkcs11:token=a;object=b;object=c',
    'pkcs11:token=a;object=b?pin-value=1234',
    'pkcs11:token=a;object=%zz',
    `file:${'a'.repeat(2000)}`,
  ])('refuses %s', async (text) => {
    await expectUnavailable(new SigningKeyPlaces({}).open(text), /address/);
  });

  it.each(['file:a.pem', 'awskms:alias/claim', 'pkcs11:token=a;object=b', 'vault:transit/key'])(
    'says what to configure for %s',
    async (text) => {
      await expectUnavailable(new SigningKeyPlaces({}).open(text), /COLOPHON_|Key files/);
    },
  );
});
