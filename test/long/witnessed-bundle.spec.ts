import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '../../src/audit/core/checkpoint.js';
import { verifierFromVkey } from '../../src/audit/core/cosignature.js';
import { parseWitnessPolicy, witnessKeyName } from '../../src/audit/core/witness-policy.js';
import { isPolicyMet } from '../../src/audit/verify/witness-status.js';
import { C2paReader } from '../../src/provenance/adapters/c2pa-reader.js';
import { type AssetDossier } from '../../src/reports/domain/dossier.js';
import { type BundleVerification } from '../../src/reports/verify/bundle-verification.js';
import { runVerifyBundle } from '../../src/reports/verify/verify-bundle.js';
import { FakeAuthority } from '../fakes/time-stamp-authority/fake-authority.js';
import { FakeWitness } from '../fakes/witness/fake-witness.js';
import { formWith, json, OWN_RIGHTS, postForm } from '../support/api.js';
import { bundleFiles } from '../support/bundle-files.js';
import { eventually } from '../support/eventually.js';
import { noisePicture } from '../support/pictures.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

interface Entry {
  readonly index: number;
  readonly state: string;
  readonly reached: readonly string[];
  readonly witnessed: { readonly size: number } | null;
  readonly timeStamp: { readonly authority: string } | null;
}

let app: TestApplication;
let witnesses: FakeWitness[];
let authority: FakeAuthority;
let folder: string;
let policyText: string;

/** Two of three witnesses, and a time-stamp authority; everything is asked every second. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'colophon-anchors-'));
  authority = await FakeAuthority.start();
  witnesses = await Promise.all(
    ['w1', 'w2', 'w3'].map((name) => FakeWitness.start({ name: `witness.example/${name}` })),
  );
  const lines = witnesses.map((witness, i) => witness.policyLine(`w${i + 1}`));
  policyText = [...lines, 'group enough 2 w1 w2 w3', 'quorum enough', ''].join('\n');
  writeFileSync(join(folder, 'policy'), policyText);
  writeFileSync(join(folder, 'roots.pem'), authority.rootsPem);
  app = await startTestApplication({
    COLOPHON_WITNESS_POLICY: join(folder, 'policy'),
    COLOPHON_TSA_URL: authority.url,
    COLOPHON_TSA_ROOTS: join(folder, 'roots.pem'),
    COLOPHON_ANCHOR_INTERVAL_SECONDS: '1',
    COLOPHON_TSA_INTERVAL_SECONDS: '1',
  });
  const { vkey } = app.instance.log;
  for (const witness of witnesses) witness.addLog(vkey);
});
afterAll(async () => {
  await app.close();
  await Promise.all([...witnesses.map((witness) => witness.stop()), authority.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const logFile = async (name: string): Promise<Buffer> => {
  const answer = await app.request(`/logs/${app.instance.organizationId}/${name}`, { key: null });
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
};

async function upload(): Promise<string> {
  const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
  const form = formWith(await noisePicture(), 'a.png', { declaration });
  const answer = await app.request('/v1/assets', postForm(form));
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { id: string }).id;
}

/** The entry of the signing of an asset, once it is in the log. */
const entryOf = (assetId: string): Promise<Entry> =>
  eventually('the entry has an index', async () => {
    const answer = await app.request(`/v1/audit/entries?subject=${assetId}&type=asset.signed`);
    return ((await answer.json()) as { items: Entry[] }).items[0];
  });

async function waitFor(state: string, index: number): Promise<Entry> {
  const answer = await app.request(`/v1/audit/entries/${index}?state=${state}`, {
    headers: { prefer: 'wait=40' },
  });
  expect(answer.headers.get('preference-applied')).toBe('wait=40');
  return (await answer.json()) as Entry;
}

const report = (assetId: string, format: 'bundle' | 'json'): Promise<Buffer> =>
  made({ kind: 'asset', format, assetId });

