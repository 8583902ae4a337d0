import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnchorStates } from '../../src/audit/application/anchor-state.js';
import { UNPROVED } from '../../src/audit/application/witness-log.js';
import { type EntryType } from '../../src/audit/core/entry-types.js';
import { type Listing } from '../../src/licenses/domain/listing.js';
import { openIdentityAuthority } from '../../src/provenance/adapters/identity-authority.js';
import { DEFAULT_MANIFEST_SETTINGS } from '../../src/provenance/domain/manifest-settings.js';
import { systemClock } from '../../src/shared/clock.js';
import { newId, parsePublicId, publicId } from '../../src/shared/ids.js';
import { type FakeFal } from '../fakes/fal/fake-fal.js';
import { type FakeReplicate } from '../fakes/replicate/fake-replicate.js';
import {
  addPerson,
  formWith,
  HARMLESS_FACTS,
  json,
  OWN_RIGHTS,
  postForm,
  productShot,
  RETOUCH,
} from './api.js';
import { ContributorKey } from './contributor-key.js';
import { type Inspector } from './inspector.js';
import { noisePicture, retouched } from './pictures.js';
import { ownListing } from './registry-rows.js';
import { type TestApplication } from './test-application.js';
import { IN_A_YEAR } from './days-ahead.js';

/** One request that succeeds, and what the log must hold of it. */
export interface Call {
  /** May be sent again after it was refused. */
  readonly send: () => Promise<Response>;
  readonly status: number;
  /** Entry types in the order of the log. */
  readonly writes: readonly EntryType[];
  /** Whom the first entry names; the caller's key when absent. */
  readonly actor?: string;
  /** The answer begins before its outcome is known, so a refusal is its last line: `{"error":{"code":...}}`. */
  readonly refusesInStream?: true;
}

interface World {
  readonly app: TestApplication;
  readonly inspector: Inspector;
  readonly fal: FakeFal;
  readonly replicate: FakeReplicate;
  /** A key with every role, of somebody who took no part in making what `app.instance` made. */
  readonly key: string;
}

interface Run {
  readonly id: string;
  readonly clearanceId: string;
  readonly steps: readonly { readonly id: string; readonly key: string }[];
}

const EXAMINATION = {
  question: 'similar_works',
  result: 'none_found',
  index: 'an index of pictures',
  matches: 0,
  examinedOn: '2026-01-02',
  text: 'nothing that looks like it',
};
const CLAIM = { kind: 'copyright', receivedOn: '2026-01-02', claimant: 'A. Stranger', text: 'this is mine' };
const PAID_MODEL = 'flux-1-schnell@fal';
/** A license that forbids the territory. */
const FORBIDDEN = {
  inputs: { prompt: 'a bottle', model: 'hunyuan-image-3.0@fal' },
  facts: { purpose: 'commercial', audienceCountries: ['DE'], organizationRevenueUsd: 1_000_000 },
} as const;

/** The official vector `test_0003_img_256`. */
const ANY_IMAGE_CODE = 'ISCC:EED4GQZQTY6J5DTHQ2DWCPDZHQOM6QZQTY6J5DTFZ2DWCPDZHQOMXDI';
const SCENE = { components: [{ listingId: 'studio-scene@studio', role: 'generator', stepKey: 'a' }] };
/** A question about several cells. */
const MATRIX = {
  alternatives: [{ name: 'scene', lineage: SCENE }],
  audiences: [{ countries: ['US'] }, { countries: ['DE'] }],
  facts: { purpose: 'commercial', organizationRevenueUsd: 5_000_000 },
};

const MODEL_QUESTION = {
  operation: 'generate',
  parameters: { width: 1024, height: 1024 },
  facts: HARMLESS_FACTS,
  measure: { kind: 'board', board: 'lmarena-text-to-image' },
} as const;

/** How each route of the program is called, by method and path as the published list shows it. */
export class RouteCalls {
  constructor(private readonly world: World) {}

