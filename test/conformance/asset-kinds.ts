import { uploadManifest } from '../../src/assets/domain/upload-manifest.js';
import { contributionManifest } from '../../src/contributions/domain/contribution-manifest.js';
import { type Run, type StepRun } from '../../src/generation/domain/run.js';
import { type StepFacts, type StepImage, stepManifest } from '../../src/generation/domain/step-manifest.js';
import { type ManifestPlan, type SigningOrigin } from '../../src/provenance/domain/manifest-plan.js';
import {
  DEFAULT_MANIFEST_SETTINGS,
  type ManifestSettings,
} from '../../src/provenance/domain/manifest-settings.js';
import { type RequestedModel } from '../../src/provenance/domain/model-statements.js';
import {
  action,
  generatedPlan,
  type MediaFile,
  type SigningWorkshop,
} from '../../src/provenance/testing/signing-workshop.js';
import {
  manySamples,
  riffChunk,
  wave,
  WAVE_FORMAT,
  WAVE_NOTES,
} from '../../src/provenance/testing/large-sound.js';
import { newId } from '../../src/shared/ids.js';

export const FLUX: RequestedModel = {
  listingId: 'flux-1-schnell@fal',
  listingSha256: 'a'.repeat(64),
  name: 'FLUX.1 [schnell]',
  revision: undefined,
  channel: 'fal',
  endpoint: 'fal-ai/flux/schnell',
  role: 'generator',
};
export const PROMPT_COMMITMENT = 'q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80';
const now = new Date('2026-11-22T10:00:00.000Z');
const context = {
  organizationName: 'Acme',
  settings: {
    ...DEFAULT_MANIFEST_SETTINGS,
    usageTerms: 'For the spring campaign only',
    chinaContentProducer: '001191',
  },
  logOrigin: 'media.example/logs/org_1',
};
const NOTHING_READ = { signals: [], unreadPlaces: [] };

export interface KindOptions {
  readonly settings?: ManifestSettings;
}

/** One signed file of every kind that the product makes, by the same functions with which it makes them. */
export class AssetKinds {
  constructor(
    private readonly workshop: SigningWorkshop,
    private readonly vendor: SigningWorkshop,
    private readonly options: KindOptions = {},
  ) {}

  readonly all: Readonly<Record<string, () => Promise<MediaFile>>> = {
    'a step of the studio': () => this.step({}),
    'a step of the sandbox': () =>
      this.step({ provider: 'sandbox', listingId: 'sandbox-generator@sandbox', endpoint: 'generate' }),
    'a picture of the sandbox from another one': async () =>
      this.step(
        { provider: 'sandbox', listingId: 'sandbox-generator@sandbox', endpoint: 'generate' },
        { image: await this.image({}) },
      ),
    'a picture of the sandbox that looks at another one': async () =>
      this.step(
        { provider: 'sandbox', operation: 'edit', listingId: 'sandbox-editor@sandbox', endpoint: 'edit' },
        { style: await this.image({}) },
      ),
    'a step of fal with a trained model': () => this.step(TRAINED),
    'a step of a vendor that signs itself': async () => this.step(TRAINED, {}, await this.ofVendor()),
    'a generative edit': async () =>
      this.step(TRAINED, { image: await this.image(TRAINED), style: await this.image({}) }),
    'a cut-out of a generated picture': async () =>
      this.step(
        { operation: 'cut-out', listingId: 'studio-cut-out@studio' },
        { image: await this.image(TRAINED) },
      ),
    'a plain resize': async () =>
      this.step(
        { operation: 'upscale', listingId: 'studio-upscale@studio' },
        { image: await this.image({}) },
      ),
    'an upload': async () => this.upload(await this.workshop.picture('image/jpeg')),
    'an upload with the manifest of a vendor': async () => this.upload(await this.ofVendor()),
    'a human edit': () => this.edit(false),
    'a human edit by a named person': () => this.edit(true),
    'a composite': () => this.composite(),
    'a sound that is too large for memory': async () => this.upload(await this.sound()),
  };

  private async sound(): Promise<MediaFile> {
    const bytes = wave(WAVE_FORMAT, riffChunk('data', manySamples(1)), WAVE_NOTES);
    return { path: await this.workshop.write(bytes), mediaType: 'audio/wav' };
  }

  /** A picture that somebody else signed, under an authority that we do not know. */
  private async ofVendor(): Promise<MediaFile> {
    return this.vendor.sign(
      await this.vendor.picture('image/jpeg'),
      generatedPlan({ title: 'Of the vendor' }),
    );
  }

  private async image(step: Partial<StepRun>): Promise<StepImage> {
    const file = await this.step(step);
    const sourceType = step === TRAINED ? 'trainedAlgorithmicMedia' : 'algorithmicMedia';
    return { ...file, assetId: newId(), title: 'Earlier', sourceTypes: [sourceType], reserves: false };
  }

