import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePublicId } from '../../../src/shared/ids.js';
import { FAKE_FAL_CREDENTIALS, FakeFal } from '../../fakes/fal/fake-fal.js';
import { ColophonProcess, freePort } from './colophon-process.js';
import { OWN_RIGHTS } from '../../support/api.js';
import { eventually } from '../../support/eventually.js';
import { ownLicenseText, ownListing } from '../../support/registry-rows.js';
import { HomeDatabase } from './home-database.js';
import { VendorGate } from './vendor-gate.js';
import { IN_A_YEAR } from '../../support/days-ahead.js';

export interface RunView {
  readonly id: string;
  readonly state: string;
  readonly clearanceId: string;
  readonly steps: readonly {
    id: string;
    key: string;
    model: string;
    state: string;
    assetId: string | null;
  }[];
}

const FACTS = { purpose: 'commercial', audienceCountries: ['US'], organizationRevenueUsd: 5_000_000 };

/** One home, the program on it again and again, and a vendor that keeps its own accounts. */
export class CrashBench {
  program!: ColophonProcess;
  private legalKey = '';

  private constructor(
    readonly home: string,
    readonly port: number,
    readonly fake: FakeFal,
    readonly gate: VendorGate,
    private readonly environment: Record<string, string>,
  ) {}

  /** @param environment of every start */
  static async start(environment: Record<string, string> = {}): Promise<CrashBench> {
    const fake = await FakeFal.start();
    const home = mkdtempSync(join(tmpdir(), 'colophon-crash-'));
    const bench = new CrashBench(home, await freePort(), fake, await VendorGate.start(fake), environment);
    await bench.restart();
    const { id } = await bench.post<{ id: string }>('/v1/principals', {
      displayName: 'Counsel',
      roles: ['legal'],
    });
    bench.legalKey = (
      await bench.post<{ key: string }>('/v1/api-keys', { principalId: id, mode: 'live' })
    ).key;
    return bench;
  }

  async stop(): Promise<void> {
    await this.program.signal('SIGINT');
    await this.gate.stop();
    await this.fake.stop();
    rmSync(this.home, { recursive: true, force: true });
  }

  async restart(environment: Record<string, string> = {}): Promise<void> {
    this.program = await ColophonProcess.start({
      home: this.home,
      environment: {
        PORT: String(this.port),
        PUBLIC_URL: `http://127.0.0.1:${this.port}`,
        FAL_KEY: FAKE_FAL_CREDENTIALS,
        FAL_BASE_URL: this.gate.url,
        ...this.environment,
        ...environment,
      },
    });
  }