  /** Every call begins with everything that it needs; the preparations write entries of their own. */
  readonly audited: Readonly<Record<string, () => Promise<readonly Call[]> | readonly Call[]>> = {
    'POST /v1/projects': () =>
      this.one('/v1/projects', { name: `Spring ${++this.serial}` }, 201, 'project.created'),
    'POST /v1/projects/{id}/use-cases': () =>
      this.one(
        `/v1/projects/${this.projectId}/use-cases`,
        { name: `banner-${++this.serial}` },
        201,
        'use_case.created',
      ),
    'POST /v1/principals': () =>
      this.one('/v1/principals', { displayName: 'A person', roles: ['creator'] }, 201, 'principal.created'),
    'POST /v1/api-keys': async () => {
      const { principalId } = await addPerson(this.world.app, ['creator']);
      return this.one('/v1/api-keys', { principalId, mode: 'live' }, 201, 'api_key.created');
    },
    'POST /v1/api-keys/{id}/revoke': async () => {
      const { key } = await addPerson(this.world.app, ['creator']);
      const { keyId } = await this.answer<{ keyId: string }>(this.world.app.request('/v1/me', { key }));
      return this.one(`/v1/api-keys/${keyId}/revoke`, {}, 200, 'api_key.revoked');
    },
    'PUT /v1/budget': () => {
      const limitMicroUsd = String(90_000_000 + ++this.serial);
      const init = { ...json({ limitMicroUsd }), method: 'PUT' };
      return [{ send: () => this.ask('/v1/budget', init), status: 200, writes: ['budget.set'] }];
    },
    'POST /v1/budgets': async () => {
      const body = { level: 'use_case', targetId: await this.useCase(), period: 'month' };
      return this.one('/v1/budgets', { ...body, hardLimitMicroUsd: '5' }, 201, 'budget.defined');
    },
    'PUT /v1/budgets/{id}': async () => {
      const { items } = await this.answer<{ items: { id: string }[] }>(this.ask('/v1/budgets'));
      const change = (id: string | undefined, writes: readonly EntryType[]): Call => {
        const hardLimitMicroUsd = String(90_000_000 + ++this.serial);
        const init = { ...json({ hardLimitMicroUsd }), method: 'PUT' };
        return { send: () => this.ask(`/v1/budgets/${id}`, init), status: 200, writes };
      };
      return [
        change(await this.budget(), ['budget.defined']),
        // The first is the organization's own.
        change(items[0]?.id, ['budget.set']),
      ];
    },
    'DELETE /v1/budgets/{id}': async () => {
      const id = await this.budget();
      const send = () => this.ask(`/v1/budgets/${id}`, { method: 'DELETE' });
      return [{ send, status: 200, writes: ['budget.removed'] }];
    },
    'POST /v1/prices': () =>
      this.one(
        '/v1/prices',
        { provider: 'fal', endpoint: `mine/${++this.serial}`, validFrom: '2026-11-01', price: null },
        201,
        'price.recorded',
      ),
    'POST /v1/routes': async () =>
      this.one(
        '/v1/routes',
        {
          useCaseId: await this.useCase(),
          ...MODEL_QUESTION,
          rule: { kind: 'cheapest_above_floor', floor: 0 },
        },
        201,
        'route.chosen',
      ),
    'POST /v1/assets/{id}/votes': async () =>
      this.one(`/v1/assets/${await this.modelWork()}/votes`, { vote: 'accept' }, 201, 'vote.recorded'),
    'POST /v1/use-cases/{id}/baseline': async () => {
      const body = { costMicroUsd: '50000000', minutes: 240, source: 'invoices' };
      return this.one(`/v1/use-cases/${await this.useCase()}/baseline`, body, 201, 'baseline.declared');
    },
    'POST /v1/use-cases/{id}/outcomes': async () => {
      const items = [{ key: `row-${++this.serial}`, variant: 'new', day: '2026-11-01', impressions: 10 }];
      return this.one(`/v1/use-cases/${await this.useCase()}/outcomes`, { items }, 201, 'outcomes.recorded');
    },
    'POST /v1/use-cases/{id}/outcomes/import': async () => {
      const id = await this.useCase();
      const body = 'key,variant,day,impressions\na1,new,2026-11-01,10\n';
      const init = { method: 'POST', body, headers: { 'content-type': 'text/csv' } };
      const send = () => this.ask(`/v1/use-cases/${id}/outcomes/import`, init);
      return [{ send, status: 201, writes: ['outcomes.recorded'] }];
    },
    'POST /v1/webhook-endpoints': () => [this.setWebhookEndpoint()],
    'PATCH /v1/webhook-endpoints/{id}': async () => {
      const path = await this.webhookEndpoint();
      const init = { ...json({ state: 'paused' }), method: 'PATCH' };
      return [{ send: () => this.ask(path, init), status: 200, writes: ['webhook_endpoint.set'] }];
    },
    'POST /v1/webhook-endpoints/{id}/secret': async () => {
      const path = await this.webhookEndpoint();
      const send = () => this.ask(`${path}/secret`, { method: 'POST' });
      return [{ send, status: 201, writes: ['webhook_endpoint.secret_rotated'] }];
    },
    'DELETE /v1/webhook-endpoints/{id}': async () => {
      const path = await this.webhookEndpoint();
      const send = () => this.ask(path, { method: 'DELETE' });
      return [{ send, status: 200, writes: ['webhook_endpoint.removed'] }];
    },
    'PUT /v1/providers/{provider}/credentials': () => [this.setProviderKey()],
    'DELETE /v1/providers/{provider}/credentials': async () => {
      await this.answer(this.setProviderKey().send());
      const send = () => this.ask(`/v1/providers/openai/credentials`, { method: 'DELETE' });
      return [{ send, status: 200, writes: ['provider_credential.removed'] }];
    },
    'PUT /v1/projects/{id}/use-cases/{name}/gateway': () => [this.openGateway('hero-image')],
    'POST /gateway/openai/p/{project}/{useCase}/v1/images/generations': () =>
      this.gatewayCalls('openai', 'v1/images/generations', (prompt) =>
        Promise.resolve(json({ model: 'sandbox-generator', prompt, size: '256x256' })),
      ),
    'POST /gateway/openai/p/{project}/{useCase}/v1/images/edits': () => {
      const make = async (prompt: string) => {
        const form = formWith(await noisePicture(), 'a.png', { model: 'sandbox-generator', prompt });
        form.set('image', form.get('file') ?? '');
        form.delete('file');
        return { method: 'POST', body: form };
      };
      return this.gatewayCalls('openai', 'v1/images/edits', make, 'asset.received', 'asset.signed');
    },
    'POST /gateway/gemini/p/{project}/{useCase}/{version}/models/{call}': () => {
      const path = 'v1beta/models/sandbox-generator:generateContent';
      const make = async (text: string) => {
        const data = (await noisePicture()).toString('base64');
        return json({ contents: [{ parts: [{ text }, { inlineData: { data } }] }] });
      };
      return this.gatewayCalls('gemini', path, make, 'asset.received', 'asset.signed');
    },
    'POST /gateway/fal/p/{project}/{useCase}/{host}/*': async () => [
      await this.gatewayJob('fal', 'run/colophon/sandbox-generator', 422),
      await this.gatewayJob('fal', 'queue/colophon/sandbox-generator', 200),
    ],
    'POST /gateway/fal/p/{project}/{useCase}/proxy': async () => {
      const target = 'https://queue.fal.run/colophon/sandbox-generator';
      return [await this.gatewayJob('fal', 'proxy', 200, { 'x-fal-target-url': target })];
    },
    'PUT /gateway/fal/p/{project}/{useCase}/{host}/*': async () => {
      const path = `queue/${await this.falJob()}/cancel`;
      return this.canceledJob(() => this.askGateway('fal', path, { method: 'PUT' }), 202);
    },
    'PUT /gateway/fal/p/{project}/{useCase}/proxy': async () => {
      const headers = { 'x-fal-target-url': `https://queue.fal.run/${await this.falJob()}/cancel` };
      return this.canceledJob(() => this.askGateway('fal', 'proxy', { method: 'PUT', headers }), 202);
    },
    'PUT /gateway/fal/uploads/{token}/{name}': async () => {
      const { upload } = await this.announcedFile();
      const body = new Uint8Array(await noisePicture());
      const init = { method: 'PUT', body, headers: { 'content-type': 'image/png' } };
      const send = () => this.world.app.request(upload, { ...init, key: null });
      const actor = await this.testKeyId();
      return [{ send, status: 200, writes: ['asset.received', 'asset.signed'], actor }];
    },
    'GET /gateway/fal/uploads/{token}/{name}': async () => {
      const { upload, file } = await this.announcedFile();
      const body = new Uint8Array(await noisePicture());
      const init = { method: 'PUT', body, headers: { 'content-type': 'image/png' } };
      await this.world.app.request(upload, { ...init, key: null });
      const send = () => this.world.app.request(file, { key: null });
      return [{ send, status: 200, writes: ['asset.read'], actor: await this.testKeyId() }];
    },
    'POST /gateway/fal/uploads/{token}/{name}/complete': async () => {
      const { upload } = await this.announcedFile('initiate-multipart');
      const part = await this.answer<{ partNumber: number; etag: string }>(this.sendPart(upload));
      const send = () =>
        this.world.app.request(`${upload}/complete`, { ...json({ parts: [part] }), key: null });
      const actor = await this.testKeyId();
      return [{ send, status: 200, writes: ['asset.received', 'asset.signed'], actor }];
    },
    'POST /gateway/replicate/p/{project}/{useCase}/v1/predictions': async () => [
      await this.gatewayJob('replicate', 'v1/predictions', 201),
    ],
    'POST /gateway/replicate/p/{project}/{useCase}/v1/models/{owner}/{name}/predictions': async () => [
      await this.gatewayJob('replicate', 'v1/models/colophon/sandbox-generator/predictions', 201),
    ],
    'POST /gateway/replicate/p/{project}/{useCase}/v1/deployments/{owner}/{name}/predictions': async () => [
      await this.gatewayJob('replicate', 'v1/deployments/colophon/sandbox-generator/predictions', 201),
    ],
    'POST /gateway/replicate/p/{project}/{useCase}/v1/predictions/{id}/cancel': async () => {
      const id = await this.prediction();
      return this.canceledJob(
        () => this.askGateway('replicate', `v1/predictions/${id}/cancel`, { method: 'POST' }),
        200,
      );
    },
    'POST /gateway/replicate/p/{project}/{useCase}/v1/files': async () => {
      await this.answer(this.openGateway('hero-image').send());
      const form = await this.replicateForm();
      const send = () => this.askGateway('replicate', 'v1/files', { method: 'POST', body: form });
      const actor = await this.testKeyId();
      return [{ send, status: 201, writes: ['asset.received', 'asset.signed'], actor }];
    },
    'GET /gateway/files/{token}/{name}': async () => {
      const { services } = this.world.app;
      const principal = await services.authenticate.withApiKey(this.world.key);
      const assetId = parsePublicId('asset', await this.upload()) ?? '';
      const path = `/gateway/files/${services.capabilityLinks.issue(principal, assetId)}/a.png`;
      return this.read(path, 'asset.read');
    },
    'PUT /v1/projects/{id}/manifest-settings': () => {
      const body = { ...DEFAULT_MANIFEST_SETTINGS, usageTerms: `Terms ${++this.serial}` };
      const path = `/v1/projects/${this.projectId}/manifest-settings`;
      const init = { ...json(body), method: 'PUT' };
      return [{ send: () => this.ask(path, init), status: 200, writes: ['project.manifest_settings_set'] }];
    },
    'POST /v1/identity-credential': async () =>
      this.one('/v1/identity-credential', await this.newCredential(), 201, 'identity_credential.installed'),
    'POST /v1/clearances': () => [
      ...this.one('/v1/clearances', { lineage: SCENE, facts: HARMLESS_FACTS }, 201, 'clearance.decided'),
      ...this.one('/v1/clearances', { matrix: MATRIX }, 201, 'clearance.matrix_decided'),
    ],
    'PUT /v1/policies': () => this.put('/v1/policies', { text: this.newPolicy() }),
    'PUT /v1/policies/blocked-terms': () =>
      this.put('/v1/policies/blocked-terms', { terms: [`unheard word ${++this.serial}`] }),
    'POST /v1/waivers': async () => {
      const { clearanceId } = await this.startRun(PAID_MODEL);
      return this.one('/v1/waivers', waiverOf(clearanceId), 201, 'waiver.approved');
    },
    'POST /v1/clearances/{id}/decide-again': async () => {
      const listingId = await this.recordModel();
      const lineage = { components: [{ listingId, role: 'generator', stepKey: 'a' }] };
      const body = { lineage, facts: HARMLESS_FACTS };
      const { id } = await this.answer<{ id: string }>(this.ask('/v1/clearances', json(body)));
      await this.answer(this.ask('/v1/license-texts', json(this.licenseText([listingId]))));
      return this.one(`/v1/clearances/${id}/decide-again`, {}, 201, 'clearance.decided');
    },
    'POST /v1/models': () => this.one('/v1/models', { listing: this.newListing() }, 201, 'listing.recorded'),
    'POST /v1/models/import': () => {
      const bytes = Buffer.from(JSON.stringify(this.newListing()));
      const form = formWith(bytes, 'catalog.ndjson', { import: { format: 'catalog' } });
      const send = () => this.ask('/v1/models/import', postForm(form));
      return [{ send, status: 201, writes: ['listing.recorded'] }];
    },
    'POST /v1/license-texts': async () => {
      const another = this.licenseText([await this.recordModel()]);
      const entries = ['license_text.recorded', 'license_text.changed'] as const;
      return [
        ...this.one('/v1/license-texts', this.firstText(), 201, 'license_text.recorded'),
        ...this.one('/v1/license-texts', another, 201, ...entries),
      ];
    },
    'POST /v1/curations': async () => {
      const correction = { kind: 'term-absent', termId: 'commercial-use-of-outputs' };
      const evidence = { title: 'The contract', quote: 'nothing of it may be sold', dateRead: '2026-11-22' };
      const body = { listingId: await this.recordModel(), correction, evidence, reason: 'read' };
      return this.one('/v1/curations', body, 201, 'curation.recorded');
    },
    'POST /v1/runs': async () => [
      ...this.one(
        '/v1/runs',
        { ...this.runBody(PAID_MODEL), projectId: await this.projectAboveSoftLimit() },
        202,
        'clearance.decided',
        'run.accepted',
        'budget.soft_limit_crossed',
      ),
      ...this.one('/v1/runs', this.runBody(), 202, 'clearance.decided', 'run.accepted'),
      ...this.one('/v1/runs', productShot(this.world.app, FORBIDDEN), 403, 'clearance.decided'),
    ],
    'POST /v1/runs/{id}/cancel': async () => {
      const { id } = await this.startRun();
      return this.one(`/v1/runs/${id}/cancel`, {}, 200, 'run.cancel_requested', 'run.finished');
    },
    'POST /v1/runs/{id}/resume': async () => {
      const { id } = await this.answer<Run>(this.ask('/v1/runs', json(this.runBody())));
      await this.failedAsReleased(id);
      return this.one(`/v1/runs/${id}/resume`, {}, 202, 'clearance.decided', 'run.accepted');
    },
    'POST /v1/runs/{id}/steps/{key}/answer': async () => {
      const assetId = await this.upload();
      const answer = async (operation: string) =>
        `/v1/runs/${await this.asking(operation, assetId)}/steps/ask/answer`;
      const chosen = { outcome: 'chosen', assetId, comment: 'the only one' };
      const ended = ['step.answered', 'step.failed', 'run.finished'] as const;
      return [
        ...this.one(await answer('choose'), chosen, 200, 'step.answered', 'contribution.recorded'),
        ...this.one(await answer('wait-for-approval'), { outcome: 'rejected' }, 200, ...ended),
      ];
    },
    'POST /v1/runs/{id}/steps/{key}/reconcile': async () => {
      const path = async () => {
        const { runId, key } = await this.lostStep();
        return `/v1/runs/${runId}/steps/${key}/reconcile`;
      };
      const accepted = { outcome: 'accepted', upstreamId: crypto.randomUUID(), reason: 'seen there' };
      const charged = { outcome: 'charged', costMicroUsd: '3000', reason: 'it is on the bill' };
      const ended = ['step.reconciled', 'step.failed', 'step.settled', 'run.finished'] as const;
      return [
        ...this.one(await path(), accepted, 200, 'step.reconciled'),
        ...this.one(await path(), charged, 200, ...ended),
      ];
    },
    'POST /v1/webhooks/fal/{address}': async () => {
      const { stepRunId } = await this.lostStep();
      const requestId = crypto.randomUUID();
      const body = Buffer.from(JSON.stringify({ request_id: requestId, status: 'OK' }));
      const headers = () => this.world.fal.webhooks.signedHeaders(requestId, body);
      const send = () =>
        this.world.app.request(
          `/v1/webhooks/fal/${this.world.app.services.falWebhookAddresses.of(stepRunId)}`,
          {
            method: 'POST',
            headers: headers(),
            body: new Uint8Array(body),
            key: null,
          },
        );
      return [{ send, status: 200, writes: ['step.reconciled'], actor: 'colophon' }];
    },
    'POST /v1/webhooks/replicate/{stepRunId}': async () => {
      const { stepRunId } = await this.lostStep();
      const { inspector, replicate } = this.world;
      await inspector.query(`UPDATE step_run SET provider = 'replicate' WHERE id = $1`, [stepRunId]);
      const body = JSON.stringify({ id: crypto.randomUUID(), status: 'succeeded' });
      const send = () =>
        this.world.app.request(`/v1/webhooks/replicate/${stepRunId}`, {
          method: 'POST',
          headers: replicate.signedHeaders(body),
          body,
          key: null,
        });
      return [{ send, status: 200, writes: ['step.reconciled'], actor: 'colophon' }];
    },
    'POST /v1/pipelines': () => {
      const parameters = { prompt: { input: 'prompt' } };
      const step = {
        key: 'scene',
        operation: 'generate',
        model: 'studio-scene@studio',
        parameters,
        images: {},
      };
      const name = `mine-${++this.serial}`;
      return this.one('/v1/pipelines', { name, definition: { steps: [step] } }, 201, 'pipeline.created');
    },
    'POST /v1/pipelines/import': () => {
      const node = { type: 'run', app: 'fal-ai/flux/schnell', input: { prompt: 'a bottle' } };
      const body = { name: `fal-${++this.serial}`, format: 'fal-workflow', workflow: { node } };
      return this.one('/v1/pipelines/import', body, 201, 'pipeline.created');
    },
    'POST /v1/assets': async () => {
      const form = await this.uploadForm();
      const send = () => this.ask('/v1/assets', postForm(form));
      return [{ send, status: 201, writes: ['asset.received', 'asset.signed'] }];
    },
    'GET /v1/assets/{id}/content': async () =>
      this.read(`/v1/assets/${await this.upload()}/content`, 'asset.read'),
    'GET /v1/assets/{id}/manifest': async () =>
      this.read(`/v1/assets/${await this.upload()}/manifest`, 'asset.read'),
    'GET /v1/assets/{id}/verification': async () =>
      this.read(`/v1/assets/${await this.upload()}/verification`, 'asset.read'),
    'GET /v1/assets/{id}/manifest/crjson': async () =>
      this.read(`/v1/assets/${await this.upload()}/manifest/crjson`, 'asset.read'),
    'GET /v1/assets/{id}/manifest/store': async () =>
      this.read(`/v1/assets/${await this.upload()}/manifest/store`, 'asset.read'),
    'GET /v1/assets/{id}/certificate': async () =>
      this.read(`/v1/assets/${await this.upload()}/certificate`, 'asset.read'),
    'GET /sbr/manifests/{manifestId}': async () =>
      this.read(`/sbr/manifests/${(await this.recoverable()).manifestLabel}`, 'asset.read'),
    'PUT /v1/projects/{id}/manifest-publication': () => {
      const init = { ...json({ publishManifests: ++this.serial % 2 === 0 }), method: 'PUT' };
      const send = () => this.ask(`/v1/projects/${this.projectId}/manifest-publication`, init);
      return [{ send, status: 200, writes: ['project.manifest_publication_set'] }];
    },
    'POST /v1/assets/{id}/contributions': async () => {
      // Otherwise the first edit of an organization makes a key for it, which is an entry of its own.
      await this.answer(this.ask('/v1/identity-credential', json(await this.newCredential())));
      const id = await this.upload();
      const picture = await this.ask(`/v1/assets/${id}/content`);
      const edited = await retouched(Buffer.from(await picture.arrayBuffer()));
      const form = formWith(edited, 'e.png', { contribution: RETOUCH });
      const send = () => this.ask(`/v1/assets/${id}/contributions`, postForm(form));
      return [{ send, status: 201, writes: ['contribution.recorded', 'asset.signed'] }];
    },
    'POST /v1/assets/{id}/selections': async () => {
      const [chosen, other] = [await this.upload(), await this.upload()];
      const body = { shown: [other, chosen], statement: 'the calm one' };
      return this.one(`/v1/assets/${chosen}/selections`, body, 201, 'contribution.recorded');
    },
    'GET /v1/contributions/{id}': async () =>
      this.read(`/v1/contributions/${await this.selection()}`, 'opening.read'),
    'GET /v1/contributions/{id}/difference': async () => {
      const id = await this.upload();
      const picture = await this.ask(`/v1/assets/${id}/content`);
      const edited = await retouched(Buffer.from(await picture.arrayBuffer()));
      const form = formWith(edited, 'e.png', { contribution: RETOUCH });
      const made = this.answer<{ id: string }>(this.ask(`/v1/assets/${id}/contributions`, postForm(form)));
      return this.read(`/v1/contributions/${(await made).id}/difference`, 'contribution.file_read');
    },
    'POST /v1/contributions/{id}/corrections': async () => {
      const body = { kind: 'amended', basis: 'assistive_only', text: 'it was less than that' };
      const path = `/v1/contributions/${await this.selection()}/corrections`;
      return this.one(path, body, 201, 'contribution.corrected');
    },
    'POST /v1/contributions/{id}/attachments': async () => {
      const path = `/v1/contributions/${await this.selection()}/attachments`;
      const form = formWith(Buffer.from('layers'), 'a.psd', { attachment: { kind: 'layered_source' } });
      const send = () => this.ask(path, postForm(form));
      return [{ send, status: 201, writes: ['contribution.attached'] }];
    },
    'GET /v1/contributions/{id}/attachments/{attachmentId}/content': async () => {
      const path = `/v1/contributions/${await this.selection()}/attachments`;
      const form = formWith(Buffer.from('layers'), 'a.psd', { attachment: { kind: 'layered_source' } });
      const { contentUrl } = await this.answer<{ contentUrl: string }>(this.ask(path, postForm(form)));
      return this.read(contentUrl, 'contribution.file_read');
    },
    'POST /v1/signature-keys': async () => {
      const body = await this.newKey();
      return this.one('/v1/signature-keys', body, 201, 'signature_key.registered');
    },
    'POST /v1/signature-keys/{id}/revoke': async () => {
      const made = this.answer<{ id: string }>(this.ask('/v1/signature-keys', json(await this.newKey())));
      const path = `/v1/signature-keys/${(await made).id}/revoke`;
      return this.one(path, { reason: 'lost' }, 200, 'signature_key.revoked');
    },
    'POST /v1/storyboards': async () => {
      const assetIds = [await this.upload(), await this.upload()];
      return this.one('/v1/storyboards', { assetIds, rationale: 'rising' }, 201, 'storyboard.ordered');
    },
    'POST /v1/storyboards/{id}/orders': async () => {
      const { id, assetIds } = await this.storyboard();
      const body = { assetIds: assetIds.toReversed(), rationale: 'falling' };
      return this.one(`/v1/storyboards/${id}/orders`, body, 201, 'storyboard.ordered');
    },
    'PUT /v1/projects/{id}/use-cases/{name}/review-settings': () => {
      const body = { approvals: 1, humanContribution: false, checklist: false };
      const path = `/v1/projects/${this.projectId}/use-cases/hero-image/review-settings`;
      const init = { ...json(body), method: 'PUT' };
      return [{ send: () => this.ask(path, init), status: 200, writes: ['use_case.review_set'] }];
    },
    'POST /v1/assets/{id}/review-requests': async () =>
      this.one(`/v1/assets/${await this.upload()}/review-requests`, {}, 201, 'review.requested'),
    'POST /v1/assets/{id}/review/comments': async () =>
      this.one(`/v1/assets/${await this.upload()}/review/comments`, { text: 'hm' }, 201, 'review.commented'),
    'GET /v1/assets/{id}/review/comments': async () => {
      const path = `/v1/assets/${await this.upload()}/review/comments`;
      await this.answer(this.ask(path, json({ text: 'hm' })));
      return this.read(path, 'opening.read');
    },
    'POST /v1/assets/{id}/recall': async () => {
      const id = await this.upload();
      await this.answer(this.ask(`/v1/assets/${id}/reviews`, json({ decision: 'approve', comment: 'ok' })));
      await this.answer(this.ask(`/v1/assets/${id}/release`, json({})));
      return this.one(`/v1/assets/${id}/recall`, { reason: 'other', text: 'x' }, 200, 'asset.recalled');
    },
    'POST /v1/assets/{id}/reviews': async () => {
      const path = `/v1/assets/${await this.upload()}/reviews`;
      return this.one(path, { decision: 'approve', comment: 'ok' }, 201, 'review.decided');
    },
    'POST /v1/assets/{id}/obligations/{obligationId}/proof': async () => {
      const id = await this.upload();
      const list = this.answer<{ items: { id: string }[] }>(this.ask(`/v1/assets/${id}/obligations`));
      const path = `/v1/assets/${id}/obligations/${(await list).items[0]?.id}/proof`;
      return this.one(path, { outcome: 'done', text: 'labeled' }, 201, 'obligation.proved');
    },
    'POST /v1/assets/{id}/examinations': async () =>
      this.one(`/v1/assets/${await this.upload()}/examinations`, EXAMINATION, 201, 'asset.examined'),
    'POST /v1/assets/{id}/claims': async () =>
      this.one(`/v1/assets/${await this.upload()}/claims`, CLAIM, 201, 'claim.received'),
    'POST /v1/claims/{id}/answers': async () => {
      const { id } = await this.answer<{ id: string }>(
        this.ask(`/v1/assets/${await this.upload()}/claims`, json(CLAIM)),
      );
      const body = { outcome: 'rejected', text: 'without ground' };
      return this.one(`/v1/claims/${id}/answers`, body, 201, 'claim.answered');
    },
    'POST /v1/assets/{id}/release': async () => {
      const id = await this.upload();
      await this.answer(this.ask(`/v1/assets/${id}/reviews`, json({ decision: 'approve', comment: 'ok' })));
      return this.one(`/v1/assets/${id}/release`, {}, 200, 'asset.released');
    },
    'POST /v1/reports': async () => {
      const body = { kind: 'asset', format: 'pdf', assetId: await this.upload() };
      return this.one('/v1/reports', body, 202, 'report.requested');
    },
    'GET /v1/reports/{id}/content': async () =>
      this.read(`/v1/reports/${await this.report()}/content`, 'report.read'),
    'POST /v1/report-schedules': () =>
      this.one('/v1/report-schedules', this.newSchedule(), 201, 'report_schedule.created'),
    'POST /v1/report-schedules/{id}/end': async () => {
      const { id } = await this.answer<{ id: string }>(
        this.ask('/v1/report-schedules', json(this.newSchedule())),
      );
      return this.one(`/v1/report-schedules/${id}/end`, {}, 200, 'report_schedule.ended');
    },
    'POST /v1/report-schedules/{id}/pause': async () => {
      const { id } = await this.answer<{ id: string }>(
        this.ask('/v1/report-schedules', json(this.newSchedule())),
      );
      return this.one(`/v1/report-schedules/${id}/pause`, {}, 200, 'report_schedule.paused');
    },
    'POST /v1/report-schedules/{id}/resume': async () => {
      const { id } = await this.answer<{ id: string }>(
        this.ask('/v1/report-schedules', json(this.newSchedule())),
      );
      await this.answer(this.ask(`/v1/report-schedules/${id}/pause`, json({})));
      return this.one(`/v1/report-schedules/${id}/resume`, {}, 200, 'report_schedule.resumed');
    },
    'POST /v1/share-links': async () =>
      this.one('/v1/share-links', { reportId: await this.report() }, 201, 'share_link.created'),
    'POST /v1/share-links/{id}/revoke': async () => {
      const { id } = await this.shareLink();
      return this.one(`/v1/share-links/${id}/revoke`, {}, 200, 'share_link.revoked');
    },
    'GET /v1/shared': async () => {
      const { id, token } = await this.shareLink();
      return [this.shared('/v1/shared', id, token)];
    },
    'GET /v1/shared/reports/{id}/content': async () => {
      const { id, token, opens } = await this.shareLink();
      return [this.shared(`/v1/shared/reports/${opens}/content`, id, token)];
    },
    'GET /v1/audit/export': () => this.export('/v1/audit/export'),
    'GET /v1/audit/archive': () => this.export('/v1/audit/archive'),
    'POST /v1/audit/checks': () => {
      const [call] = this.one('/v1/audit/checks', {}, 200, 'log.checked');
      return call ? [{ ...call, refusesInStream: true }] : [];
    },
    'POST /v1/audit/log-keys': () => this.one('/v1/audit/log-keys', {}, 201, 'log.key_added'),
    'POST /v1/audit/log-keys/{id}/retire': async () => {
      await this.answer(this.ask('/v1/audit/log-keys', json({})));
      const list = this.answer<{ items: { keyId: string; state: string }[] }>(this.ask('/v1/audit/log-keys'));
      const old = (await list).items.find(({ state }) => state === 'active');
      return this.one(`/v1/audit/log-keys/${old?.keyId}/retire`, {}, 200, 'log.key_retired');
    },
    'POST /v1/audit/witnesses/clear-conflict': async () => {
      const { instance, services } = this.world.app;
      const organizationId = parsePublicId('organization', instance.organizationId) ?? '';
      const witness = 'witness.example/w1+00000001';
      const found = { conflict: `it has seen 1000000 entries; ${UNPROVED}`, at: new Date() };
      await new AnchorStates(services.sequencerPool, 'witness').recordConflict(
        organizationId,
        witness,
        found,
      );
      return this.one('/v1/audit/witnesses/clear-conflict', { witness }, 200, 'log.conflict_cleared');
    },
    'POST /v1/erasures': async () => {
      const { app } = this.world;
      const { principalId, key } = await addPerson(app, ['creator']);
      const path = `/v1/contributions/${await this.selection(key)}/attachments`;
      const form = formWith(Buffer.from(principalId), 'a.psd', { attachment: { kind: 'sketch' } });
      await this.answer(app.request(path, { ...postForm(form), key }));
      const body = { principalId, reason: 'data_subject_request' };
      return this.one('/v1/erasures', body, 201, 'opening.erased', 'content.removed');
    },
    'PUT /v1/retention/rules/{kind}': () => {
      const init = { ...json({ action: 'keep' }), method: 'PUT' };
      const send = () => this.ask('/v1/retention/rules/assets', init);
      return [{ send, status: 200, writes: ['retention.rule_set'] }];
    },
    'POST /v1/legal-holds': async () =>
      this.one('/v1/legal-holds', await this.holdBody(), 201, 'legal_hold.placed'),
    'GET /v1/legal-holds': async () => {
      await this.hold();
      return this.read('/v1/legal-holds', 'opening.read');
    },
    'GET /v1/legal-holds/{id}': async () => this.read(`/v1/legal-holds/${await this.hold()}`, 'opening.read'),
    'POST /v1/legal-holds/{id}/lift': async () =>
      this.one(`/v1/legal-holds/${await this.hold()}/lift`, { reason: 'over' }, 200, 'legal_hold.lifted'),
  };

