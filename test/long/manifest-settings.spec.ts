import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openIdentityAuthority } from '../../src/provenance/adapters/identity-authority.js';
import { DEFAULT_MANIFEST_SETTINGS } from '../../src/provenance/domain/manifest-settings.js';
import { type ChainNode } from '../../src/provenance/domain/media-verifier.port.js';
import { commitTo } from '../../src/audit/core/commitment.js';
import { canonicalJson, type JsonValue } from '../../src/shared/canonical-json.js';
import { systemClock } from '../../src/shared/clock.js';
import { formWith, json, postForm, productShot, RETOUCH, runToEnd } from '../support/api.js';
import { retouched } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

describe('what the manifests of a project say', () => {
  let app: TestApplication;
  let assetId: string;
  const settingsPath = () => `/v1/projects/${app.instance.projectId}/manifest-settings`;
  const set = (changes: object, key?: string) =>
    app.request(settingsPath(), {
      ...json({ ...DEFAULT_MANIFEST_SETTINGS, ...changes }),
      method: 'PUT',
      ...(key === undefined ? {} : { key }),
    });
  const chainOf = async (id: string): Promise<ChainNode> =>
    ((await (await app.request(`/v1/assets/${id}/manifest`)).json()) as { chain: ChainNode }).chain;
  const dataOf = (chain: ChainNode, label: string) =>
    chain.assertions.find((each) => each.label === label)?.data;
  const generate = async (): Promise<string> => {
    const { state, steps } = await runToEnd(app, productShot(app));
    expect(state).toBe('SUCCEEDED');
    return steps[0]?.assetId ?? '';
  };
  const edit = async (wish: object): Promise<ChainNode> => {
    const picture = await app.request(`/v1/assets/${assetId}/content`);
    const edited = await retouched(Buffer.from(await picture.arrayBuffer()));
    const form = formWith(edited, 'e.png', { contribution: { ...RETOUCH, ...wish } });
    const answer = await app.request(`/v1/assets/${assetId}/contributions`, postForm(form));
    expect(answer.status).toBe(201);
    return chainOf(((await answer.json()) as { asset: { id: string } }).asset.id);
  };
  const namesIn = (chain: ChainNode) => chain.identities.map(({ name }) => name?.split(' (')[0]);

  beforeAll(async () => {
    app = await startTestApplication();
    assetId = await generate();
  });
  afterAll(() => app.close());

  it('is careful as long as nobody decides, and points to the record', async () => {
    expect(await (await app.request(settingsPath())).json()).toEqual(DEFAULT_MANIFEST_SETTINGS);
    const chain = await chainOf(assetId);
    expect(dataOf(chain, 'cawg.training-mining')).toMatchObject({
      entries: { 'cawg.ai_training': { use: 'notAllowed' } },
    });
    const record = dataOf(chain, 'org.colophon.record') as {
      clearance: { id: string; decision: string; inputCommitment: string; logged: { leafHash: string } };
      submitted: { leafHash: string };
    };
    expect(record).toMatchObject({ v: 1, mode: 'live', clearance: { decision: 'allow' } });
    // A stranger finds the entries by their leaf hashes: SHA-256(0x00 || entry).
    await app.services.sequencer.runOnce();
    const { items } = (await (await app.request('/v1/audit/entries?limit=200')).json()) as {
      items: { entry: JsonValue & { type: string; sealed?: { prompt?: string; input?: string } } }[];
    };
    const hashes = items.map(({ entry }) =>
      createHash('sha256').update(Buffer.of(0)).update(canonicalJson(entry)).digest('base64url'),
    );
    expect(hashes).toEqual(
      expect.arrayContaining([record.clearance.logged.leafHash, record.submitted.leafHash]),
    );
    // The commitment to the prompt is the one of the log.
    const prompt = chain.ingredients.find(({ title }) => title === 'Prompt')?.metadata;
    const accepted = items.find(({ entry }) => entry.type === 'run.accepted')?.entry.sealed?.prompt;
    expect(accepted).toBeDefined();
    // What was decided upon can be guessed from a plain hash; the manifest has the salted one of the log.
    const decided = items.find(({ entry }) => entry.type === 'clearance.decided')?.entry.sealed?.input;
    expect(decided).toBeDefined();
    expect(record.clearance).not.toHaveProperty('inputSha256');
    expect(record.clearance.inputCommitment).toBe(decided);
    const opened = (await (await app.request(`/v1/clearances/${record.clearance.id}`)).json()) as {
      inputSha256: string;
      inputSalt: string;
    };
    const salt = Buffer.from(opened.inputSalt, 'base64url');
    expect(commitTo({ salt, value: opened.inputSha256 })).toBe(decided);
    expect(prompt?.['org.colophon.commitment']).toBe(accepted);
    expect(namesIn(chain)).toEqual(['Development organization']);
  });

  it('follows the project from the next file on', async () => {
    const answer = await set({ usageTerms: 'Spring campaign only', namePromptWriters: true });
    expect(answer.status).toBe(200);
    const chain = await chainOf(await generate());
    expect(dataOf(chain, 'cawg.metadata')).toMatchObject({
      'dc:publisher': 'Development organization',
      'xmpRights:UsageTerms': 'Spring campaign only',
    });
    expect(dataOf(await chainOf(assetId), 'cawg.metadata')).not.toHaveProperty('xmpRights:UsageTerms');
  });

  it('refuses conditions that are none, and test keys', async () => {
    const training = { ...DEFAULT_MANIFEST_SETTINGS.trainingMining, aiTraining: { use: 'constrained' } };
    await expectProblem(await set({ trainingMining: training }), 'invalid_request');
    await expectProblem(await set({}, app.instance.keys.test), 'wrong_mode');
  });

  it('names a person only when the person or the project wants it', async () => {
    expect((await set({})).status).toBe(200);
    expect(namesIn(await edit({}))).toEqual(['Development organization']);
    expect(namesIn(await edit({ nameInFile: true }))).toEqual([
      'Development organization',
      'Development owner',
    ]);
    expect((await set({ nameContributors: 'never' })).status).toBe(200);
    expect(namesIn(await edit({ nameInFile: true }))).toEqual(['Development organization']);
  });

  it('uses the credential that the organization brings, and says that nobody here vouches for it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'colophon-authority-'));
    const authority = await openIdentityAuthority({ folder, clock: systemClock });
    const issued = await authority.issue({ organization: 'Acme', person: undefined });
    rmSync(folder, { recursive: true, force: true });
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const keyPem = other.export({ type: 'pkcs8', format: 'pem' }).toString();
    const install = (body: object) => app.request('/v1/identity-credential', json(body));
    await expectProblem(await install({ ...issued, keyPem }), 'invalid_request');
    expect((await install(issued)).status).toBe(201);
    const [actor] = (await chainOf(await generate())).identities;
    expect(actor).toMatchObject({ state: 'valid', roles: ['cawg.producer'] });
    expect(actor?.name).toMatch(/^Acme/);
    expect(actor?.trustedBy).toBeUndefined();
  });
});