  private async step(
    changes: Partial<StepRun>,
    images: StepFacts['images'] = {},
    captured?: MediaFile,
  ): Promise<MediaFile> {
    const isTrained = changes === TRAINED;
    const { plan } = stepManifest({
      run: RUN,
      step: { ...STEP, ...changes },
      trainedModel: isTrained,
      images,
      isFinal: true,
      context: { ...context, settings: this.options.settings ?? context.settings },
      clearance: {
        id: 'clr_019abc00000070008000000000000001',
        decision: 'allow',
        rulesVersion: '2.1.0',
        inputCommitment: 'B'.repeat(43),
        termsSha256: 'c'.repeat(64),
        logged: { entry: 'ent_019abc00000070008000000000000001', leafHash: PROMPT_COMMITMENT },
      },
      submitted: { entry: 'ent_019abc00000070008000000000000002', leafHash: PROMPT_COMMITMENT },
      models: isTrained ? [FLUX, { ...FLUX, listingId: 'a-lora@fal', name: 'A LoRA', role: 'lora' }] : [],
      prompt: {
        inLog: { commitment: PROMPT_COMMITMENT, entryId: 'ent_019abc00000070008000000000000003' },
        requestSha256: 'd'.repeat(64),
      },
      promptWriter: undefined,
      organization: await this.workshop.naming(),
      now,
    });
    return this.workshop.sign(captured ?? (await this.workshop.picture('image/png')), plan);
  }

  private upload(file: MediaFile): Promise<MediaFile> {
    const plan = uploadManifest({
      assetId: 'ast_1',
      title: 'photo.jpg',
      file,
      rights: {
        rightsBasis: 'owned',
        allowedUses: ['commercial'],
        aiInput: 'yes',
        territory: 'worldwide',
        expiresAt: null,
        releases: [],
      },
      signalReading: NOTHING_READ,
      logOrigin: context.logOrigin,
      mode: 'live',
    });
    // Of a sound the product makes none.
    const thumbnail = plan.thumbnail && file.mediaType.startsWith('image/');
    return this.received(file, { ...plan, thumbnail });
  }

  private async edit(isNamed: boolean): Promise<MediaFile> {
    const parent = await this.step(TRAINED);
    const plan = contributionManifest({
      assetId: 'ast_2',
      parentId: 'ast_1',
      mode: 'live',
      title: 'Retouched',
      parent: {
        path: parent.path,
        mediaType: parent.mediaType,
        title: 'Before',
        sha256: '1'.repeat(64),
        manifestPlacement: 'embedded',
        manifestSha256: '2'.repeat(64),
        manifestLabel: 'urn:c2pa:parent',
      },
      actionType: 'RETOUCH',
      basis: 'modification',
      capture: 'declared_at_time',
      tool: { name: 'GIMP', version: '3.0' },
      signalReading: NOTHING_READ,
      sourceTypes: ['trainedAlgorithmicMedia'],
      parentReserves: false,
      context,
      organization: await this.workshop.naming(),
      contributor: isNamed ? await this.workshop.naming({ organization: 'Acme', person: 'Ada' }) : undefined,
      now,
    });
    return this.received(await this.workshop.picture('image/jpeg'), plan);
  }

  private async composite(): Promise<MediaFile> {
    const parts = [await this.step({}), await this.step(TRAINED)];
    return this.workshop.sign(
      await this.workshop.picture('image/png'),
      generatedPlan({
        title: 'Composite',
        actions: [
          action('c2pa.created', 'compositeWithTrainedAlgorithmicMedia', 'Put together'),
          action('c2pa.placed', undefined, 'Placed'),
        ],
        ingredients: parts.map(({ path, mediaType }, i) => ({
          path,
          mediaType,
          title: `Part ${i}`,
          relationship: 'componentOf',
          digitalSourceType: undefined,
        })),
      }),
    );
  }

  private received(file: MediaFile, plan: ManifestPlan): Promise<MediaFile> {
    const kind: SigningOrigin['kind'] = 'received_with_declaration';
    return this.workshop.sign(file, plan, kind);
  }
}

const RUN: Run = {
  id: newId(),
  projectId: newId(),
  useCaseId: newId(),
  pipelineName: 'product-shot',
  pipelineVersion: 1,
  sealedInputs: '',
  mode: 'live',
  state: 'RUNNING',
  clearanceId: newId(),
  cancelRequestedAt: undefined,
  createdBy: newId(),
  createdAt: now,
  finishedAt: undefined,
  resumesRunId: undefined,
};

const STEP: StepRun = {
  id: newId(),
  runId: RUN.id,
  key: 'generate',
  ordinal: 0,
  operation: 'generate',
  provider: 'studio',
  listingId: 'studio-scene@studio',
  endpoint: 'render-scene',
  dependsOn: [],
  state: 'CAPTURED',
  reservedMicroUsd: 0n,
  requestSha256: 'd'.repeat(64),
  upstreamId: undefined,
  progress: undefined,
  originalSha256: 'e'.repeat(64),
  originalMediaType: 'image/png',
  usage: undefined,
  preparation: undefined,
  components: [],
  claims: {},
  outputAssetId: undefined,
  errorCode: undefined,
  errorDetail: undefined,
  updatedAt: now,
  plan: undefined,
  alternative: 0,
  submitAttempts: 1,
  retryAt: undefined,
  waitsUntil: undefined,
  formerUpstreamIds: [],
  skipReason: undefined,
};

const TRAINED: Partial<StepRun> = {
  provider: 'fal',
  listingId: FLUX.listingId,
  endpoint: 'fal-ai/flux/schnell',
  claims: { requestId: 'req-1', seed: 42 },
};