  /** A request for each route that writes nothing. */
  readonly unaudited: Readonly<Record<string, () => Promise<Omit<Call, 'writes'>> | Omit<Call, 'writes'>>> = {
    'GET /': () => this.look('/'),
    'GET /start-page.css': () => this.look('/start-page.css'),
    'GET /start-page.js': () => this.look('/start-page.js'),
    'GET /docs/*': () => this.look('/docs'),
    'GET /openapi.json': () => this.look('/openapi.json'),
    'GET /healthz': () => this.look('/healthz'),
    'GET /readyz': async () => {
      // Ready as long as some sequencer was seen at work, and here is none but this.
      await this.world.app.services.sequencer.runOnce();
      return this.look('/readyz');
    },
    'GET /metrics': () => this.look('/metrics'),
    'GET /v1/me': () => this.look('/v1/me'),
    'GET /v1/projects': () => this.look('/v1/projects'),
    'GET /v1/budget': () => this.look('/v1/budget'),
    'GET /v1/budgets': () => this.look('/v1/budgets'),
    'GET /v1/budgets/{id}': async () => this.look(`/v1/budgets/${await this.budget()}`),
    'GET /v1/reconciliation': () => this.look('/v1/reconciliation?ask=true'),
    'GET /v1/reconciliation/integrity': () => this.look('/v1/reconciliation/integrity'),
    'GET /v1/prices': () => this.look('/v1/prices'),
    'GET /v1/prices/own': () => this.look('/v1/prices/own'),
    'GET /v1/quality-scores': () => this.look('/v1/quality-scores'),
    'GET /v1/use-cases/{id}/quality': async () => this.look(`/v1/use-cases/${await this.useCase()}/quality`),
    'POST /v1/use-cases/{id}/matrix': async () => {
      const path = `/v1/use-cases/${await this.useCase()}/matrix`;
      return { send: () => this.ask(path, json(MODEL_QUESTION)), status: 200 };
    },
    'POST /v1/use-cases/{id}/what-if': async () => {
      const path = `/v1/use-cases/${await this.useCase()}/what-if`;
      const body = { month: '2026-11', operation: 'generate', to: PAID_MODEL };
      return { send: () => this.ask(path, json(body)), status: 200 };
    },
    'GET /v1/routes/{id}': async () => {
      const rule = { kind: 'cheapest_above_floor', floor: 0 };
      const body = json({ useCaseId: await this.useCase(), ...MODEL_QUESTION, rule });
      return this.look(`/v1/routes/${(await this.answer<{ id: string }>(this.ask('/v1/routes', body))).id}`);
    },
    'GET /v1/use-cases/{id}/return': async () => this.look(await this.returnPath('')),
    'GET /v1/use-cases/{id}/return/csv': async () => this.look(await this.returnPath('/csv')),
    'GET /v1/use-cases/{id}/return/chart': async () => this.look(await this.returnPath('/chart')),
    'GET /v1/providers/{provider}/credentials': async () => {
      await this.answer(this.setProviderKey().send());
      return this.look('/v1/providers/openai/credentials');
    },
    'GET /v1/webhook-endpoints': () => this.look('/v1/webhook-endpoints'),
    'POST /v1/webhook-endpoints/{id}/trial': async () => {
      const path = await this.webhookEndpoint();
      return { send: () => this.ask(`${path}/trial`, { method: 'POST' }), status: 202 };
    },
    'GET /v1/webhook-endpoints/{id}/deliveries': async () =>
      this.look(`${await this.webhookEndpoint()}/deliveries`),
    'POST /v1/webhook-endpoints/{id}/deliveries/{delivery}/send-again': async () => {
      const path = await this.webhookEndpoint();
      const { id } = await this.answer<{ id: string }>(this.ask(`${path}/trial`, { method: 'POST' }));
      await this.world.inspector.query(`UPDATE webhook_delivery SET state = 'delivered'`);
      return { send: () => this.ask(`${path}/deliveries/${id}/send-again`, { method: 'POST' }), status: 202 };
    },
    'GET /v1/models': () => this.look('/v1/models'),
    'GET /v1/models/changes': () => this.look('/v1/models/changes?since=2026-01-01'),
    'GET /v1/models/{id}': () => this.look(`/v1/models/${PAID_MODEL}`),
    'GET /v1/license-texts': () => this.look('/v1/license-texts'),
    'GET /v1/license-texts/{id}': async () => {
      const read = json(this.firstText());
      const { id } = await this.answer<{ id: string }>(this.ask('/v1/license-texts', read));
      return this.look(`/v1/license-texts/${id}`);
    },
    'GET /v1/curations': () => this.look('/v1/curations'),
    'GET /v1/waivers': () => this.look('/v1/waivers'),
    'GET /v1/clearances': () => this.look('/v1/clearances'),
    'GET /v1/clearances/matrices/{id}': async () => {
      const asked = this.ask('/v1/clearances', json({ matrix: MATRIX }));
      return this.look(`/v1/clearances/matrices/${(await this.answer<{ id: string }>(asked)).id}`);
    },
    'GET /v1/policies': () => this.look('/v1/policies'),
    'GET /v1/policies/schema': () => this.look('/v1/policies/schema'),
    'GET /v1/policies/{id}': async () => {
      const init = { ...json({ text: this.newPolicy() }), method: 'PUT' };
      const { id } = await this.answer<{ id: string }>(this.ask('/v1/policies', init));
      return this.look(`/v1/policies/${id}`);
    },
    'POST /v1/policies/check': () => ({
      send: () => this.ask('/v1/policies/check', json({ text: this.newPolicy() })),
      status: 200,
    }),
    'GET /v1/clearances/reopened': () => this.look('/v1/clearances/reopened'),
    'GET /v1/clearances/{id}/replay': async () =>
      this.look(`/v1/clearances/${(await this.startRun()).clearanceId}/replay`),
    'GET /v1/models/{id}/terms': () => this.look(`/v1/models/${PAID_MODEL}/terms`),
    'GET /v1/clearances/{id}': async () => this.look(`/v1/clearances/${(await this.startRun()).clearanceId}`),
    'GET /v1/projects/{id}/manifest-settings': () =>
      this.look(`/v1/projects/${this.projectId}/manifest-settings`),
    'GET /v1/projects/{id}/use-cases': () => this.look(`/v1/projects/${this.projectId}/use-cases`),
    'GET /v1/projects/{id}/use-cases/{name}/gateway': async () => {
      await this.answer(this.openGateway('hero-image').send());
      return this.look(`/v1/projects/${this.projectId}/use-cases/hero-image/gateway`);
    },
    'GET /gateway/openai/p/{project}/{useCase}/v1/models': () => this.lookAtGateway('openai', 'v1/models'),
    'GET /gateway/openai/p/{project}/{useCase}/v1/models/{model}': () =>
      this.lookAtGateway('openai', 'v1/models/sandbox-generator'),
    'GET /gateway/gemini/p/{project}/{useCase}/{version}/models': () =>
      this.lookAtGateway('gemini', 'v1beta/models'),
    'GET /gateway/gemini/p/{project}/{useCase}/{version}/models/{model}': () =>
      this.lookAtGateway('gemini', 'v1/models/sandbox-generator'),
    'POST /gateway/openai/p/{project}/{useCase}/v1/images/variations': () =>
      this.refusedByGateway('openai', 'v1/images/variations'),
    'POST /gateway/openai/p/{project}/{useCase}/v1/responses': () =>
      this.refusedByGateway('openai', 'v1/responses'),
    'POST /gateway/openai/p/{project}/{useCase}/v1/content_provenance_checks': () =>
      this.refusedByGateway('openai', 'v1/content_provenance_checks'),
    'POST /gateway/gemini/p/{project}/{useCase}/{version}/interactions': () =>
      this.refusedByGateway('gemini', 'v1/interactions'),
    'GET /gateway/fal/p/{project}/{useCase}/{host}/*': async () =>
      this.lookAtGateway('fal', `queue/${await this.falJob()}/status`, 202),
    'GET /gateway/fal/p/{project}/{useCase}/proxy': async () => {
      const headers = { 'x-fal-target-url': `https://queue.fal.run/${await this.falJob()}/status` };
      return { send: () => this.askGateway('fal', 'proxy', { headers }), status: 202 };
    },
    'PUT /gateway/fal/uploads/{token}/{name}/{part}': async () => {
      const { upload } = await this.announcedFile('initiate-multipart');
      return { send: () => this.sendPart(upload), status: 200 };
    },
    'GET /gateway/fal/webhooks/{organization}/{mode}/jwks.json': () =>
      this.look(`/gateway/fal/webhooks/${this.world.app.instance.organizationId}/live/jwks.json`),
    'GET /gateway/replicate/p/{project}/{useCase}/v1/predictions': () =>
      this.lookAtGateway('replicate', 'v1/predictions'),
    'GET /gateway/replicate/p/{project}/{useCase}/v1/predictions/{id}': async () =>
      this.lookAtGateway('replicate', `v1/predictions/${await this.prediction()}`),
    'GET /gateway/replicate/p/{project}/{useCase}/v1/files/{id}': async () =>
      this.lookAtGateway('replicate', `v1/files/${await this.replicateFile()}`),
    'DELETE /gateway/replicate/p/{project}/{useCase}/v1/files/{id}': async () => {
      const path = `v1/files/${await this.replicateFile()}`;
      return { send: () => this.askGateway('replicate', path, { method: 'DELETE' }), status: 204 };
    },
    'GET /gateway/replicate/p/{project}/{useCase}/v1/webhooks/default/secret': () =>
      this.lookAtGateway('replicate', 'v1/webhooks/default/secret'),
    'GET /v1/runs/{id}/webhooks': async () => this.look(`/v1/runs/${(await this.startRun()).id}/webhooks`),
    'GET /v1/runs': () => this.look('/v1/runs'),
    'GET /v1/runs/{id}': async () => this.look(`/v1/runs/${(await this.startRun()).id}`),
    'GET /v1/runs/{id}/steps': async () => this.look(`/v1/runs/${(await this.startRun()).id}/steps`),
    'GET /v1/runs/{id}/events': async () => {
      const { id } = await this.startRun();
      await this.answer(this.ask(`/v1/runs/${id}/cancel`, json({})));
      return this.look(`/v1/runs/${id}/events`);
    },
    'GET /v1/pipelines': () => this.look('/v1/pipelines'),
    'GET /v1/assets': () => this.look('/v1/assets'),
    'GET /v1/assets/{id}': async () => this.look(`/v1/assets/${await this.upload()}`),
    'GET /v1/assets/{id}/lineage': async () => this.look(`/v1/assets/${await this.upload()}/lineage`),
    'GET /v1/assets/{id}/authorship': async () => this.look(`/v1/assets/${await this.upload()}/authorship`),
    'GET /v1/assets/{id}/contributions': async () =>
      this.look(`/v1/assets/${await this.upload()}/contributions`),
    'GET /v1/assets/{id}/review': async () => this.look(`/v1/assets/${await this.upload()}/review`),
    'GET /v1/reviews': () => this.look('/v1/reviews'),
    'GET /v1/signature-keys': () => this.look('/v1/signature-keys'),
    'GET /v1/retention/rules': () => this.look('/v1/retention/rules'),
    'GET /v1/retention/preview': () => this.look('/v1/retention/preview?kind=assets'),
    'GET /v1/storyboards/{id}': async () => this.look(`/v1/storyboards/${(await this.storyboard()).id}`),
    'GET /v1/projects/{id}/use-cases/{name}/review-settings': () =>
      this.look(`/v1/projects/${this.projectId}/use-cases/hero-image/review-settings`),
    'GET /v1/assets/{id}/obligations': async () => this.look(`/v1/assets/${await this.upload()}/obligations`),
    'GET /v1/obligations': () => this.look('/v1/obligations'),
    'GET /v1/assets/{id}/bom': async () => this.look(`/v1/assets/${await this.upload()}/bom`),
    'GET /v1/pipelines/{id}/bom': () => this.look('/v1/pipelines/product-shot/bom'),
    'GET /v1/use-cases/{id}/bom': async () => {
      const asked = this.ask(
        `/v1/projects/${this.projectId}/use-cases`,
        json({ name: `b-${++this.serial}` }),
      );
      return this.look(`/v1/use-cases/${(await this.answer<{ id: string }>(asked)).id}/bom`);
    },
    'GET /v1/projects/{id}/manifest-publication': () =>
      this.look(`/v1/projects/${this.projectId}/manifest-publication`),
    'GET /.well-known/c2pa-soft-binding-resolution': () =>
      this.look('/.well-known/c2pa-soft-binding-resolution'),
    'GET /sbr/services/supportedAlgorithms': () => this.look('/sbr/services/supportedAlgorithms'),
    'GET /sbr/services/capabilities': () => this.look('/sbr/services/capabilities'),
    'GET /sbr/services/status': () => this.look('/sbr/services/status'),
    'GET /sbr/matches/byBinding': () =>
      this.look(`/sbr/matches/byBinding?alg=io.iscc.v0&value=${ANY_IMAGE_CODE}`),
    'POST /sbr/matches/byBinding': () => ({
      send: () => this.ask('/sbr/matches/byBinding', json({ alg: 'io.iscc.v0', value: ANY_IMAGE_CODE })),
      status: 200,
    }),
    'POST /sbr/matches/byContent': async () => {
      const body = new Uint8Array(await noisePicture());
      const init = { method: 'POST', body, headers: { 'content-type': 'image/png' } };
      return { send: () => this.ask('/sbr/matches/byContent', init), status: 200 };
    },
    // Off unless the operator turns it on.
    'POST /sbr/matches/byReference': () => ({
      send: () =>
        this.ask(
          '/sbr/matches/byReference',
          json({ referenceUrl: 'https://example.org/a.png', assetLength: 1 }),
        ),
      status: 404,
    }),
    'GET /sbr/manifests/{manifestId}/receipts': async () => {
      const { manifestLabel } = await this.recoverable();
      return this.look(`/sbr/manifests/${manifestLabel}/receipts`);
    },
    'POST /sbr/manifests/{manifestId}/receipts': async () => {
      const path = `/sbr/manifests/${(await this.recoverable()).manifestLabel}/receipts`;
      const receipt = await this.answer<unknown>(this.ask(path));
      return { send: () => this.ask(path, json(receipt)), status: 200 };
    },
    'GET /v1/reports': () => this.look('/v1/reports'),
    'GET /v1/report-schedules': () => this.look('/v1/report-schedules'),
    'GET /v1/report-schedules/{id}': async () => {
      const { id } = await this.answer<{ id: string }>(
        this.ask('/v1/report-schedules', json(this.newSchedule())),
      );
      return this.look(`/v1/report-schedules/${id}`);
    },
    'GET /v1/claims': () => this.look('/v1/claims'),
    'GET /v1/assets/{id}/claims': async () => this.look(`/v1/assets/${await this.upload()}/claims`),
    'GET /v1/assets/{id}/examinations': async () =>
      this.look(`/v1/assets/${await this.upload()}/examinations`),
    'GET /v1/share-links': () => this.look('/v1/share-links'),
    'GET /shared': () => this.look('/shared'),
    'GET /shared/shared.css': () => this.look('/shared/shared.css'),
    'GET /shared/shared.js': () => this.look('/shared/shared.js'),
    'GET /v1/reports/{id}': async () => this.look(`/v1/reports/${await this.report()}`),
    'POST /v1/verify': async () => {
      const picture = await this.ask(`/v1/assets/${await this.upload()}/content`);
      const form = formWith(Buffer.from(await picture.arrayBuffer()), 'a.png', {});
      return {
        send: () => this.world.app.request('/v1/verify', { ...postForm(form), key: null }),
        status: 200,
      };
    },
    'GET /v1/audit/entries': () => this.look('/v1/audit/entries'),
    'GET /v1/audit/entries/{entry}': () => this.look('/v1/audit/entries/0'),
    'GET /v1/audit/entries/{entry}/proof': () => this.look('/v1/audit/entries/0/proof'),
    'GET /v1/audit/witnesses': () => this.look('/v1/audit/witnesses'),
    'GET /v1/audit/log-keys': () => this.look('/v1/audit/log-keys'),
    'GET /logs/{organization}/checkpoint': () => this.look(`${this.logPath}/checkpoint`),
    // There are no witnesses here.
    'GET /logs/{organization}/witnessed-checkpoint': () =>
      this.look(`${this.logPath}/witnessed-checkpoint`, 404),
    'GET /logs/{organization}/vkey': () => this.look(`${this.logPath}/vkey`),
    'GET /logs/{organization}/policy': () => this.look(`${this.logPath}/policy`),
    'GET /logs/{organization}/tile/*': async () => {
      const checkpoint = await (await this.ask(`${this.logPath}/checkpoint`)).text();
      const size = Number(checkpoint.split('\n')[1]);
      return this.look(`${this.logPath}/tile/entries/000${size < 256 ? `.p/${size}` : ''}`);
    },
  };

