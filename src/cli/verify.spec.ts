import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { C2paReader } from '../provenance/adapters/c2pa-reader.js';
import { openFileKeystore } from '../provenance/adapters/file-keystore.js';
import {
  action,
  generatedPlan,
  type MediaFile,
  parentOf,
  type SigningWorkshop,
} from '../provenance/testing/signing-workshop.js';
import { writeEvidenceBundle } from '../reports/adapters/evidence-bundle.js';
import { TestWitnesses } from '../reports/verify/testing/anchoring.js';
import { EvidenceWorkshop } from '../reports/verify/testing/evidence-workshop.js';
import { systemClock } from '../shared/clock.js';
import { verify } from './verify.js';
import { type OpenVerifier } from './verify-file.js';

let workshop: EvidenceWorkshop;
let signing: SigningWorkshop;
let signed: MediaFile;
let bundlePath: string;
let authorityPath: string;
let strangerPath: string;
let output: string;
let errors: string;

/** The child process of the command line runs compiled code; this one reads in the process of the test. */
const openVerifier: OpenVerifier = (trust, options) => new C2paReader({ trust, lists: options?.lists ?? [] });
const nowhere = { COLOPHON_HOME: '/nonexistent' };

beforeAll(async () => {
  workshop = await EvidenceWorkshop.create();
  signing = workshop.signing;
  const generated = await signing.sign(await signing.picture());
  signed = await signing.sign(
    await signing.picture('image/jpeg'),
    generatedPlan({
      title: 'Edited',
      actions: [action('c2pa.edited', 'humanEdits')],
      ingredients: [parentOf(generated, 'Raw \x1b[31mred\u202e shot')],
    }),
  );
  const { dossier, evidence } = await workshop.build();
  bundlePath = signing.newPath();
  await writeEvidenceBundle({
    dossier,
    ...(await workshop.documents(dossier)),
    evidence,
    destinationPath: bundlePath,
  });
  authorityPath = await signing.write(Buffer.from(signing.keystore.caCertificatePem));
  const stranger = await openFileKeystore({ folder: join(signing.folder, 'stranger'), clock: systemClock });
  strangerPath = await signing.write(Buffer.from(stranger.caCertificatePem));
});

afterAll(() => workshop.close());

beforeEach(() => {
  output = errors = '';
  jest.spyOn(console, 'log').mockImplementation((text: string) => void (output += `${text}\n`));
  jest.spyOn(console, 'error').mockImplementation((text: string) => void (errors += `${text}\n`));
});

afterEach(() => {
  jest.restoreAllMocks();
});

function run(...argv: string[]): Promise<number> {
  return verify(argv, nowhere, openVerifier);
}

async function altered(path: string, change: (bytes: Buffer) => Buffer): Promise<string> {
  return signing.write(change(await readFile(path)));
}

function flip(position: (bytes: Buffer) => number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    const at = position(bytes);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  };
}

