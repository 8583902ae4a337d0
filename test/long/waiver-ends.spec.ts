import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parsePublicId } from '../../src/shared/ids.js';
import { VendorGate } from '../crash/support/vendor-gate.js';
import { FAKE_FAL_CREDENTIALS, FakeFal } from '../fakes/fal/fake-fal.js';
import {
  addPerson,
  formWith,
  HARMLESS_FACTS,
  json,
  postForm,
  productShot,
  RETOUCH,
  type RunAnswer,
} from '../support/api.js';
import { Inspector } from '../support/inspector.js';
import { retouched } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';
import { dayAhead, IN_A_YEAR } from '../support/days-ahead.js';

/** Its clearance is "review": it runs on a waiver only. */
const MODEL = 'flux-1-schnell@fal';

let fake: FakeFal;
let gate: VendorGate;
let app: TestApplication;
let inspector: Inspector;
let legal: { live: string; test: string };

beforeAll(async () => {
  fake = await FakeFal.start();
  gate = await VendorGate.start(fake);
  // Without a worker at first: a step can be seen between its acceptance and its intent.
  app = await startTestApplication({
    COLOPHON_ROLES: 'http,sequencer',
    FAL_KEY: FAKE_FAL_CREDENTIALS,
    FAL_BASE_URL: gate.url,
  });
  inspector = await Inspector.open(app.database);
  const { principalId, key } = await addPerson(app, ['legal']);
  const second = await app.request('/v1/api-keys', json({ principalId, mode: 'test' }));
  legal = { live: key, test: ((await second.json()) as { key: string }).key };
});
afterAll(async () => {
  await inspector.close();
  await app.close();
  await gate.stop();
  await fake.stop();
});

const view = async (id: string): Promise<RunAnswer> =>
  (await (await app.request(`/v1/runs/${id}`)).json()) as RunAnswer;

async function ended(id: string): Promise<RunAnswer> {
  await (await app.request(`/v1/runs/${id}/events`)).text();
  return view(id);
}

async function startWaiting(changes: Record<string, unknown> = {}): Promise<RunAnswer> {
  const inputs = { prompt: 'a bottle', model: MODEL, width: 256, height: 256 };
  const started = await app.request('/v1/runs', json(productShot(app, { inputs, ...changes })));
  expect(started.status).toBe(202);
  const run = (await started.json()) as RunAnswer;
  expect(run.state).toBe('WAITING_FOR_WAIVER');
  return run;
}

function askForWaiver({ clearanceId }: RunAnswer, key: string): Promise<Response> {
  const waiver = { reason: 'LEGAL_OPINION', comment: 'for a season', expiresAt: IN_A_YEAR };
  return app.request('/v1/waivers', { ...json({ clearanceId, ...waiver }), key });
}

async function waive(run: RunAnswer): Promise<void> {
  expect((await askForWaiver(run, legal.live)).status).toBe(201);
}

/** As if the clock had passed its end. */
async function endWaiversOf({ clearanceId }: RunAnswer): Promise<void> {
  await inspector.query('BEGIN');
  await inspector.query('ALTER TABLE waiver DISABLE TRIGGER append_only_row');
  await inspector.query(
    `UPDATE waiver SET expires_at = now() - interval '1 second' WHERE clearance_id = $1`,
    [parsePublicId('clearance', clearanceId)],
  );
  await inspector.query('ALTER TABLE waiver ENABLE ALWAYS TRIGGER append_only_row');
  await inspector.query('COMMIT');
}

async function budget(): Promise<{ reserved: string; spent: string } | undefined> {
  const [row] = await inspector.query<{ reserved: string; spent: string }>(
    'SELECT reserved_micro_usd AS reserved, spent_micro_usd AS spent FROM budget',
  );
  return row;
}

const outcomes = ({ steps }: RunAnswer) =>
  steps.map(({ key, state, error }) => [key, state, error?.code ?? null]);

interface Duty {
  key: string;
  kind: string;
  applies: string;
  until?: string | null;
}
interface Duties {
  items: Duty[];
  today: { isAsListed: boolean; added: Duty[]; changed: { key: string; today: Duty }[]; gone: string[] };
}
const dutiesOf = async (assetId: string): Promise<Duties> =>
  (await (await app.request(`/v1/assets/${assetId}/obligations`)).json()) as Duties;