  post<T>(path: string, body: unknown, options: { key?: string; idempotencyKey?: string } = {}): Promise<T> {
    return this.program.json<T>(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: {
        'content-type': 'application/json',
        'idempotency-key': options.idempotencyKey ?? randomUUID(),
      },
      ...(options.key === undefined ? {} : { key: options.key }),
    });
  }

  runBody(inputs: Record<string, unknown> = { model: 'flux-1-schnell@fal' }): Record<string, unknown> {
    return {
      projectId: this.program.instance.projectId,
      useCase: 'hero-image',
      pipeline: 'product-shot',
      inputs: { prompt: 'a bottle on a table', width: 256, height: 256, factor: 2, ...inputs },
      facts: FACTS,
    };
  }

  /** Two pictures on fal from a list, with a retry; a person chooses one, which is enlarged. */
  async startListRun({ backoffSeconds }: { backoffSeconds: number }): Promise<RunView> {
    const size = { width: 256, height: 256 };
    const steps = [
      {
        key: 'variant',
        operation: 'generate',
        model: 'flux-1-schnell@fal',
        each: { input: 'list' },
        parameters: { prompt: { item: 'prompt' }, ...size },
        retry: { attempts: 3, backoffSeconds },
      },
      { key: 'pick', operation: 'choose', images: { image: { step: 'variant' } } },
      {
        key: 'upscale',
        operation: 'upscale',
        model: 'studio-upscale@studio',
        parameters: { factor: 2 },
        images: { image: { step: 'pick' } },
      },
    ];
    const name = `list-${randomUUID().slice(0, 8)}`;
    await this.post('/v1/pipelines', { name, definition: { steps } });
    const inputs = { list: [{ prompt: 'a red bottle' }, { prompt: 'a blue bottle' }] };
    const run = await this.post<RunView>('/v1/runs', { ...this.runBody(), pipeline: name, inputs });
    await this.waive(run);
    return run;
  }

  /** A run on fal is cleared as `review`, so it waits for counsel. */
  async startFalRun(): Promise<RunView> {
    const run = await this.post<RunView>('/v1/runs', this.runBody());
    await this.waive(run);
    return this.run(run.id);
  }

  async waive({ clearanceId }: RunView): Promise<void> {
    await this.post(
      '/v1/waivers',
      {
        clearanceId,
        reason: 'LEGAL_OPINION',
        comment: 'opinion of the house',
        expiresAt: IN_A_YEAR,
      },
      { key: this.legalKey },
    );
  }

  /** Opens the gateway of `hero-image`, and lets counsel accept what is open about a model of fal. */
  async openGateway(model: string): Promise<void> {
    const { projectId } = this.program.instance;
    const key = this.legalKey;
    const headers = { 'content-type': 'application/json' };
    await this.program.json(`/v1/projects/${projectId}/use-cases/hero-image/gateway`, {
      method: 'PUT',
      body: JSON.stringify({ open: true, facts: FACTS, inputRights: null }),
      headers,
      key,
    });
    const path = `/gateway/fal/p/${projectId}/hero-image/queue/${model}`;
    const refused = await this.program.request(path, { method: 'POST', body: '{"prompt":"x"}', headers });
    const { colophon } = (await refused.json()) as {
      colophon: { findings: { ruleId: string; listingId: string | null; severity: string }[] };
    };
    const { principalId } = await this.program.json<{ principalId: string }>('/v1/me');
    for (const { ruleId, listingId, severity } of colophon.findings) {
      if (severity !== 'review') continue;
      const finding = { ruleId, listingId };
      const why = { reason: 'LEGAL_OPINION', comment: 'read', expiresAt: IN_A_YEAR };
      await this.post('/v1/waivers', { finding, projectId, requestedBy: principalId, ...why }, { key });
    }
  }

  /** A listing of the organization's own, cleared without a waiver. */
  async recordListing(id: string): Promise<void> {
    await this.post('/v1/license-texts', ownLicenseText());
    await this.post('/v1/models', { listing: ownListing({ id }) });
  }

  /** Opens the gateway of `hero-image` for files, too. */
  async openGatewayWithRights(): Promise<void> {
    const path = `/v1/projects/${this.program.instance.projectId}/use-cases/hero-image/gateway`;
    await this.program.json(path, {
      method: 'PUT',
      body: JSON.stringify({ open: true, facts: FACTS, inputRights: OWN_RIGHTS }),
      headers: { 'content-type': 'application/json' },
      key: this.legalKey,
    });
  }

  run(id: string): Promise<RunView> {
    return this.program.json<RunView>(`/v1/runs/${id}`);
  }

  runIn(id: string, ...states: string[]): Promise<RunView> {
    return eventually(
      `run ${id} is ${states.join(' or ')}`,
      async () => {
        const run = await this.run(id);
        return states.includes(run.state) ? run : undefined;
      },
      60_000,
    );
  }

  /** The state of a step as the database has it: also while no program runs. */
  async stateOf(runId: string, key: string): Promise<string> {
    const database = await HomeDatabase.open(this.home);
    try {
      const [row] = await database.query<{ state: string }>(
        'SELECT state FROM step_run WHERE run_id = $1 AND key = $2',
        [parsePublicId('run', runId), key],
      );
      return row?.state ?? 'none';
    } finally {
      await database.close();
    }
  }

  reconcile(runId: string, body: object): Promise<RunView> {
    const said = { ...body, reason: 'looked it up at the vendor' };
    return this.post<RunView>(`/v1/runs/${runId}/steps/generate/reconcile`, said);
  }

  /** What a person does about any step whose outcome is not known: looks at the vendor whether it has the job. */
  async lookUp(runId: string, { id, key }: { readonly id: string; readonly key: string }): Promise<void> {
    const stepRunId = parsePublicId('stepRun', id);
    const charge = this.fake.ledger().find((entry) => entry.stepRunId === stepRunId);
    const found =
      charge === undefined
        ? { outcome: 'not_accepted' }
        : { outcome: 'accepted', upstreamId: charge.requestId };
    const said = { ...found, reason: 'looked it up at the vendor' };
    // The vendor's webhook may have been faster: then the outcome is known, and this one is refused.
    await this.post(`/v1/runs/${runId}/steps/${key}/reconcile`, said).catch(() => undefined);
  }

  /** What the vendor charged for the step of this run that runs there. */
  chargesOf(run: RunView) {
    const generate = run.steps.find(({ key }) => key === 'generate');
    const stepRunId = parsePublicId('stepRun', generate?.id ?? '');
    return this.fake.ledger().filter((entry) => entry.stepRunId === stepRunId);
  }
}
