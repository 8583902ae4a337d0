import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Listing } from '../../src/licenses/domain/listing.js';
import { FAKE_FAL_CREDENTIALS, FakeFal } from '../fakes/fal/fake-fal.js';
import { FAKE_DEPLOYED, FAKE_REPLICATE_TOKEN, FakeReplicate } from '../fakes/replicate/fake-replicate.js';
import { FileHost } from '../fakes/file-host.js';
import { WebhookReceiver } from '../fakes/webhook-receiver.js';
import { json } from './api.js';
import { openGateway } from './gateway-world.js';
import { Inspector } from './inspector.js';
import { ownLicenseText, ownListing } from './registry-rows.js';
import { startTestApplication, type TestApplication } from './test-application.js';

/** What the operator added for these tests. */
export const JOB_MODELS = {
  fal: 'brand/look/v1',
  falForbidden: 'brand/forbidden',
  falVideo: 'brand/motion/v1',
  falCutOut: 'fal-ai/birefnet',
  replicate: 'brand/look',
  version: `brand/pinned:${'a1'.repeat(32)}`,
  deployment: 'deployments/brand/shop',
} as const;

/** How clients reach the service: Replicate's client fetches only https. */
export const PUBLIC_URL = 'https://gateway.example';
export const UPLOAD_MAX_BYTES = 30 * 1024 * 1024;

/** The whole product with fal and Replicate behind it, and the gateway of `hero-image` open. */
export class JobWorld {
  private constructor(
    readonly app: TestApplication,
    readonly inspector: Inspector,
    readonly fal: FakeFal,
    readonly replicate: FakeReplicate,
    readonly receiver: WebhookReceiver,
    readonly host: FileHost,
    private readonly folder: string,
  ) {}

  static async start(): Promise<JobWorld> {
    const [fal, replicate, receiver, host] = await Promise.all([
      FakeFal.start(),
      FakeReplicate.start(),
      WebhookReceiver.start(),
      FileHost.start(),
    ]);
    const folder = mkdtempSync(join(tmpdir(), 'colophon-jobs-'));
    const serversFile = join(folder, 'servers.json');
    writeFileSync(serversFile, JSON.stringify({ offerings: OFFERINGS, prices: PRICES }), { mode: 0o600 });
    const app = await startTestApplication({
      COLOPHON_SERVERS_FILE: serversFile,
      COLOPHON_GATEWAY_WAIT_SECONDS: '20',
      COLOPHON_WEBHOOK_ALLOWED_HOSTS: receiver.host,
      COLOPHON_INPUT_ALLOWED_HOSTS: host.host,
      COLOPHON_UPLOAD_MAX_BYTES: String(UPLOAD_MAX_BYTES),
      PUBLIC_URL,
      FAL_KEY: FAKE_FAL_CREDENTIALS,
      FAL_BASE_URL: fal.origin,
      REPLICATE_API_TOKEN: FAKE_REPLICATE_TOKEN,
      REPLICATE_BASE_URL: replicate.baseUrl,
    });
    const inspector = await Inspector.open(app.database);
    for (const [path, body] of [
      ['/v1/license-texts', ownLicenseText()] as const,
      ...LISTINGS.map((listing) => ['/v1/models', { listing }] as const),
    ]) {
      const recorded = await app.request(path, json(body));
      if (!recorded.ok) throw new Error(`a listing was refused: ${await recorded.text()}`);
    }
    await openGateway(app);
    return new JobWorld(app, inspector, fal, replicate, receiver, host, folder);
  }

  async close(): Promise<void> {
    await this.inspector.close();
    await this.app.close();
    await Promise.all([this.fal.stop(), this.replicate.stop(), this.receiver.stop(), this.host.stop()]);
    rmSync(this.folder, { recursive: true });
  }

  root(vendor: 'fal' | 'replicate', useCase = 'hero-image', projectId = this.app.instance.projectId): string {
    return `${this.app.url}/gateway/${vendor}/p/${projectId}/${useCase}`;
  }

  /** What a name server and TLS would do: the public address leads to the service under test. */
  readonly fetch: typeof fetch = (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    return fetch(url.replace(PUBLIC_URL, this.app.url), init);
  };

  async newUseCase(name: string): Promise<void> {
    const path = `/v1/projects/${this.app.instance.projectId}/use-cases`;
    const made = await this.app.request(path, json({ name }));
    if (!made.ok) throw new Error(`a use case was refused: ${await made.text()}`);
  }
}

const PRICE = {
  family: 'per-image',
  tiers: [{ microUsd: 5_000 }],
  sameFor: { traits: ['size', 'quality'], source: 'a contract' },
  source: 'a contract',
  dateRead: '2026-11-22',
  verified: true,
} as const;

const OFFERINGS = [
  { listingId: 'brand-look.v1@fal', provider: 'fal', endpoint: JOB_MODELS.fal },
  { listingId: 'brand-forbidden.v1@fal', provider: 'fal', endpoint: JOB_MODELS.falForbidden },
  {
    listingId: 'brand-motion.v1@fal',
    provider: 'fal',
    endpoint: JOB_MODELS.falVideo,
    operations: ['animate'] as const,
  },
  { listingId: 'brand-cut-out.v1@fal', provider: 'fal', endpoint: JOB_MODELS.falCutOut },
  { listingId: 'brand-look.v1@replicate', provider: 'replicate', endpoint: JOB_MODELS.replicate },
  { listingId: 'brand-pinned.v1@replicate', provider: 'replicate', endpoint: JOB_MODELS.version },
  {
    listingId: 'brand-shop.v1@replicate',
    provider: 'replicate',
    endpoint: JOB_MODELS.deployment,
    runs: FAKE_DEPLOYED,
  },
].map((offering) => ({ operations: ['generate', 'edit'] as const, ...offering }));

const PRICES = OFFERINGS.map(({ provider, endpoint }) => ({ provider, endpoint, price: PRICE }));

const LISTINGS: readonly Listing[] = OFFERINGS.map(({ listingId: id, endpoint }) => {
  const listing = ownListing({ id, roles: ['generator', 'editor'] });
  if (endpoint !== JOB_MODELS.falForbidden) return listing;
  return { ...listing, terms: listing.terms.map((term) => ({ ...term, value: 'no' }) as typeof term) };
});