  private openGateway(useCase: string): Call {
    const body = { open: true, facts: HARMLESS_FACTS, inputRights: OWN_RIGHTS };
    const path = `/v1/projects/${this.projectId}/use-cases/${useCase}/gateway`;
    const send = () => this.ask(path, { ...json(body), method: 'PUT' });
    return { send, status: 200, writes: ['use_case.gateway_set'] };
  }

  private gatewayPath(vendor: string, path: string): string {
    return `/gateway/${vendor}/p/${this.projectId}/hero-image/${path}`;
  }

  /** With a test key of the same person, for whom the sandbox stands in. */
  private async askGateway(vendor: string, path: string, init: RequestInit = {}): Promise<Response> {
    const key = await this.testKey();
    return this.world.app.request(this.gatewayPath(vendor, path), { ...init, key });
  }

  private async testKey(): Promise<string> {
    this.knownTestKey ??= (async () => {
      const me = await this.answer<{ principalId: string }>(this.ask('/v1/me'));
      const body = { principalId: me.principalId, mode: 'test' };
      return (await this.answer<{ key: string }>(this.ask('/v1/api-keys', json(body)))).key;
    })();
    return this.knownTestKey;
  }

  private async testKeyId(): Promise<string> {
    const key = await this.testKey();
    return (await this.answer<{ keyId: string }>(this.world.app.request('/v1/me', { key }))).keyId;
  }