async function made(request: object): Promise<Buffer> {
  const asked = await app.request('/v1/reports', json(request));
  const { id } = (await asked.json()) as { id: string };
  await eventually(
    'the report is done',
    async () => {
      const { state } = (await (await app.request(`/v1/reports/${id}`)).json()) as { state: string };
      expect(state).not.toBe('FAILED');
      return state === 'DONE' || undefined;
    },
    50_000,
  );
  return Buffer.from(await (await app.request(`/v1/reports/${id}/content`)).arrayBuffer());
}

async function verified(bundle: Buffer): Promise<BundleVerification> {
  const path = join(folder, 'evidence.zip');
  writeFileSync(path, bundle);
  return runVerifyBundle(path, {
    verifyMedia: (file, anchorsPem) =>
      new C2paReader({ trust: { name: 'the authority in this bundle', anchorsPem } }).verify(file),
    expectedVkey: app.instance.log.vkey,
    policy: parseWitnessPolicy(Buffer.from(policyText)),
    timeStampRootsPem: authority.rootsPem,
  });
}

async function witnessDetail(): Promise<string> {
  const answer = await app.request('/readyz', { key: null });
  // A witness that is down never stops the business.
  expect(answer.status).toBe(200);
  const { checks } = (await answer.json()) as { checks: { name: string; detail: string }[] };
  return checks.find(({ name }) => name === 'witnesses')?.detail ?? '';
}

const metrics = async (): Promise<string> =>
  (await (await app.request('/metrics', { key: null })).text())
    .split('\n')
    .filter((line) => /^colophon_(log|anchor)_/.test(line))
    .join('\n');
const keyOf = (number: number): string => {
  const witness = parseWitnessPolicy(Buffer.from(policyText)).witnesses[number - 1];
  if (!witness) throw new Error('a witness expected');
  return witnessKeyName(witness);
};