const toStop = (duties: readonly Duty[]) => duties.filter(({ key }) => key.startsWith('waiver:'));

describe('a waiver that has ended', () => {
  it('sends nothing more of a run that it had let start: no submit, no charge, the money is free again', async () => {
    const before = await budget();
    const waiting = await startWaiting();
    expect(await budget()).not.toEqual(before);
    await waive(waiting);
    expect((await view(waiting.id)).state).toBe('RUNNING');
    await endWaiversOf(waiting);
    await app.services.stepWorker.start();
    const run = await ended(waiting.id);
    expect(run.state).toBe('FAILED');
    expect(outcomes(run)[0]).toEqual(['generate', 'FAILED', 'clearance_under_review']);
    expect(run.steps.map(({ assetId }) => assetId)).toEqual([null, null, null, null]);
    expect(fake.attempts()).toEqual([]);
    expect(fake.ledger()).toEqual([]);
    expect(await budget()).toEqual(before);
    const submitted = await inspector.query(
      `SELECT 1 FROM audit_entry WHERE entry_type = 'step.submitted'
       UNION ALL SELECT 1 FROM audit_pending WHERE entry_type = 'step.submitted'`,
    );
    expect(submitted).toEqual([]);
  });

  it('stops a run between two paid steps: the first is captured and paid, the second never sent', async () => {
    const steps = ['first', 'second'].map((key) => ({
      key,
      operation: 'generate',
      model: MODEL,
      parameters: { prompt: 'a bottle' },
      images: key === 'first' ? {} : { reference: { step: 'first' } },
    }));
    const pipeline = json({ name: 'two-paid', definition: { steps } });
    expect((await app.request('/v1/pipelines', pipeline)).status).toBe(201);
    const waiting = await startWaiting({ pipeline: 'two-paid', inputs: {} });
    const charged = fake.ledger().length;
    const { spent } = (await budget()) ?? { spent: '' };
    gate.once('result', 'arrival', async () => {
      await endWaiversOf(waiting);
      return 'pass';
    });
    await waive(waiting);
    const run = await ended(waiting.id);
    expect(outcomes(run)).toEqual([
      ['first', 'SUCCEEDED', null],
      ['second', 'FAILED', 'clearance_under_review'],
    ]);
    expect(fake.ledger()).toHaveLength(charged + 1);
    expect(fake.attempts()).toHaveLength(charged + 1);
    const after = await budget();
    expect(after?.reserved).toBe('0');
    expect(BigInt(after?.spent ?? 0)).toBe(BigInt(spent) + 3_000n);
  });

  it('stops the release of what was made under it, and of what people made from that, until there is a new one', async () => {
    const waiting = await startWaiting();
    await waive(waiting);
    const run = await ended(waiting.id);
    expect(run.state).toBe('SUCCEEDED');
    const made = run.steps.at(-1)?.assetId ?? '';
    const editor = await addPerson(app, ['creator']);
    const reviewer = await addPerson(app, ['reviewer']);
    const picture = Buffer.from(await (await app.request(`/v1/assets/${made}/content`)).arrayBuffer());
    const form = formWith(await retouched(picture), 'e.png', { contribution: RETOUCH });
    const edit = await app.request(`/v1/assets/${made}/contributions`, {
      ...postForm(form),
      key: editor.key,
    });
    expect(edit.status).toBe(201);
    const { asset: edited } = (await edit.json()) as { asset: { id: string } };
    for (const id of [made, edited.id]) {
      const review = { ...json({ decision: 'approve', comment: 'ok' }), key: reviewer.key };
      expect((await app.request(`/v1/assets/${id}/reviews`, review)).status).toBe(201);
    }
    await endWaiversOf(waiting);
    const release = (id: string) => app.request(`/v1/assets/${id}/release`, json({}));
    const before = await inspector.footprint();
    for (const id of [made, edited.id]) await expectProblem(await release(id), 'clearance_under_review');
    expect(await inspector.footprint()).toEqual(before);
    // Nor does a test key of the person who may waive: it may lie in a notebook.
    await expectProblem(await askForWaiver(waiting, legal.test), 'wrong_mode');
    expect(await inspector.footprint()).toEqual(before);
    for (const id of [made, edited.id]) await expectProblem(await release(id), 'clearance_under_review');
    await waive(waiting);
    for (const id of [made, edited.id]) expect((await release(id)).status).toBe(200);
  });
});