  /** With a picture inside of it: the call that writes the most. */
  private async gatewayJob(
    vendor: 'fal' | 'replicate',
    path: string,
    status: number,
    headers: Record<string, string> = {},
  ): Promise<Call> {
    await this.answer(this.openGateway('hero-image').send());
    const image = `data:image/png;base64,${(await noisePicture()).toString('base64')}`;
    const input = { prompt: `a bottle, number ${++this.serial}`, image_url: image };
    const version = { version: 'colophon/sandbox-generator', input };
    const init = json(vendor === 'fal' ? input : version, headers);
    const writes = ['asset.received', 'asset.signed', 'clearance.decided', 'run.accepted'] as const;
    const send = () => this.askGateway(vendor, path, init);
    return { send, status, writes, actor: await this.testKeyId() };
  }

  private async canceledJob(send: () => Promise<Response>, status: number): Promise<Call[]> {
    const writes = ['run.cancel_requested', 'run.finished'] as const;
    return [{ send, status, writes, actor: await this.testKeyId() }];
  }

  /** Its path below `queue/`. */
  private async falJob(): Promise<string> {
    const { send } = await this.gatewayJob('fal', 'queue/colophon/sandbox-generator', 200);
    const { request_id: id } = await this.answer<{ request_id: string }>(send());
    return `colophon/sandbox-generator/requests/${id}`;
  }

