import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { opensCommitment } from '../../src/audit/core/commitment.js';
import { C2paReader } from '../../src/provenance/adapters/c2pa-reader.js';
import { BUNDLE_PATHS, entryPath, type OpeningFile } from '../../src/reports/domain/bundle-format.js';
import { type BundleVerification } from '../../src/reports/verify/bundle-verification.js';
import { runVerifyBundle } from '../../src/reports/verify/verify-bundle.js';
import { parsePublicId } from '../../src/shared/ids.js';
import { FAKE_FAL_CREDENTIALS, FakeFal } from '../fakes/fal/fake-fal.js';
import {
  addPerson,
  formWith,
  json,
  OWN_RIGHTS,
  postForm,
  productShot,
  RETOUCH,
  type RunAnswer,
  runToEnd,
} from '../support/api.js';
import { bundleFiles } from '../support/bundle-files.js';
import { eventually } from '../support/eventually.js';
import { Inspector } from '../support/inspector.js';
import { OpenedPdf } from '../support/opened-pdf.js';
import { noisePicture, retouched } from '../support/pictures.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';
import { IN_A_YEAR } from '../support/days-ahead.js';

/** What people wrote. Each text occurs nowhere else in the world. */
const SAID = {
  prompt: 'amber flask velvet quartz seven',
  statement: 'mended nacre label eleven',
  comment: 'approved basalt gleam nineteen',
  waiverComment: 'counsel cobalt opinion thirteen',
  proof: 'engraved teak lantern twentytwo',
  correction: 'withdrawn umber sleet thirtyone',
  recall: 'returned ivory thimble sixtytwo',
  proofUrl: 'https://example.com/saffron-lattice',
};
/** Said of the parent: a dossier of the child does not print it. */
const OTHER_PROOF = 'withheld plum anchor fifty';
const OTHER_PROMPT = 'unrelated tulip kiln forty';

interface Bundle {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly verification: BundleVerification;
}
interface Entry {
  readonly type: string;
  readonly sealed?: Readonly<Record<string, string>>;
}

let fake: FakeFal;
let app: TestApplication;
let inspector: Inspector;
let assetId: string;
const people: Record<'creator' | 'editor' | 'reviewer' | 'legal', { principalId: string; key: string }> = {
  creator: { principalId: '', key: '' },
  editor: { principalId: '', key: '' },
  reviewer: { principalId: '', key: '' },
  legal: { principalId: '', key: '' },
};

beforeAll(async () => {
  fake = await FakeFal.start();
  app = await startTestApplication({ FAL_KEY: FAKE_FAL_CREDENTIALS, FAL_BASE_URL: fake.origin });
  inspector = await Inspector.open(app.database);
  people.creator = await addPerson(app, ['creator']);
  people.editor = await addPerson(app, ['creator']);
  people.reviewer = await addPerson(app, ['reviewer']);
  people.legal = await addPerson(app, ['legal']);
  assetId = await makeApprovedAsset();
});
afterAll(async () => {
  await inspector.close();
  await app.close();
  await fake.stop();
});

/** Generated on a waiver, edited by one person, approved by another. */
async function makeApprovedAsset(): Promise<string> {
  const { creator, editor, reviewer, legal } = people;
  const inputs = { prompt: SAID.prompt, model: 'flux-1-schnell@fal', width: 256, height: 256 };
  const started = await app.request('/v1/runs', {
    ...json(productShot(app, { inputs })),
    key: creator.key,
  });
  const { id, clearanceId } = (await started.json()) as RunAnswer;
  const reason = { reason: 'LEGAL_OPINION', comment: SAID.waiverComment, expiresAt: IN_A_YEAR };
  const waived = await app.request('/v1/waivers', { ...json({ clearanceId, ...reason }), key: legal.key });
  expect(waived.status).toBe(201);
  await (await app.request(`/v1/runs/${id}/events`)).text();
  const run = (await (await app.request(`/v1/runs/${id}`)).json()) as RunAnswer;
  expect(run.state).toBe('SUCCEEDED');
  // Another run of the same person, which has nothing to do with the asset.
  await runToEnd(app, productShot(app, { inputs: { prompt: OTHER_PROMPT } }), creator.key);
  const made = run.steps.at(-1)?.assetId ?? '';
  const picture = Buffer.from(await (await app.request(`/v1/assets/${made}/content`)).arrayBuffer());
  const contribution = { ...RETOUCH, statement: SAID.statement };
  const edit = await app.request(`/v1/assets/${made}/contributions`, {
    ...postForm(formWith(await retouched(picture), 'e.png', { contribution })),
    key: editor.key,
  });
  expect(edit.status).toBe(201);
  const { id: contributionId, asset } = (await edit.json()) as { id: string; asset: { id: string } };
  const correction = { ...json({ kind: 'withdrawn', text: SAID.correction }), key: editor.key };
  expect((await app.request(`/v1/contributions/${contributionId}/corrections`, correction)).status).toBe(201);
  const review = { ...json({ decision: 'approve', comment: SAID.comment }), key: reviewer.key };
  expect((await app.request(`/v1/assets/${asset.id}/reviews`, review)).status).toBe(201);
  await prove(made, { text: OTHER_PROOF });
  await prove(asset.id, { text: SAID.proof, url: SAID.proofUrl });
  expect((await app.request(`/v1/assets/${asset.id}/release`, json({}))).status).toBeLessThan(300);
  const recall = { ...json({ reason: 'rights_claim', text: SAID.recall }), key: legal.key };
  expect((await app.request(`/v1/assets/${asset.id}/recall`, recall)).status).toBeLessThan(300);
  return asset.id;
}