describe('with three witnesses, of whom two are enough, and a time-stamp authority', () => {
  it('an entry becomes witnessed and time-stamped, and the log shows by whom', async () => {
    const { index } = await entryOf(await upload());
    const witnessed = await waitFor('witnessed', index);
    expect(witnessed.reached).toEqual(expect.arrayContaining(['checkpointed', 'witnessed']));
    expect(witnessed.witnessed?.size).toBeGreaterThan(index);
    const stamped = await waitFor('time_stamped', index);
    expect(stamped.state).toBe('time_stamped');
    expect(stamped.timeStamp?.authority).toBe(authority.hostPort);

    const vkey = (await logFile('vkey')).toString('utf8').trim();
    expect(vkey).toBe(app.instance.log.vkey);
    const policy = parseWitnessPolicy(await logFile('policy'));
    expect(policy.logs.map((log) => log.vkey)).toEqual([vkey]);
    const note = await logFile('witnessed-checkpoint');
    const opened = openCheckpoint(note, {
      origin: app.instance.log.origin,
      log: verifierFromVkey(vkey),
      policy,
    });
    expect(isPolicyMet(opened, policy)).toBe(true);
    expect(opened.checkpoint.size).toBeGreaterThan(index);
    expect(await witnessDetail()).toMatch(
      /^the witness policy is met for all logs, apart from what was signed in the last \d+ s$/,
    );
    expect(await metrics()).toContain('colophon_log_policy_unmet 0');
  });

  it('a bundle proves both to a stranger with a policy and roots of their own', async () => {
    const bundle = await report(await upload(), 'bundle');
    const result = await verified(bundle);
    expect(result.findings).toEqual([]);
    expect(result.verdict).toBe('valid');
    expect(result.witnessing.map(({ source, outcome }) => [source, outcome])).toEqual([
      ['bundle', 'proved'],
      ['reader', 'proved'],
    ]);
    expect(result.timeStamps.map(({ roots, outcome }) => [roots, outcome])).toEqual([
      ['bundle', 'proved'],
      ['reader', 'proved'],
    ]);
    const files = await bundleFiles(bundle);
    const dossier = JSON.parse(files.get('dossier.json')?.toString('utf8') ?? '') as AssetDossier;
    expect(dossier.log.witnessing.isMet).toBe(true);
    expect(dossier.log.timeStamps).toHaveLength(1);
    expect(dossier.gaps.map(({ text }) => text).join(' ')).not.toMatch(/witness|time-stamp/i);
    expect(files.get('VERIFY.md')?.toString('utf8')).toContain(
      'openssl ts -verify -token_in -in time-stamps/1-',
    );
  });

  it('the export of a period brings the cosignatures of its end, whatever the policy calls the witnesses', async () => {
    const sizeOf = (note: Buffer): number => Number(note.toString('utf8').split('\n')[1]);
    const newest = await eventually('the newest state is cosigned', async () => {
      const note = await logFile('witnessed-checkpoint');
      return sizeOf(note) === sizeOf(await logFile('checkpoint')) ? note : undefined;
    });
    await upload();
    const {
      entry: { at: until },
    } = await eventually('the next entry is in the log', async () => {
      const answer = await app.request(`/v1/audit/entries/${sizeOf(newest)}`);
      return answer.status === 200 ? ((await answer.json()) as { entry: { at: string } }) : undefined;
    });
    const files = await bundleFiles(await made({ kind: 'period', format: 'bundle', until }));
    const policy = parseWitnessPolicy(files.get('log/policy') ?? Buffer.alloc(0));
    const opened = openCheckpoint(files.get('log/checkpoint') ?? Buffer.alloc(0), {
      origin: app.instance.log.origin,
      log: verifierFromVkey(app.instance.log.vkey),
      policy,
    });
    expect(opened.checkpoint.size).toBe(sizeOf(newest));
    expect(isPolicyMet(opened, policy)).toBe(true);
  });

  it('one witness down is seen, and two are still enough', async () => {
    witnesses[2]?.misbehave('down');
    const assetId = await upload();
    const { index } = await entryOf(assetId);
    expect((await waitFor('witnessed', index)).reached).toContain('witnessed');
    await eventually(
      'readiness tells of the witness',
      async () => (await witnessDetail()).includes(`${keyOf(3)} fails for 1 log`) || undefined,
    );
    expect(await metrics()).toContain(`colophon_anchor_failing_logs{kind="witness",name="${keyOf(3)}"} 1`);
    const result = await verified(await report(assetId, 'bundle'));
    expect(result.verdict).toBe('valid');
    expect(result.witnessing[1]).toMatchObject({ policyMet: true });
  });

  it('two witnesses down leave the policy unmet: the business goes on, and everybody is told', async () => {
    witnesses[1]?.misbehave('down');
    const assetId = await upload();
    const { index } = await entryOf(assetId);
    const bundle = await report(assetId, 'bundle');
    const result = await verified(bundle);
    expect(result.findings).toEqual([]);
    expect(result.verdict).toBe('valid');
    expect(result.witnessing.map(({ policyMet, outcome }) => [policyMet, outcome])).toEqual([
      [false, 'not_proved'],
      [false, 'not_proved'],
    ]);
    expect(result.notProved.join(' ')).toContain('and the policy you gave is not met');
    const dossier = JSON.parse(
      (await bundleFiles(bundle)).get('dossier.json')?.toString('utf8') ?? '',
    ) as AssetDossier;
    expect(dossier.log.witnessing.isMet).toBe(false);
    expect(dossier.gaps).toContainEqual({
      severity: 'open',
      text: expect.stringContaining('The witness policy was not met when this report was made.'),
    });
    const entry = await app.request(`/v1/audit/entries/${index}`);
    expect(((await entry.json()) as Entry).reached).not.toContain('witnessed');
    await eventually(
      'readiness tells that the policy is not met',
      async () =>
        (await witnessDetail()).includes('the witness policy is not met for 1 of 1 logs') || undefined,
    );
    expect(await metrics()).toContain('colophon_log_policy_unmet 1');
  }, 120_000);

  it('and all is well again when they are back', async () => {
    for (const witness of witnesses) witness.misbehave(undefined);
    const { index } = await entryOf(await upload());
    expect((await waitFor('witnessed', index)).reached).toContain('witnessed');
    await eventually('readiness', async () => (await witnessDetail()).includes('is met') || undefined);
  });
});