  private async prediction(): Promise<string> {
    const { send } = await this.gatewayJob('replicate', 'v1/predictions', 201);
    return (await this.answer<{ id: string }>(send())).id;
  }

  /** Paths of both addresses. */
  private async announcedFile(how = 'initiate'): Promise<{ upload: string; file: string }> {
    await this.answer(this.openGateway('hero-image').send());
    const announced = this.askGateway('fal', `rest/storage/upload/${how}`, json({ file_name: 'a.png' }));
    const { upload_url: upload, file_url: file } =
      await this.answer<Record<'upload_url' | 'file_url', string>>(announced);
    return { upload: new URL(upload).pathname, file: new URL(file).pathname };
  }

  private async sendPart(upload: string): Promise<Response> {
    const body = new Uint8Array(await noisePicture());
    return this.world.app.request(`${upload}/1`, { method: 'PUT', body, key: null });
  }

  private async replicateForm(): Promise<FormData> {
    const form = new FormData();
    form.set('content', new Blob([new Uint8Array(await noisePicture())]), 'a.png');
    return form;
  }

  private async replicateFile(): Promise<string> {
    await this.answer(this.openGateway('hero-image').send());
    const init = { method: 'POST', body: await this.replicateForm() };
    return (await this.answer<{ id: string }>(this.askGateway('replicate', 'v1/files', init))).id;
  }