async function prove(ofAsset: string, words: { text: string; url?: string }): Promise<void> {
  const path = `/v1/assets/${ofAsset}/obligations`;
  const { items } = (await (await app.request(path)).json()) as { items: { id: string }[] };
  const body = { outcome: 'done', ...words };
  const proved = await app.request(`${path}/${items[0]?.id}/proof`, {
    ...json(body),
    key: people.reviewer.key,
  });
  expect(proved.status).toBe(201);
}

async function makeBundle(ofAsset: string): Promise<Bundle> {
  const asked = await app.request('/v1/reports', json({ kind: 'asset', format: 'bundle', assetId: ofAsset }));
  expect(asked.status).toBe(202);
  const { id } = (await asked.json()) as { id: string };
  await eventually('the bundle is made', async () => {
    const report = (await (await app.request(`/v1/reports/${id}`)).json()) as { state: string };
    if (report.state === 'FAILED') throw new Error('the report failed');
    return report.state === 'DONE' || undefined;
  });
  const content = await app.request(`/v1/reports/${id}/content`);
  const bytes = Buffer.from(await content.arrayBuffer());
  const path = join(app.home, `${id}.zip`);
  await writeFile(path, bytes);
  const verification = await runVerifyBundle(path, {
    expectedVkey: app.instance.log.vkey,
    verifyMedia: (file, anchorsPem) =>
      new C2paReader({ trust: { name: 'the authority in this bundle', anchorsPem } }).verify(file),
  });
  return { files: await bundleFiles(bytes), verification };
}

/** Opened values by type of entry and field, each checked against the commitment in that entry of the bundle. */
function disclosed({ files }: Bundle): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [path, bytes] of files) {
    if (!path.startsWith('openings/')) continue;
    const { index, openings } = JSON.parse(bytes.toString()) as OpeningFile;
    const entry = JSON.parse(files.get(entryPath(index))?.toString() ?? '{}') as Entry;
    for (const [field, { salt, value }] of Object.entries(openings)) {
      const opening = { salt: Buffer.from(salt, 'base64url'), value };
      expect(opensCommitment(opening, entry.sealed?.[field] ?? '')).toBe(true);
      values[`${entry.type} ${field}`] = value;
    }
  }
  return values;
}

/** `type field` of every commitment in the entries of the bundle. */
function sealed({ files }: Bundle): string[] {
  return [...files]
    .filter(([path]) => path.startsWith('entries/'))
    .flatMap(([, bytes]) => {
      const entry = JSON.parse(bytes.toString()) as Entry;
      return Object.keys(entry.sealed ?? {}).map((field) => `${entry.type} ${field}`);
    })
    .sort();
}

/** The files of the bundle in which somebody could read the text, whatever they unpack. */
function filesThatHold({ files }: Bundle, text: string): string[] {
  const unbroken = (readable: string) => readable.replaceAll(/\s+/g, '');
  const spellings = [
    text,
    Buffer.from(text).toString('hex'),
    Buffer.from(text, 'utf16le').toString('latin1'),
  ];
  return [...files]
    .filter(([path, bytes]) => {
      if (spellings.some((spelling) => bytes.includes(Buffer.from(spelling, 'latin1')))) return true;
      if (path !== BUNDLE_PATHS.dossierPdf) return false;
      const pdf = new OpenedPdf(bytes);
      return unbroken(pdf.text()).includes(unbroken(text)) || (pdf.attachment()?.includes(text) ?? false);
    })
    .map(([path]) => path.replace(/\d+/, 'N'))
    .sort();
}

