import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Listing } from '../../src/licenses/domain/listing.js';
import { FAKE_GOOGLE_KEY, FakeGoogle } from '../fakes/google/fake-google.js';
import { FAKE_OPENAI_KEY, FakeOpenAi } from '../fakes/openai/fake-openai.js';
import { addPerson, HARMLESS_FACTS, json, OWN_RIGHTS } from './api.js';
import { Inspector } from './inspector.js';
import { ownLicenseText, ownListing } from './registry-rows.js';
import { startTestApplication, type TestApplication } from './test-application.js';

const GENERATE_AND_EDIT = ['generate', 'edit'] as const;

/** What the operator added for these tests: models that the product does not know yet. The last one is forbidden. */
export const MODELS = {
  openai: 'gpt-image-3',
  gemini: 'gemini-4-flash-image',
  forbidden: 'gpt-image-3-mini',
} as const;

/** The whole product with OpenAI and Google behind it, and the gateway of `hero-image` open. */
export class GatewayWorld {
  private constructor(
    readonly app: TestApplication,
    readonly inspector: Inspector,
    readonly openai: FakeOpenAi,
    readonly google: FakeGoogle,
    private readonly folder: string,
  ) {}

  static async start(environment: Record<string, string> = {}): Promise<GatewayWorld> {
    const [openai, google] = await Promise.all([FakeOpenAi.start(), FakeGoogle.start()]);
    const folder = mkdtempSync(join(tmpdir(), 'colophon-gateway-'));
    const serversFile = join(folder, 'servers.json');
    writeFileSync(serversFile, JSON.stringify({ offerings: OFFERINGS, prices: PRICES }), { mode: 0o600 });
    const app = await startTestApplication({
      COLOPHON_SERVERS_FILE: serversFile,
      OPENAI_API_KEY: FAKE_OPENAI_KEY,
      OPENAI_BASE_URL: openai.baseUrl,
      GEMINI_API_KEY: FAKE_GOOGLE_KEY,
      GOOGLE_GEMINI_BASE_URL: google.server.origin,
      ...environment,
    });
    const world = new GatewayWorld(app, await Inspector.open(app.database), openai, google, folder);
    await world.done(app.request('/v1/license-texts', json(ownLicenseText())));
    for (const listing of LISTINGS) await world.done(app.request('/v1/models', json({ listing })));
    return world;
  }

  async close(): Promise<void> {
    await this.inspector.close();
    await this.app.close();
    await Promise.all([this.openai.stop(), this.google.stop()]);
    rmSync(this.folder, { recursive: true });
  }

  /** Root of a vendor for the use case, without a version. */
  root(vendor: 'openai' | 'gemini', useCase = 'hero-image', projectId = this.app.instance.projectId): string {
    return `${this.app.url}/gateway/${vendor}/p/${projectId}/${useCase}`;
  }

  settingsPath(useCase = 'hero-image'): string {
    return `/v1/projects/${this.app.instance.projectId}/use-cases/${useCase}/gateway`;
  }

  /** Opens the gateway, as a person with the role legal would. */
  async open(changes: Record<string, unknown> = {}, useCase = 'hero-image'): Promise<void> {
    await openGateway(this.app, changes, useCase);
  }

  async newUseCase(name: string): Promise<void> {
    const { projectId } = this.app.instance;
    await this.done(this.app.request(`/v1/projects/${projectId}/use-cases`, json({ name })));
  }

  async entriesOf(type: string): Promise<{ actor: { id: string }; data: Record<string, unknown> }[]> {
    const rows = await this.inspector.query<{ entry: Buffer }>(
      `SELECT entry FROM (SELECT entry_id, entry FROM audit_pending WHERE entry_type = $1
         UNION ALL SELECT entry_id, entry FROM audit_entry WHERE entry_type = $1) AS all_entries ORDER BY entry_id`,
      [type],
    );
    return rows.map(({ entry }) => JSON.parse(entry.toString()) as never);
  }

  private async done(asked: Promise<Response>): Promise<void> {
    const response = await asked;
    if (!response.ok) throw new Error(`a preparation was refused: ${await response.text()}`);
  }
}

/** Opens the gateway of a use case, as a person with the role legal would. */
export async function openGateway(
  app: TestApplication,
  changes: Record<string, unknown> = {},
  useCase = 'hero-image',
): Promise<void> {
  const { key } = await addPerson(app, ['legal']);
  const body = { open: true, facts: HARMLESS_FACTS, inputRights: OWN_RIGHTS, ...changes };
  const path = `/v1/projects/${app.instance.projectId}/use-cases/${useCase}/gateway`;
  const answer = await app.request(path, { ...json(body), method: 'PUT', key });
  if (!answer.ok) throw new Error(`the gateway was not opened: ${await answer.text()}`);
}

const OFFERINGS = [
  { listingId: 'gpt-image-3@openai', provider: 'openai', endpoint: MODELS.openai },
  { listingId: 'nano-banana-3@gemini-api', provider: 'google', endpoint: MODELS.gemini },
  { listingId: 'gpt-image-3-mini@openai', provider: 'openai', endpoint: MODELS.forbidden },
].map((offering) => ({ ...offering, operations: GENERATE_AND_EDIT }));

const PRICES = OFFERINGS.map(({ provider, endpoint }) => ({
  provider,
  endpoint,
  price: {
    family: 'per-image',
    tiers: [{ microUsd: 34_000 }],
    sameFor: { traits: ['size', 'quality'], source: 'a contract' },
    source: 'a contract',
    dateRead: '2026-11-22',
    verified: true,
  },
}));

const LISTINGS: readonly Listing[] = OFFERINGS.map(({ listingId: id, endpoint }) => {
  const roles: Listing['roles'] = ['generator', 'editor'];
  const listing = ownListing({ id, roles });
  if (endpoint !== MODELS.forbidden) return listing;
  return { ...listing, terms: listing.terms.map((term) => ({ ...term, value: 'no' }) as typeof term) };
});