  private async lookAtGateway(vendor: string, path: string, status = 200): Promise<Omit<Call, 'writes'>> {
    await this.answer(this.openGateway('hero-image').send());
    await this.testKey();
    return { send: () => this.askGateway(vendor, path), status };
  }

  private refusedByGateway(vendor: string, path: string): Omit<Call, 'writes'> {
    return { send: () => this.ask(this.gatewayPath(vendor, path), json({})), status: 422 };
  }

  /**
   * No worker is here, so a call ends unanswered after the moment that this program waits; the same call sent again,
   * when the work was done in the place of a worker, is given the picture.
   */
  private async gatewayCalls(
    vendor: string,
    path: string,
    make: (prompt: string) => Promise<RequestInit>,
    ...received: EntryType[]
  ): Promise<Call[]> {
    await this.answer(this.openGateway('hero-image').send());
    const key = await this.testKey();
    const { keyId: actor } = await this.answer<{ keyId: string }>(this.world.app.request('/v1/me', { key }));
    const once = await make(`a bottle, number ${++this.serial}`);
    const unanswered = await this.askGateway(vendor, path, once);
    const runId = parsePublicId('run', unanswered.headers.get('x-colophon-run-id') ?? '') ?? '';
    await this.work(runId);
    const fresh = await make(`a bottle, number ${++this.serial}`);
    const writes = [...received, 'clearance.decided', 'run.accepted'] as const;
    return [
      { send: () => this.askGateway(vendor, path, fresh), status: 422, writes, actor },
      { send: () => this.askGateway(vendor, path, once), status: 200, writes: ['asset.read'], actor },
    ];
  }

  /** Does the steps of a run, as a worker would. */
  private async work(runId: string): Promise<void> {
    const { app, inspector } = this.world;
    const organizationId = parsePublicId('organization', app.instance.organizationId) ?? '';
    const steps = await inspector.query<{ id: string }>('SELECT id FROM step_run WHERE run_id = $1', [runId]);
    for (const { id } of steps) await app.services.advanceStep.advance(organizationId, id);
  }

  private setWebhookEndpoint(): Call {
    const init = json({ url: 'https://1.1.1.1/hook', events: ['asset.released'] });
    const send = () => this.ask('/v1/webhook-endpoints', init);
    return { send, status: 201, writes: ['webhook_endpoint.set'] };
  }

  /** Path of a new one. An organization has at most 20, so the one before it goes. */
  private async webhookEndpoint(): Promise<string> {
    await this.world.inspector.query(`UPDATE webhook_endpoint SET state = 'removed', sealed = ''`);
    const { id } = await this.answer<{ id: string }>(this.setWebhookEndpoint().send());
    return `/v1/webhook-endpoints/${id}`;
  }

  private setProviderKey(): Call {
    const init = { ...json({ key: `sk-route-calls-${++this.serial}` }), method: 'PUT' };
    const send = () => this.ask('/v1/providers/openai/credentials', init);
    return { send, status: 200, writes: ['provider_credential.set'] };
  }

  private put(path: string, body: unknown): Call[] {
    const init = { ...json(body), method: 'PUT' };
    return [{ send: () => this.ask(path, init), status: 200, writes: ['policy.changed'] }];
  }