const LAST_DAY = dayAhead(400);
const LAST_MOMENT = `${LAST_DAY}T00:00:00.000Z`;

describe('a waiver that ends before the campaign', () => {
  const facts = { ...HARMLESS_FACTS, campaignEnd: LAST_DAY };
  const approve = async (clearanceId: string, expiresAt: string) => {
    const waiver = { clearanceId, reason: 'LEGAL_OPINION', comment: 'for a season', expiresAt };
    const answer = await app.request('/v1/waivers', { ...json(waiver), key: legal.live });
    expect(answer.status).toBe(201);
    return (await answer.json()) as { id: string; coversCampaign: string };
  };
  const standing = async ({ clearanceId }: RunAnswer) => {
    const answer = await app.request(`/v1/clearances/${clearanceId}`);
    return ((await answer.json()) as { standing: Record<string, unknown> }).standing;
  };

  it('lets the work be made, says so, and follows it as a duty to stop until a longer one takes its place', async () => {
    const waiting = await startWaiting({ facts });
    const short = await approve(waiting.clearanceId, LAST_MOMENT);
    expect(short.coversCampaign).toBe('no');
    expect(await standing(waiting)).toMatchObject({
      kind: 'holds',
      coveredUntil: LAST_MOMENT,
      waiverIds: [short.id],
    });
    const run = await ended(waiting.id);
    expect(run.state).toBe('SUCCEEDED');
    const made = run.steps.at(-1)?.assetId ?? '';
    const key = `waiver:${waiting.clearanceId}`;
    const signed = await dutiesOf(made);
    expect(toStop(signed.items)).toMatchObject([
      { key, kind: 'stop-before', applies: 'yes', until: dayAhead(399) },
    ]);
    expect(signed.today.isAsListed).toBe(true);

    // Nobody accepts it any more: shown today as what it is, while the list stays as it was signed.
    await endWaiversOf(waiting);
    const [over] = (await dutiesOf(made)).today.changed;
    expect(over).toMatchObject({ key, today: { applies: 'yes' } });
    expect((over?.today.until ?? '') < dayAhead(399)).toBe(true);
    const long = await approve(waiting.clearanceId, `${dayAhead(401)}T00:00:00.000Z`);
    expect(long.coversCampaign).toBe('yes');
    expect((await dutiesOf(made)).today).toMatchObject({ changed: [], gone: [key] });
  });

  it('for a finding covers no campaign that is stated to be longer, or to have no end', async () => {
    const { clearanceId } = await startWaiting({ facts });
    const { findings } = (await (await app.request(`/v1/clearances/${clearanceId}`)).json()) as {
      findings: { listingId: string; ruleId: string; severity: string }[];
    };
    const me = (await (await app.request('/v1/me')).json()) as { principalId: string };
    for (const { listingId, ruleId } of findings.filter(({ severity }) => severity === 'review')) {
      const waiver = {
        finding: { listingId, ruleId },
        projectId: app.instance.projectId,
        requestedBy: me.principalId,
        reason: 'LEGAL_OPINION',
        comment: 'for a season',
        expiresAt: LAST_MOMENT,
      };
      const answer = await app.request('/v1/waivers', { ...json(waiver), key: legal.live });
      expect([answer.status, ((await answer.json()) as { coversCampaign: null }).coversCampaign]).toEqual([
        201,
        null,
      ]);
    }
    const stateWith = async (campaignEnd: string | null) => {
      const body = productShot(app, {
        inputs: { prompt: 'a bottle', model: MODEL, width: 256, height: 256 },
        facts: { ...HARMLESS_FACTS, campaignEnd },
      });
      const started = await app.request('/v1/runs', json(body));
      return ((await started.json()) as RunAnswer).state;
    };
    expect(await stateWith(LAST_DAY)).toBe('WAITING_FOR_WAIVER');
    expect(await stateWith('open-ended')).toBe('WAITING_FOR_WAIVER');
    expect(await stateWith(dayAhead(399))).toBe('RUNNING');
    expect(await stateWith(null)).toBe('RUNNING');
  });
});
