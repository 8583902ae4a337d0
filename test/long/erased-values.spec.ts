import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compactDecrypt } from 'jose';
import pg from 'pg';
import { type HoldScope } from '../../src/audit/application/legal-hold.js';
import { verifyLog } from '../../src/audit/verify/verify-log.js';
import { type Tx } from '../../src/database/organization-tx.js';
import { type Principal } from '../../src/identity/domain/principal.js';
import { C2paReader } from '../../src/provenance/adapters/c2pa-reader.js';
import { BUNDLE_PATHS } from '../../src/reports/domain/bundle-format.js';
import { type BundleVerification } from '../../src/reports/verify/bundle-verification.js';
import { runVerifyBundle } from '../../src/reports/verify/verify-bundle.js';
import { newId, parsePublicId, publicId } from '../../src/shared/ids.js';
import { FAKE_FAL_CREDENTIALS, FakeFal } from '../fakes/fal/fake-fal.js';
import { formWith, json, postForm, productShot, RETOUCH, type RunAnswer, runToEnd } from '../support/api.js';
import { bundleFiles } from '../support/bundle-files.js';
import { eventually } from '../support/eventually.js';
import { outcomeOf } from '../support/human-work-rows.js';
import { Inspector } from '../support/inspector.js';
import { OpenedPdf } from '../support/opened-pdf.js';
import { retouched } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';
import { IN_A_YEAR } from '../support/days-ahead.js';

const DENIED = '42501';
const LEGAL_HOLD = 'CLP06';

/** Each text occurs nowhere else in the world. */
const SAID = {
  name: 'Ottoline Quennerstedt',
  prompt: 'amber flask velvet quartz seven',
  unseen: 'unrelated tulip kiln forty',
  statement: 'mended nacre label eleven',
  comment: 'rejected basalt gleam nineteen',
  waiver: 'counsel cobalt opinion thirteen',
  hold: 'matter sardonyx against us',
  proof: 'engraved teak lantern twentytwo',
};

interface Person {
  readonly id: string;
  readonly publicId: string;
  readonly key: string;
}

let app: TestApplication;
let inspector: Inspector;
let organizationId: string;
let legal: Person & { readonly principal: Principal };
let fake: FakeFal;
const clients: pg.Client[] = [];

beforeAll(async () => {
  fake = await FakeFal.start();
  app = await startTestApplication({ FAL_KEY: FAKE_FAL_CREDENTIALS, FAL_BASE_URL: fake.origin });
  inspector = await Inspector.open(app.database);
  organizationId = parsePublicId('organization', app.instance.organizationId) ?? '';
  const counsel = await addPerson('Counsel', ['legal']);
  legal = { ...counsel, principal: await app.services.authenticate.withApiKey(counsel.key) };
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.end()));
  await inspector.close();
  await app.close();
  await fake.stop();
});

const uuid = (kind: 'principal' | 'asset' | 'run' | 'project' | 'clearance', text: string): string =>
  parsePublicId(kind, text) ?? '';
const inTx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
  app.services.organizationTx.run(organizationId, work);

async function addPerson(displayName: string, roles: readonly string[]): Promise<Person> {
  const { id } = (await (await app.request('/v1/principals', json({ displayName, roles }))).json()) as {
    id: string;
  };
  const created = await app.request('/v1/api-keys', json({ principalId: id, mode: 'live' }));
  const { key } = (await created.json()) as { key: string };
  return { id: uuid('principal', id), publicId: id, key };
}

const erase = (person: Person) =>
  inTx((tx) =>
    app.services.eraseDataSubject.erase(tx, legal.principal, {
      subjectId: person.id,
      reason: 'data_subject_request',
    }),
  );

async function runOf(person: Person, prompt: string): Promise<{ id: string; assetId: string }> {
  const inputs = { prompt, width: 256, height: 256 };
  const run = await runToEnd(app, productShot(app, { inputs }), person.key);
  expect(run.state).toBe('SUCCEEDED');
  return { id: run.id, assetId: run.steps.at(-1)?.assetId ?? '' };
}