describe('colophon verify with a media file', () => {
  it('answers 0 and names the list when the signer is known', async () => {
    expect(await run(signed.path, '--trust', authorityPath)).toBe(0);
    expect(output).toMatch(/^VALID .*\n\s+intact, and signed by a known signer$/m);
    expect(output).toContain(authorityPath);
  });

  it('answers 0 for an intact file of an unknown signer, and says so plainly', async () => {
    for (const argv of [[signed.path], [signed.path, '--trust', strangerPath]]) {
      output = '';
      expect(await run(...argv)).toBe(0);
      expect(output).toContain('intact, but the signer is on no list that was checked');
    }
  });

  it('takes the certificates of a list and is not led astray by what stands around them', async () => {
    const pem = signing.keystore.caCertificatePem;
    for (const text of [
      `\ufeff${pem}`,
      pem.replaceAll('\n', '\r\n'),
      `-----BEGIN PRIVATE KEY-----\nnot the end of it\n${pem}`,
      `-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\nour \u00fc authority\n${pem}`,
    ]) {
      output = '';
      expect(await run(signed.path, '--trust', await signing.write(Buffer.from(text)))).toBe(0);
      expect(output).toContain('intact, and signed by a known signer');
    }
  });

  it('answers 2 to a list with a certificate that cannot be read, and to one without an end', async () => {
    const damaged = `${signing.keystore.caCertificatePem}-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n`;
    expect(await run(signed.path, '--trust', await signing.write(Buffer.from(damaged)))).toBe(2);
    expect(output).toContain('has a certificate that cannot be read, so none of it is used');
    output = '';
    expect(await run(signed.path, '--trust', '/dev/zero')).toBe(2);
    expect(output).toContain('larger than 2 MiB');
  });

  it('answers 2 to a pipe, and does not wait for somebody who writes into it', async () => {
    const pipe = signing.newPath();
    execFileSync('mkfifo', [pipe]);
    expect(await run(pipe)).toBe(2);
    expect(output).toContain('this is not a regular file');
  });

  it('knows the authority of the installation in COLOPHON_HOME by itself', async () => {
    const home = signing.newPath();
    await mkdir(join(home, 'keys'), { recursive: true });
    await writeFile(join(home, 'keys', 'claim-ca.pem'), signing.keystore.caCertificatePem);
    expect(await verify([signed.path], { COLOPHON_HOME: home }, openVerifier)).toBe(0);
    expect(output).toContain('signed by a known signer');
    expect(output).toContain('(this installation)');
  });

  it('says by whose word a name in a manifest is believed', async () => {
    const plan = generatedPlan({ identities: [await signing.identity(['cawg.creator'])] });
    const named = await signing.sign(await signing.picture(), plan);
    await run(named.path);
    expect(output).toContain('nobody whom we trust vouches for it');
    const authorities = await signing.write(Buffer.from(signing.anchors.identities));
    output = '';
    expect(await run(named.path, '--identity-trust', authorities)).toBe(0);
    expect(output).toMatch(/This identity holds, by the list: the list [\w-]+/);
    // Whom one believes about names signs no claims by that.
    expect(output).toContain('the signer is on no list that was checked');
    const home = signing.newPath();
    await mkdir(join(home, 'keys'), { recursive: true });
    await writeFile(join(home, 'keys', 'identity-ca.pem'), signing.anchors.identities);
    output = '';
    await verify([named.path], { COLOPHON_HOME: home }, openVerifier);
    expect(output).toContain('which proves no name');
    expect(await run(named.path, '--identity-trust', named.path)).toBe(2);
  });

  it('draws the chain and lets no name in the file write to the terminal', async () => {
    await run(signed.path);
    expect(output).toMatch(/│ c2pa\.edited · humanEdits · with studio/);
    expect(output).toMatch(/└─ Raw \ufffd\[31mred\ufffd shot \(parentOf\)/);
    expect(output).toContain('trainedAlgorithmicMedia');
    for (const character of ['\x1b', '\u202e']) expect(output).not.toContain(character);
    output = '';
    await run(signed.path, '--json');
    for (const character of ['\x1b', '\u202e']) expect(output).not.toContain(character);
    expect(JSON.parse(output)).toMatchObject({
      kind: 'media',
      verdict: 'valid',
      trustList: null,
      media: { verdict: 'intact', chain: { ingredients: [{ title: 'Raw \x1b[31mred\u202e shot' }] } },
    });
  });

  it('answers 1 when the picture was changed', async () => {
    const path = await altered(
      signed.path,
      flip((bytes) => bytes.length - 100),
    );
    expect(await run(path, '--trust', authorityPath)).toBe(1);
    expect(output).toMatch(/^INVALID/);
    expect(output).toContain('assertion.dataHash.mismatch');
    expect(output).toContain('Do not rely on what its manifest says');
  });

  it('answers 1 when the claim was changed', async () => {
    const path = await altered(
      signed.path,
      flip((bytes) => bytes.indexOf('claim_generator_info') + 2),
    );
    expect(await run(path)).toBe(1);
  });

  it('answers 2 to a picture without manifest', async () => {
    expect(await run((await signing.picture()).path)).toBe(2);
    expect(output).toContain('carries no manifest');
  });

  it('answers 2 to --vkey, which means nothing for a media file', async () => {
    expect(await run(signed.path, '--vkey', workshop.log.vkey)).toBe(2);
    expect(output).toContain('--vkey is for evidence bundles');
    output = '';
    expect(await run(signed.path, '--tsa-roots', authorityPath)).toBe(2);
    expect(output).toContain('--tsa-roots is for evidence bundles');
  });
});

describe('colophon verify with a manifest beside the file', () => {
  async function signedWords(): Promise<{ path: string; manifestPath: string }> {
    const path = await signing.write(Buffer.from('Bitter orange, nothing else.\n'));
    const { path: signedPath, manifestPath = '' } = await signing.sign({ path, mediaType: 'text/plain' });
    return { path: signedPath, manifestPath };
  }

  it('finds it by itself, or takes the one that is named, and says which', async () => {
    const { path, manifestPath } = await signedWords();
    expect(await run(path, '--trust', authorityPath)).toBe(0);
    expect(output).toContain(`manifest    ${manifestPath}`);
    const elsewhere = await signing.write(await readFile(manifestPath));
    const copy = await signing.write(await readFile(path));
    expect(await run(copy)).toBe(2);
    expect(await run(copy, '--manifest', elsewhere, '--trust', authorityPath)).toBe(0);
    const named = `${copy}.txt`;
    await writeFile(named, await readFile(path));
    await writeFile(`${copy}.c2pa`, await readFile(manifestPath));
    expect(await run(named, '--json')).toBe(0);
    expect(output).toContain(`"manifestFile": ${JSON.stringify(`${copy}.c2pa`)}`);
  });

  it('answers 1 when the file or the manifest was changed', async () => {
    const { path, manifestPath } = await signedWords();
    const changed = await altered(
      path,
      flip(() => 3),
    );
    expect(await run(changed, '--manifest', manifestPath)).toBe(1);
    const forged = await altered(
      manifestPath,
      flip((bytes) => bytes.lastIndexOf('c2pa.signature') + 60),
    );
    expect(await run(path, '--manifest', forged)).toBe(1);
  });

  it('does not let a file beside speak for a picture that could carry its own', async () => {
    const { manifestPath } = await signedWords();
    const bare = (await signing.picture()).path;
    await writeFile(`${bare}.c2pa`, await readFile(manifestPath));
    expect(await run(bare)).toBe(2);
    expect(await run(signed.path, '--manifest', manifestPath)).toBe(2);
    expect(await run(bundlePath, '--manifest', manifestPath)).toBe(2);
  });
});

describe('colophon verify with an evidence bundle', () => {
  it('answers 0 and says in words what was checked and what is not proved', async () => {
    expect(await run(bundlePath, '--vkey', workshop.log.vkey)).toBe(0);
    expect(output).toMatch(/^VALID/);
    expect(output).toContain('later entries of the log, such as a recall, are not in it');
    expect(output).toContain('✓ yes  SHA256SUMS and bundle.json list these');
    expect(output).toContain('Not proved by this');
    expect(output).toContain('The certificate authority came with the bundle;');
  });

  it('answers 2 while nobody whom the user knows vouches for who made it', async () => {
    expect(await run(bundlePath)).toBe(2);
    expect(output).toMatch(/^UNPROVED /);
    expect(output).toContain('The key of the log came with the bundle.');
    const authority = await signing.write(Buffer.from(workshop.reportSigning.anchorsPem));
    expect(await run(bundlePath, '--report-trust', authority)).toBe(0);
    expect(await run(signed.path, '--report-trust', authority)).toBe(2);
  });

  it('accepts the right key and authority from elsewhere, and does not doubt them any more', async () => {
    const names = await signing.write(Buffer.from(workshop.signing.anchors.identities));
    const known = ['--trust', authorityPath, '--identity-trust', names];
    expect(await run(bundlePath, '--vkey', workshop.log.vkey, ...known)).toBe(0);
    expect(output).toContain('✓ yes  The certificate authority of the bundle is on the list you gave.');
    expect(output).not.toContain('came with the bundle');
  });

  it('answers 1 when the key or the authority is another one', async () => {
    expect(await run(bundlePath, '--trust', strangerPath)).toBe(1);
    expect(output).toContain('✗ NO   The certificate authority of the bundle is not on the list you gave.');
    output = '';
    const stranger = await EvidenceWorkshop.create();
    expect(await run(bundlePath, '--vkey', stranger.log.vkey, '--json')).toBe(1);
    expect(JSON.parse(output)).toMatchObject({
      kind: 'bundle',
      verdict: 'invalid',
      findings: [{ path: 'log/vkey' }],
    });
    await stranger.close();
  });

  it('answers 2 to a key of a log that was copied wrong: that is no fault of the bundle', async () => {
    const witness = /\S+\+[0-9a-f]{8}\+\S+/.exec(new TestWitnesses(1, 1).policyText)?.[0] ?? '';
    for (const [vkey, why] of [
      [workshop.log.vkey.slice(0, -1), '--vkey is no key of a log'],
      ['', '--vkey is no key of a log'],
      [witness, '--vkey is the key of a witness'],
    ] as const) {
      output = '';
      expect(await run(bundlePath, `--vkey=${vkey}`)).toBe(2);
      expect(output).toMatch(/^UNUSABLE/);
      expect(output).toContain(why);
    }
  });

  it('says loudly when the policy that the user gave is not met, and who is missing, without calling it a fault', async () => {
    const policy = await signing.write(Buffer.from(new TestWitnesses(3, 2).policyText));
    expect(await run(bundlePath, '--vkey', workshop.log.vkey, '--policy', policy)).toBe(0);
    expect(output).toContain('BUT THE WITNESS POLICY YOU GAVE IS NOT MET');
    expect(output).toContain('Witnesses, by the policy you gave: NOT MET');
    expect(output).toMatch(/has not cosigned +w1 +witness\.example\/w1\+/);
    output = '';
    expect(await run(bundlePath, '--vkey', workshop.log.vkey, '--policy', policy, '--json')).toBe(0);
    expect(JSON.parse(output)).toMatchObject({
      verdict: 'valid',
      witnessing: [
        { source: 'bundle', outcome: 'not_proved', witnesses: [] },
        { source: 'reader', outcome: 'not_proved', policyMet: false },
      ],
      timeStamps: [],
    });
  });

  it('answers 2 to a policy or roots that cannot be used', async () => {
    const broken = await signing.write(Buffer.from('witness w1 nonsense\n'));
    for (const argv of [
      ['--policy', broken],
      ['--policy', join(signing.folder, 'missing')],
      ['--tsa-roots', broken],
    ]) {
      output = '';
      expect(await run(bundlePath, ...argv)).toBe(2);
      expect(output).toMatch(/^UNUSABLE/);
    }
  });

  it('answers 1 to a flipped bit and 2 to a bundle that was cut off', async () => {
    expect(
      await run(
        await altered(
          bundlePath,
          flip((bytes) => bytes.indexOf('"asset.signed"') + 3),
        ),
      ),
    ).toBe(1);
    expect(output).toMatch(/✗ NO .*\n[^]*Findings/);
    expect(await run(await altered(bundlePath, (bytes) => bytes.subarray(0, bytes.length / 2)))).toBe(2);
  });
});

describe('colophon verify with something else', () => {
  it('answers 2 and says why, as text and as JSON', async () => {
    const cases: [string, string][] = [
      [await signing.write(Buffer.from('just text, although it may be called .png')), 'carries no manifest'],
      [await signing.write(Buffer.from([0, 1, 2, 3, 0xff, 0xfe])), 'neither'],
      [await signing.write(Buffer.alloc(0)), 'empty'],
      [await signing.write(Buffer.from('%PDF-1.7 a dossier')), 'not a report that Colophon made'],
      [await signing.write(Buffer.from('PK\x03\x04 and nothing more')), 'zip'],
      [await altered((await signing.picture()).path, (bytes) => bytes.subarray(0, 40)), 'cannot be parsed'],
      [join(signing.folder, 'missing\x1b[2J.png'), 'no such file'],
    ];
    for (const [path, reason] of cases) {
      output = '';
      expect(await run(path)).toBe(2);
      expect(output).toMatch(/^UNUSABLE/);
      expect(output).toContain(reason);
      expect(output).not.toContain('\x1b');
      output = '';
      expect(await run(path, '--json')).toBe(2);
      expect(JSON.parse(output)).toMatchObject({ verdict: 'unusable' });
    }
  });

  it('answers 2 to a command line or a trust list that cannot be used', async () => {
    for (const argv of [[], [signed.path, signed.path], [signed.path, '--nonsense']]) {
      errors = '';
      expect(await run(...argv)).toBe(2);
      expect(errors).toContain('Usage: colophon verify');
    }
    for (const list of [join(signing.folder, 'missing.pem'), signed.path]) {
      expect(await run(signed.path, '--trust', list)).toBe(2);
      expect(output).toContain('trust list');
    }
  });
});