  /** As another authority would issue it. */
  private async newCredential() {
    const folder = mkdtempSync(join(tmpdir(), 'colophon-authority-'));
    try {
      const authority = await openIdentityAuthority({ folder, clock: systemClock });
      return await authority.issue({ organization: `Acme ${++this.serial}`, person: undefined });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Forbids what nothing here uses. */
  private newPolicy(): string {
    return `@id("p-${++this.serial}") @severity("deny") @message("no") forbid (principal, action, resource)
      when { resource.lineage.vendors.contains("Nobody") };`;
  }

  async upload(): Promise<string> {
    const form = postForm(await this.uploadForm());
    return (await this.answer<{ id: string }>(this.world.app.request('/v1/assets', form))).id;
  }

  /** A record of human work, made by whoever calls. */
  private async selection(key = this.world.key): Promise<string> {
    const [chosen, other] = [await this.upload(), await this.upload()];
    const body = json({ shown: [other, chosen], statement: 'the calm one' });
    const asked = this.world.app.request(`/v1/assets/${chosen}/selections`, { ...body, key });
    return (await this.answer<{ id: string }>(asked)).id;
  }

  private async storyboard(): Promise<{ id: string; assetIds: string[] }> {
    const assetIds = [await this.upload(), await this.upload()];
    return this.answer(this.ask('/v1/storyboards', json({ assetIds, rationale: 'rising' })));
  }

  private async newKey() {
    const me = this.answer<{ organizationId: string; principalId: string }>(this.ask('/v1/me'));
    return new ContributorKey().registration(await me);
  }

  /** A finished report, made by this process in the place of a worker. */
  async report(assetId?: string): Promise<string> {
    const { app } = this.world;
    const body = { kind: 'asset', format: 'json', assetId: assetId ?? (await this.upload()) };
    const { id } = await this.answer<{ id: string }>(this.ask('/v1/reports', json(body)));
    await app.services.sequencer.runOnce();
    const organizationId = parsePublicId('organization', app.instance.organizationId) ?? '';
    await app.services.makeReport.make(organizationId, parsePublicId('report', id) ?? '');
    return id;
  }

  private newSchedule() {
    return { kind: 'campaign', projectId: this.projectId, format: 'json', cadence: 'daily' };
  }

  private async shareLink(): Promise<{ id: string; token: string; opens: string }> {
    return this.answer(this.ask('/v1/share-links', json({ reportId: await this.report() })));
  }

  /** As whoever holds a link, who is named by it. */
  private shared(path: string, actor: string, token: string): Call {
    const headers = { authorization: `Bearer ${token}` };
    const send = () => this.world.app.request(path, { key: null, headers });
    return { send, status: 200, writes: ['share_link.used'], actor };
  }

  private serial = 0;
  private knownTestKey: Promise<string> | undefined;

  private get projectId(): string {
    return this.world.app.instance.projectId;
  }

  private get logPath(): string {
    return `/logs/${this.world.app.instance.organizationId}`;
  }

  private ask(path: string, init: RequestInit = {}): Promise<Response> {
    return this.world.app.request(path, { ...init, key: this.world.key });
  }

  private async answer<T>(asked: Promise<Response>): Promise<T> {
    const response = await asked;
    if (!response.ok) throw new Error(`a preparation was refused: ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** A POST that may be sent again: each time with an Idempotency-Key of its own. */
  private one(path: string, body: unknown, status: number, ...writes: EntryType[]): Call[] {
    return [{ send: () => this.ask(path, json(body)), status, writes }];
  }

  private read(path: string, type: EntryType): Call[] {
    return [{ send: () => this.ask(path), status: 200, writes: [type] }];
  }

  /** What was written before is published, so that the export does not wait for it. */
  private async export(path: string): Promise<Call[]> {
    await this.world.app.services.sequencer.runOnce();
    return this.read(path, 'log.exported');
  }

  private look(path: string, status = 200): Omit<Call, 'writes'> {
    return { send: () => this.ask(path), status };
  }

  /** An asset whose entry is published, so that there is a receipt for it. */
  private async recoverable(): Promise<{ manifestLabel: string }> {
    const id = await this.upload();
    await this.world.app.services.sequencer.runOnce();
    return this.answer<{ manifestLabel: string }>(this.ask(`/v1/assets/${id}`));
  }

  private async uploadForm(): Promise<FormData> {
    const declaration = { projectId: this.projectId, rights: OWN_RIGHTS };
    return formWith(await noisePicture(), 'a.png', { declaration });
  }

  private runBody(model?: string): Record<string, unknown> {
    const inputs = { prompt: 'a bottle on a table', width: 256, height: 256, ...(model ? { model } : {}) };
    return productShot(this.world.app, { inputs });
  }

  /** Of the owner, so that somebody else may approve a waiver for it. No worker touches it. */
  private startRun(model?: string): Promise<Run> {
    return this.answer(this.world.app.request('/v1/runs', json(this.runBody(model))));
  }

  /** A step of a paid run, as after a crash between submit and answer. */
  private async lostStep(): Promise<{ runId: string; stepRunId: string; key: string }> {
    const { id, clearanceId } = await this.startRun(PAID_MODEL);
    await this.answer(this.ask('/v1/waivers', json(waiverOf(clearanceId))));
    const run = await this.answer<Run>(this.ask(`/v1/runs/${id}`));
    const step = run.steps.find(({ key }) => key === 'generate');
    const stepRunId = parsePublicId('stepRun', step?.id ?? '') ?? '';
    const { inspector } = this.world;
    await inspector.query(`UPDATE step_run SET state = 'OUTCOME_UNKNOWN' WHERE id = $1`, [stepRunId]);
    await inspector.query(`UPDATE run SET state = 'NEEDS_RECONCILIATION' WHERE id = $1`, [
      parsePublicId('run', run.id),
    ]);
    return { runId: run.id, stepRunId, key: 'generate' };
  }

  /** As after a refusal of the vendor. */
  private async failedAsReleased(runId: string): Promise<void> {
    const { inspector } = this.world;
    const id = parsePublicId('run', runId);
    await inspector.query(
      `INSERT INTO money_movement SELECT organization_id, id, 'release', 0, 'none', now() FROM step_run WHERE run_id = $1`,
      [id],
    );
    await inspector.query(`UPDATE step_run SET state = 'FAILED' WHERE run_id = $1`, [id]);
    await inspector.query(`UPDATE run SET state = 'FAILED' WHERE id = $1`, [id]);
  }

  /** A run of the owner in which a person is asked about what is given. */
  private async asking(operation: string, photo: string): Promise<string> {
    const pipeline = `ask-${++this.serial}`;
    const scene = {
      key: 'scene',
      operation: 'generate',
      model: 'studio-scene@studio',
      parameters: { prompt: 'x' },
    };
    const roles = ['creator', 'reviewer'];
    const steps = [scene, { key: 'ask', operation, roles, images: { image: { input: 'photo' } } }];
    await this.answer(this.ask('/v1/pipelines', json({ name: pipeline, definition: { steps } })));
    const body = productShot(this.world.app, { pipeline, inputs: { photo } });
    return (await this.answer<Run>(this.world.app.request('/v1/runs', json(body)))).id;
  }

  private newListing(): Listing {
    return ownListing({ id: `look-${++this.serial}@self-hosted` });
  }

  private async recordModel(): Promise<string> {
    const listing = json({ listing: this.newListing() });
    return (await this.answer<{ id: string }>(this.ask('/v1/models', listing))).id;
  }

  private licenseText(listingIds: readonly string[]): unknown {
    const { spdxOrRef } = ownListing().license;
    return { licenseKey: spdxOrRef, text: `Text ${++this.serial}`, readOn: '2026-11-22', listingIds };
  }

  /** Under a key that no listing has, so that nothing changes. */
  private firstText(): unknown {
    return { licenseKey: `LicenseRef-Nobody-${++this.serial}`, text: 'A text', readOn: '2026-11-22' };
  }

  /** Of one file, so that it keeps nobody whom another request erases. */
  private async holdBody(): Promise<unknown> {
    return { scope: { kind: 'asset', id: await this.upload() }, reason: 'a lawsuit' };
  }

  private async useCase(): Promise<string> {
    const named = json({ name: `money-${++this.serial}` });
    const made = this.ask(`/v1/projects/${this.projectId}/use-cases`, named);
    return (await this.answer<{ id: string }>(made)).id;
  }

  private async budget(): Promise<string> {
    const body = {
      level: 'use_case',
      targetId: await this.useCase(),
      period: 'total',
      softLimitMicroUsd: '5',
    };
    return (await this.answer<{ id: string }>(this.ask('/v1/budgets', json(body)))).id;
  }

  private async projectAboveSoftLimit(): Promise<string> {
    const made = this.ask('/v1/projects', json({ name: `Money ${++this.serial}` }));
    const { id } = await this.answer<{ id: string }>(made);
    await this.answer(this.ask(`/v1/projects/${id}/use-cases`, json({ name: 'hero-image' })));
    const limit = { level: 'project', targetId: id, period: 'month', softLimitMicroUsd: '1' };
    await this.answer(this.ask('/v1/budgets', json(limit)));
    return id;
  }

  /** An asset as if a model had made it: no worker runs here. */
  private async modelWork(): Promise<string> {
    const { id: runId } = await this.startRun(PAID_MODEL);
    const { steps } = await this.answer<Run>(this.ask(`/v1/runs/${runId}`));
    const step = steps.find(({ key }) => key === 'generate');
    const upload = parsePublicId('asset', await this.upload());
    const id = newId();
    const made = { id, step_run_id: parsePublicId('stepRun', step?.id ?? '') };
    await this.world.inspector.query(
      'INSERT INTO asset SELECT (jsonb_populate_record(a, $2)).* FROM asset a WHERE id = $1',
      [upload, JSON.stringify(made)],
    );
    return publicId('asset', id);
  }

  private async returnPath(form: string): Promise<string> {
    return `/v1/use-cases/${await this.useCase()}/return${form}?from=2026-11-01&until=2026-11-30`;
  }

  private async hold(): Promise<string> {
    return (await this.answer<{ id: string }>(this.ask('/v1/legal-holds', json(await this.holdBody())))).id;
  }
}

function waiverOf(clearanceId: string): unknown {
  return { clearanceId, reason: 'LEGAL_OPINION', comment: 'for a season', expiresAt: IN_A_YEAR };
}