/** Its model needs a waiver, so nothing is sent yet. */
async function startWaiting(person: Person): Promise<RunAnswer> {
  const inputs = { prompt: 'a bottle', model: 'flux-1-schnell@fal', width: 256, height: 256 };
  const started = await app.request('/v1/runs', { ...json(productShot(app, { inputs })), key: person.key });
  const run = (await started.json()) as RunAnswer;
  expect(run.state).toBe('WAITING_FOR_WAIVER');
  return run;
}

async function waive({ clearanceId }: RunAnswer, key: string, comment: string): Promise<void> {
  const waiver = { clearanceId, reason: 'LEGAL_OPINION', comment, expiresAt: IN_A_YEAR };
  expect((await app.request('/v1/waivers', { ...json(waiver), key })).status).toBe(201);
}

async function contributeTo(assetId: string, person: Person, statement: string): Promise<string> {
  const picture = Buffer.from(await (await app.request(`/v1/assets/${assetId}/content`)).arrayBuffer());
  const form = formWith(await retouched(picture), 'e.png', { contribution: { ...RETOUCH, statement } });
  const edit = await app.request(`/v1/assets/${assetId}/contributions`, {
    ...postForm(form),
    key: person.key,
  });
  expect(edit.status).toBe(201);
  return ((await edit.json()) as { asset: { id: string } }).asset.id;
}

async function review(assetId: string, person: Person, comment: string): Promise<void> {
  const answer = await app.request(`/v1/assets/${assetId}/reviews`, {
    ...json({ decision: 'reject', comment }),
    key: person.key,
  });
  expect(answer.status).toBe(201);
}

async function prove(assetId: string, person: Person, text: string): Promise<void> {
  const path = `/v1/assets/${assetId}/obligations`;
  const { items } = (await (await app.request(path)).json()) as { items: { id: string }[] };
  const proof = { ...json({ outcome: 'done', text }), key: person.key };
  expect((await app.request(`${path}/${items[0]?.id}/proof`, proof)).status).toBe(201);
}

async function makeReport(
  assetId: string,
  format: string,
): Promise<{ id: string; bytes: Buffer; sha256: string }> {
  const asked = await app.request('/v1/reports', json({ kind: 'asset', format, assetId }));
  const { id } = (await asked.json()) as { id: string };
  const sha256 = await eventually('the report is made', async () => {
    const report = (await (await app.request(`/v1/reports/${id}`)).json()) as {
      state: string;
      sha256: string;
    };
    if (report.state === 'FAILED') throw new Error('the report failed');
    return report.state === 'DONE' ? report.sha256 : undefined;
  });
  const content = await app.request(`/v1/reports/${id}/content`);
  return { id, bytes: Buffer.from(await content.arrayBuffer()), sha256 };
}

async function verifyBundle(bytes: Buffer): Promise<BundleVerification> {
  const path = join(app.home, `${newId()}.zip`);
  await writeFile(path, bytes);
  return runVerifyBundle(path, {
    expectedVkey: app.instance.log.vkey,
    verifyMedia: (file, anchorsPem) => new C2paReader({ trust: { name: 'bundle', anchorsPem } }).verify(file),
  });
}

async function fsck(afterEntries: readonly string[]) {
  const { published } = await app.services.readLog.waitUntilPublished(organizationId, afterEntries, 30_000);
  expect(published.checkpoint.size).toBeGreaterThan(0);
  const { origin, verifier } = await app.services.logKeys.ofLog(organizationId);
  return verifyLog(app.services.tileStores.ofLog(organizationId), { origin, log: verifier });
}

/** A session of the application's own role in the organization, in an open transaction. */
async function begin(isolation = 'READ COMMITTED', organization = organizationId): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: app.database.applicationUrl,
    options: '-c search_path=colophon',
  });
  clients.push(client);
  await client.connect();
  await client.query(`BEGIN ISOLATION LEVEL ${isolation}`);
  await client.query(`SELECT set_config('app.organization_id', $1, true)`, [organization]);
  return client;
}

const eraseBySql = (client: pg.Client, subject: string, organization = organizationId) =>
  client.query('SELECT erase_data_subject($1, $2, $3) AS gone', [organization, subject, newId()]);
const holdBySql = (client: pg.Client, subject: string) =>
  client.query(
    `INSERT INTO legal_hold (organization_id, id, scope_kind, scope_id, placed_by, placed_entry_id, placed_at)
     VALUES ($1, $2, 'data_subject', $3, $4, $5, now())`,
    [organizationId, newId(), subject, legal.principal.principalId, newId()],
  );