interface Dossier {
  readonly runs: readonly { prompt?: string; waivers: readonly { comment: string }[] }[];
  readonly contributions: readonly {
    statement?: string;
    record?: string;
    corrections: readonly { text?: string }[];
  }[];
  readonly recall?: { text?: string };
  readonly review?: { comment?: string };
  readonly obligations: { items: readonly { proofs: readonly { text: string; url: string }[] }[] };
}
const dossierOf = ({ files }: Bundle) =>
  JSON.parse(files.get(BUNDLE_PATHS.dossierJson)?.toString() ?? '{}') as Dossier;

/** The hash of what was decided upon: nobody's words, and with its salt it can be compared. */
const DECIDED_UPON = expect.stringMatching(/^[0-9a-f]{64}$/);

describe('what an evidence bundle discloses', () => {
  it('opens every commitment behind what the dossier prints, and nothing that it does not', async () => {
    const bundle = await makeBundle(assetId);
    expect(bundle.verification.findings).toEqual([]);
    expect(bundle.verification.verdict).toBe('valid');
    const opened = disclosed(bundle);
    expect(opened).toEqual({
      'run.accepted prompt': SAID.prompt,
      'clearance.decided input': DECIDED_UPON,
      'contribution.recorded statement': SAID.statement,
      // What the person could sign: the dossier shows all of it.
      'contribution.recorded record': expect.stringContaining(SAID.statement),
      'contribution.corrected text': SAID.correction,
      'review.decided comment': SAID.comment,
      'asset.recalled text': SAID.recall,
      'waiver.approved comment': SAID.waiverComment,
      'obligation.proved text': SAID.proof,
      'obligation.proved url': SAID.proofUrl,
    });
    expect(bundle.verification.notProved.join('\n')).not.toContain('was not opened');
    const { runs, contributions, review, recall, obligations } = dossierOf(bundle);
    const printed = [
      ...runs.flatMap(({ prompt, waivers }) => [prompt, ...waivers.map(({ comment }) => comment)]),
      ...contributions.flatMap(({ statement, record }) => [statement, record]),
      ...contributions.flatMap(({ corrections }) => corrections.map(({ text }) => text)),
      recall?.text,
      review?.comment,
      ...obligations.items.flatMap(({ proofs }) => proofs.flatMap(({ text, url }) => [text, url])),
    ];
    const ofPeople = Object.entries(opened).filter(([name]) => name !== 'clearance.decided input');
    expect(new Set(printed)).toEqual(new Set(ofPeople.map(([, value]) => value)));
    for (const text of [SAID.prompt, SAID.statement, SAID.comment, SAID.proof, SAID.proofUrl]) {
      expect(filesThatHold(bundle, text)).toEqual([
        BUNDLE_PATHS.dossierJson,
        BUNDLE_PATHS.dossierPdf,
        'openings/N.json',
      ]);
    }
    expect(filesThatHold(bundle, OTHER_PROMPT)).toEqual([]);
    expect(filesThatHold(bundle, OTHER_PROOF)).toEqual([]);
  });

  it('leaves sealed what the dossier does not print: the name under which a file was sent', async () => {
    const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
    const form = formWith(await noisePicture(), 'holiday.png', { declaration });
    const { id } = (await (await app.request('/v1/assets', postForm(form))).json()) as { id: string };
    const bundle = await makeBundle(id);
    expect(bundle.verification.verdict).toBe('valid');
    expect(sealed(bundle)).toEqual(['asset.received fileName']);
    expect(disclosed(bundle)).toEqual({});
  });

  it('holds nothing of people who were erased, and verifies as before', async () => {
    const commitments = sealed(await makeBundle(assetId));
    const erased = [people.creator, people.editor, people.reviewer].map(({ principalId }) =>
      parsePublicId('principal', principalId),
    );
    // The key alone, as after an erasure of which a backup has brought the ciphertexts back.
    await inspector.query('SET session_replication_role = replica');
    const keys = await inspector.query(
      'DELETE FROM data_subject_key WHERE subject_id = ANY($1::uuid[]) RETURNING subject_id',
      [erased],
    );
    await inspector.query('RESET session_replication_role');
    expect(keys).toHaveLength(3);

    const bundle = await makeBundle(assetId);
    expect(bundle.verification.findings).toEqual([]);
    expect(bundle.verification.verdict).toBe('valid');
    for (const text of [SAID.prompt, SAID.statement, SAID.comment, SAID.proof, SAID.proofUrl])
      expect(filesThatHold(bundle, text)).toEqual([]);
    // What nobody erased is still opened, and the commitments of the rest stay where they were.
    expect(disclosed(bundle)).toEqual({
      'clearance.decided input': DECIDED_UPON,
      'waiver.approved comment': SAID.waiverComment,
      'asset.recalled text': SAID.recall,
    });
    expect(sealed(bundle)).toEqual(commitments);
  });
});