/** Until somebody in this database waits for an advisory lock that another one has. */
const isWaiting = () =>
  eventually('one waits for the other', async () => {
    const waiting = await inspector.query(
      `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    return waiting.length > 0 || undefined;
  });

/** A transaction that seals a value and stays open until it is let go. */
async function sealAndStay(person: Person, value: string) {
  let letGo = (): void => undefined;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  let sealed = (): void => undefined;
  const isSealed = new Promise<void>((resolve) => (sealed = resolve));
  const done = inTx(async (tx) => {
    const entryId = await seal(tx, person, value);
    sealed();
    await gate;
    return entryId;
  });
  await isSealed;
  return { letGo, done };
}

const seal = (tx: Tx, person: Person, value: string) =>
  app.services.appendEntry.append(tx, {
    type: 'principal.created',
    actor: { kind: 'system', id: 'colophon' },
    subject: { kind: 'principal', id: person.publicId },
    data: { roles: [] },
    sealed: { displayName: { value, subjectId: person.id } },
  });

const openingsOf = (person: Person) =>
  inspector.query<{ entry_id: string; sealed_opening: string }>(
    'SELECT entry_id, sealed_opening FROM audit_opening WHERE subject_id = $1',
    [person.id],
  );

/** Everything that anybody with the database and the master key can read: all cells as text, as bytes, and opened. */
async function everythingReadable(): Promise<string> {
  const tables = await inspector.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const rows = await inspector.query<{ row: Record<string, unknown> }>(
      `SELECT to_jsonb(t) AS row FROM ${name} t`,
    );
    for (const { row } of rows) texts.push(...cells(row));
  }
  return [...texts, ...(await openedTexts(texts))].join('\n');
}

function cells(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(cells);
  const text = String(value);
  return text.startsWith('\\x') ? [Buffer.from(text.slice(2), 'hex').toString('utf8')] : [text];
}

/** Whatever is a JWE, opened with every key that is left, whoever's it is. */
async function openedTexts(texts: readonly string[]): Promise<string[]> {
  const master = Buffer.from((await readFile(join(app.home, 'keys/master.key'), 'utf8')).trim(), 'hex');
  const rows = await inspector.query<{ wrapped_key: string }>('SELECT wrapped_key FROM data_subject_key');
  const keys = await Promise.all(
    rows.map(async (row) => (await compactDecrypt(row.wrapped_key, master)).plaintext),
  );
  const jwes = texts.filter((text) => /^[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+$/.test(text));
  const opened = jwes.flatMap((jwe) =>
    [...keys, master].map((key) =>
      compactDecrypt(jwe, key).then(
        ({ plaintext }) => Buffer.from(plaintext).toString('utf8'),
        () => '',
      ),
    ),
  );
  return Promise.all(opened);
}

const found = (text: string) =>
  Object.entries(SAID).flatMap(([what, said]) => (text.includes(said) ? [what] : []));

describe('an erasure', () => {
  it('leaves nothing of what a person wrote or was called, and every proof as it was', async () => {
    const person = await addPerson(SAID.name, ['creator', 'reviewer', 'legal']);
    const other = await addPerson('Other', ['creator']);
    const made = await runOf(person, SAID.prompt);
    await runOf(person, SAID.unseen);
    const edited = await contributeTo(made.assetId, person, SAID.statement);
    const otherRun = await runOf(other, 'a jar');
    await review(otherRun.assetId, person, SAID.comment);
    await prove(otherRun.assetId, person, SAID.proof);
    const hold = await app.request('/v1/legal-holds', {
      ...json({ scope: { kind: 'run', id: otherRun.id }, reason: SAID.hold }),
      key: person.key,
    });
    const { id: holdId } = (await hold.json()) as { id: string };
    const lift = { ...json({ reason: SAID.hold }), key: person.key };
    expect((await app.request(`/v1/legal-holds/${holdId}/lift`, lift)).status).toBe(200);
    const waiting = await startWaiting(other);
    await waive(waiting, person.key, SAID.waiver);
    await (await app.request(`/v1/runs/${waiting.id}/events`)).text();
    const before = await makeReport(edited, 'bundle');

    // The search finds what is there to find, the name in clear, the rest behind keys.
    expect(found(await everythingReadable()).sort()).toEqual(Object.keys(SAID).sort());

    const erasure = await erase(person);
    expect(erasure.nameErased).toBe(true);
    expect(erasure.values.map(({ type, field }) => `${type} ${field}`).sort()).toEqual([
      'contribution.recorded record',
      'contribution.recorded statement',
      'legal_hold.lifted reason',
      'legal_hold.placed reason',
      'obligation.proved text',
      'principal.created displayName',
      'review.decided comment',
      'run.accepted prompt',
      'run.accepted prompt',
      'waiver.approved comment',
    ]);
    expect(found(await everythingReadable())).toEqual([]);

    const report = await fsck(erasure.entryIds);
    expect(report.findings).toEqual([]);
    expect(report.ok).toBe(true);

    // Reports that showed the person are gone from here, with their files; copies elsewhere still verify.
    expect(erasure.reportIds).toContain(parsePublicId('report', before.id));
    await expectProblem(await app.request(`/v1/reports/${before.id}/content`), 'conflict');
    await eventually('the file is deleted', () =>
      app.services.store.localPath(organizationId, before.sha256).then(
        () => undefined,
        () => true,
      ),
    );
    const old = await verifyBundle(before.bytes);
    expect(old.findings).toEqual([]);
    expect(old.verdict).toBe('valid');

    const after = await makeReport(edited, 'bundle');
    const verification = await verifyBundle(after.bytes);
    expect(verification.findings).toEqual([]);
    expect(verification.verdict).toBe('valid');
    const files = await bundleFiles(after.bytes);
    // What the decision was made upon is nobody's words: that it can be compared stays.
    const openings = [...files].filter(([path]) => path.startsWith('openings/'));
    const opened = openings.flatMap(([, bytes]) =>
      Object.keys((JSON.parse(bytes.toString()) as { openings: object }).openings),
    );
    expect(opened).toEqual(['input']);
    const dossier = JSON.parse(files.get(BUNDLE_PATHS.dossierJson)?.toString() ?? '{}') as {
      runs: Record<string, unknown>[];
      contributions: Record<string, unknown>[];
    };
    const why = { erasedAt: erasure.erasedAt.toISOString(), reason: 'data_subject_request' };
    expect(dossier.runs[0]).toMatchObject({ promptErased: why });
    expect(dossier.runs[0]).not.toHaveProperty('prompt');
    expect(dossier.contributions[0]).toMatchObject({ statementErased: why });
    expect(dossier.contributions[0]).not.toHaveProperty('statement');
    const printed = new OpenedPdf(files.get(BUNDLE_PATHS.dossierPdf) ?? Buffer.alloc(0)).text();
    // Of the prompt, of the statement, and of the tool that the person named.
    expect(printed.match(/Erased on \d+ \w+ \d{4}, \d\d:\d\d UTC: data subject request/g)).toHaveLength(3);
    expect(printed).toContain('a person whose name was erased');
    const reviewed = await makeReport(otherRun.assetId, 'json');
    const ofOther = JSON.parse(reviewed.bytes.toString()) as {
      obligations: { items: { state: string; proofs: unknown[] }[] };
    };
    expect(ofOther).toMatchObject({ review: { commentErased: why } });
    // The words are gone; that it was proved, and by whom, stays.
    expect(ofOther.obligations.items[0]).toMatchObject({ state: 'done', proofs: [{ textErased: why }] });
    expect(found(printed + [...files.values()].join('\n') + reviewed.bytes.toString())).toEqual([]);
  });

  it('takes what came before it and nothing that comes after', async () => {
    const person = await addPerson('Returner', ['creator']);
    const first = await runOf(person, 'said before');
    await erase(person);
    const second = await runOf(person, 'said after');
    const dossier = async (assetId: string) =>
      JSON.parse((await makeReport(assetId, 'json')).bytes.toString()) as { runs: { prompt?: string }[] };
    expect((await dossier(first.assetId)).runs).toMatchObject([
      { promptErased: { reason: 'data_subject_request' } },
    ]);
    expect((await dossier(second.assetId)).runs).toMatchObject([{ prompt: 'said after' }]);
    const again = await erase(person);
    expect(again.values.map(({ type }) => type)).toEqual(['run.accepted']);
    expect(again.nameErased).toBe(false);
  });

  it('stops a run whose inputs are gone: nothing is sent, nothing is spent', async () => {
    const person = await addPerson('Runner', ['creator']);
    const money = 'SELECT reserved_micro_usd, spent_micro_usd FROM budget';
    const before = await inspector.query(money);
    const attempts = fake.attempts().length;
    const waiting = await startWaiting(person);
    expect(await inspector.query(money)).not.toEqual(before);
    await erase(person);
    await waive(waiting, legal.key, 'no matter');
    await (await app.request(`/v1/runs/${waiting.id}/events`)).text();
    const run = (await (await app.request(`/v1/runs/${waiting.id}`)).json()) as RunAnswer;
    expect(run.state).toBe('FAILED');
    expect(run.steps[0]).toMatchObject({ state: 'FAILED', error: { code: 'inputs_erased' } });
    expect(fake.attempts()).toHaveLength(attempts);
    expect(await inspector.query(money)).toEqual(before);
  });
});

describe('a legal hold', () => {
  const place = (scope: HoldScope) =>
    inTx((tx) => app.services.placeLegalHold.place(tx, legal.principal, { scope, reason: 'a matter' }));
  const lift = (holdId: string) =>
    inTx((tx) => app.services.liftLegalHold.lift(tx, legal.principal, { holdId, reason: 'it ended' }));

  it('of each scope keeps everything of the people that it covers, until it is lifted', async () => {
    const maker = await addPerson('Maker', ['creator']);
    const editor = await addPerson('Editor', ['creator']);
    const stranger = await addPerson('Stranger', ['creator']);
    const unrelated = await runOf(stranger, 'something else');
    const run = await runOf(maker, 'a bottle');
    const edited = await contributeTo(run.assetId, editor, 'a label');
    const projectId = await inTx((tx) => app.services.administer.createProject(tx, 'Another project'));
    const scopes: { scope: HoldScope; covers: Person[]; spares: Person[] }[] = [
      { scope: { kind: 'organization' }, covers: [maker, editor, stranger], spares: [] },
      { scope: { kind: 'data_subject', id: maker.id }, covers: [maker], spares: [editor] },
      // What it was made from, and what was made from it, is held with it.
      { scope: { kind: 'asset', id: uuid('asset', edited) }, covers: [maker, editor], spares: [stranger] },
      {
        scope: { kind: 'asset', id: uuid('asset', run.assetId) },
        covers: [maker, editor],
        spares: [stranger],
      },
      { scope: { kind: 'run', id: uuid('run', run.id) }, covers: [maker, editor], spares: [stranger] },
      { scope: { kind: 'run', id: uuid('run', unrelated.id) }, covers: [stranger], spares: [maker, editor] },
      {
        scope: { kind: 'project', id: uuid('project', app.instance.projectId) },
        covers: [maker, editor, stranger],
        spares: [],
      },
      { scope: { kind: 'project', id: projectId }, covers: [], spares: [maker, editor, stranger] },
    ];
    for (const { scope, covers, spares } of scopes) {
      const hold = await place(scope);
      const client = await begin();
      for (const person of [...covers, ...spares]) {
        await client.query('SAVEPOINT one');
        const outcome = await outcomeOf(eraseBySql(client, person.id));
        expect({ scope, outcome }).toEqual({
          scope,
          outcome: covers.includes(person) ? LEGAL_HOLD : 'accepted',
        });
        await client.query('ROLLBACK TO one');
      }
      await client.query('ROLLBACK');
      await lift(hold.id);
    }
    const holds = [
      await place({ kind: 'asset', id: uuid('asset', edited) }),
      await place({ kind: 'organization' }),
    ];
    const readable = await openingsOf(maker);
    const refusal = await erase(maker).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: 'legal_hold',
      extensions: { holdIds: holds.map(({ id }) => publicId('legalHold', id)) },
    });
    expect(await openingsOf(maker)).toEqual(readable);
    for (const { id } of holds) await lift(id);
    expect((await erase(maker)).values).toHaveLength(2);
  });

  it('keeps the words of the person who placed it, while it is in force', async () => {
    const counsel = await addPerson('Second counsel', ['legal']);
    const placer = await app.services.authenticate.withApiKey(counsel.key);
    const scope: HoldScope = { kind: 'data_subject', id: legal.principal.principalId };
    const hold = await inTx((tx) =>
      app.services.placeLegalHold.place(tx, placer, { scope, reason: 'a matter' }),
    );
    await expect(erase(counsel)).rejects.toMatchObject({ code: 'legal_hold' });
    await lift(hold.id);
    expect((await erase(counsel)).values.map(({ type }) => type)).toContain('legal_hold.placed');
    const [listed] = await inTx((tx) =>
      app.services.listLegalHolds.list(tx, { before: undefined, limit: 1, inForce: false }),
    );
    expect(listed).toMatchObject({ hold: { id: hold.id }, reason: undefined, liftedReason: 'it ended' });
  });

  it('is lifted once, and nothing else about it changes, whoever tries', async () => {
    const hold = await place({ kind: 'organization' });
    await lift(hold.id);
    await expect(lift(hold.id)).rejects.toMatchObject({ code: 'conflict' });
    const superuser = async (sql: string) => {
      await inspector.query('BEGIN');
      await inspector.query('SET LOCAL session_replication_role = replica');
      const outcome = await outcomeOf(inspector.query(sql, [hold.id]));
      await inspector.query('ROLLBACK');
      return outcome;
    };
    for (const sql of [
      'UPDATE legal_hold SET lifted_at = now() WHERE id = $1',
      'UPDATE legal_hold SET lifted_at = NULL, lifted_by = NULL, lifted_entry_id = NULL WHERE id = $1',
      `UPDATE legal_hold SET scope_kind = 'asset', scope_id = id WHERE id = $1`,
      'DELETE FROM legal_hold WHERE id = $1',
    ]) {
      expect([sql, await superuser(sql)]).toEqual([sql, DENIED]);
    }
    const client = await begin();
    expect(await outcomeOf(client.query('DELETE FROM legal_hold'))).toBe(DENIED);
  });

  it('on something that is not there is refused', async () => {
    for (const kind of ['data_subject', 'asset', 'run', 'project'] as const)
      await expect(place({ kind, id: newId() })).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('two at once', () => {
  it('an erasure waits for a hold that is being placed, and is refused', async () => {
    const person = await addPerson('First', ['creator']);
    const [holder, eraser] = [await begin(), await begin()];
    await holdBySql(holder, person.id);
    const erasing = outcomeOf(eraseBySql(eraser, person.id));
    await isWaiting();
    await holder.query('COMMIT');
    expect(await erasing).toBe(LEGAL_HOLD);
    await eraser.query('ROLLBACK');
    expect(await openingsOf(person)).toHaveLength(1);
  });

  it('a hold waits for an erasure that is under way: all of it is gone, or nothing', async () => {
    const person = await addPerson('Second', ['creator']);
    const [eraser, holder] = [await begin(), await begin()];
    await eraseBySql(eraser, person.id);
    const holding = outcomeOf(holdBySql(holder, person.id));
    await isWaiting();
    // The erasure is given up, the hold gets its turn, and nothing was lost.
    await eraser.query('ROLLBACK');
    expect(await holding).toBe('accepted');
    await holder.query('COMMIT');
    expect(await openingsOf(person)).toHaveLength(1);
    await expect(erase(person)).rejects.toMatchObject({ code: 'legal_hold' });
  });

  it('an erasure waits for a value that is being sealed, and takes it', async () => {
    const person = await addPerson('Third', ['creator']);
    const sealing = await sealAndStay(person, 'sealed meanwhile');
    const erasing = erase(person);
    await isWaiting();
    sealing.letGo();
    const entryId = await sealing.done;
    expect((await erasing).values.map((value) => value.entryId)).toContain(entryId);
    expect(await openingsOf(person)).toEqual([]);
  });

  it('a value waits for an erasure that is under way, and is sealed under a new key', async () => {
    const person = await addPerson('Fourth', ['creator']);
    const eraser = await begin();
    await eraseBySql(eraser, person.id);
    const sealing = inTx((tx) => seal(tx, person, 'sealed afterwards'));
    await isWaiting();
    await eraser.query('COMMIT');
    const entryId = await sealing;
    const [opening, ...others] = await openingsOf(person);
    expect(others).toEqual([]);
    expect(opening?.entry_id).toBe(entryId);
    const plain = await inTx((tx) =>
      app.services.vault.decrypt(tx, person.id, opening?.sealed_opening ?? ''),
    );
    expect(plain).toContain('sealed afterwards');
  });

  it('a report that was opened before an erasure is not finished after it', async () => {
    const person = await addPerson('Fifth', ['creator']);
    const run = await runOf(person, 'opened too early');
    // The worker stops where it locks the people whom it has shown.
    const eraser = await begin();
    await eraser.query('SELECT lock_holds($1)', [organizationId]);
    await eraseBySql(eraser, person.id);
    const asked = await app.request(
      '/v1/reports',
      json({ kind: 'asset', format: 'json', assetId: run.assetId }),
    );
    const { id } = (await asked.json()) as { id: string };
    await isWaiting();
    await eraser.query(
      `INSERT INTO erasure (organization_id, id, subject_id, reason, openings, erased_by, erased_at)
       VALUES ($1, $2, $3, 'court_order', 2, $4, now())`,
      [organizationId, newId(), person.id, legal.principal.principalId],
    );
    await eraser.query('COMMIT');
    await eventually('the report is made again', async () => {
      const report = (await (await app.request(`/v1/reports/${id}`)).json()) as { state: string };
      return report.state === 'DONE' || undefined;
    });
    const content = await (await app.request(`/v1/reports/${id}/content`)).text();
    expect(content).not.toContain('opened too early');
    expect(content).toContain('"reason":"court_order"');
  });
});

describe('the application role', () => {
  it('erases through the function alone, and in its own organization alone', async () => {
    const person = await addPerson('Target', ['creator']);
    for (const sql of [
      'DELETE FROM audit_opening',
      'DELETE FROM data_subject_key',
      `UPDATE data_subject_key SET wrapped_key = ''`,
      'UPDATE principal SET display_name = NULL',
      `SELECT holds_on_subject('${organizationId}', '${person.id}')`,
    ]) {
      expect([sql, await outcomeOf((await begin()).query(sql))]).toEqual([sql, DENIED]);
    }
    const foreign = await begin('READ COMMITTED', newId());
    expect(await outcomeOf(eraseBySql(foreign, person.id))).toBe(DENIED);
    const none = await begin('READ COMMITTED', '');
    expect(await outcomeOf(eraseBySql(none, person.id))).toBe(DENIED);
    // Its own organization named, another one's person meant: nothing is found.
    const own = newId();
    const mistaken = await begin('READ COMMITTED', own);
    await eraseBySql(mistaken, person.id, own);
    await mistaken.query('COMMIT');
    expect(await openingsOf(person)).toHaveLength(1);
    const sequencer = new pg.Client({
      connectionString: app.database.sequencerUrl,
      options: `-c search_path=colophon -c app.organization_id=${organizationId}`,
    });
    clients.push(sequencer);
    await sequencer.connect();
    expect(await outcomeOf(eraseBySql(sequencer, person.id))).toBe(DENIED);
  });

  it('cannot look past a hold through an older snapshot, or through tables of its own', async () => {
    const person = await addPerson('Snapshot', ['creator']);
    for (const isolation of ['REPEATABLE READ', 'SERIALIZABLE']) {
      expect(await outcomeOf(eraseBySql(await begin(isolation), person.id))).toBe('0A000');
    }
    const holder = await begin();
    await holdBySql(holder, person.id);
    await holder.query('COMMIT');
    const shadow = await begin();
    // Where temporary tables may be made at all, the function does not look there first.
    await shadow.query('SAVEPOINT shadow');
    const made = await outcomeOf(
      shadow.query('CREATE TEMPORARY TABLE legal_hold (LIKE colophon.legal_hold)'),
    );
    if (made !== 'accepted') await shadow.query('ROLLBACK TO shadow');
    expect(await outcomeOf(eraseBySql(shadow, person.id))).toBe(LEGAL_HOLD);
  });
});
