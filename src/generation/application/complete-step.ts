import { type NewAsset, type RecordAsset } from '../../assets/application/record-asset.js';
import { type SignAsset } from '../../assets/application/sign-asset.js';
import { type StoredMedia } from '../../assets/application/stored-media.js';
import { type Asset } from '../../assets/domain/asset.js';
import { type AssetStore } from '../../assets/domain/asset-store.port.js';
import { type FileSignalReader, NEVER_READ, type SignalReading } from '../../assets/domain/signal-reading.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type Clock } from '../../shared/clock.js';
import { isColophonError } from '../../shared/errors.js';
import { newId } from '../../shared/ids.js';
import { type Lease } from '../adapters/run.repository.js';
import { type Offerings } from '../domain/offering.js';
import { mainImageOf } from '../domain/operation.js';
import { machineOperation, type Run, type StepRun } from '../domain/run.js';
import { type StepImage, stepManifest } from '../domain/step-manifest.js';
import { type EndStep } from './end-step.js';
import { type InputAsset, type LoadStepFacts } from './step-facts.js';

/** Records that a person set the region of an edit by a mask. In the transaction that records the result. */
export interface RecordMask {
  record(
    tx: Tx,
    edit: {
      readonly output: { readonly id: string; readonly projectId: string; readonly originalSha256: string };
      readonly source: Asset;
      readonly mask: Asset;
    },
  ): Promise<void>;
}

/** `mask`, `mask_image_url`: as providers name it. */
const MASK_NAME = /(?:^|_)mask(?:_|$)/;

/**
 * Steps 6 to 8 of the way of a run: sign, record, settle. Signing may be repeated; the asset, its log entry, the
 * settlement and the end of the step are one transaction, so a crash leaves either all of it or a captured step.
 */
export class CompleteStep {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly store: AssetStore,
    private readonly storedMedia: StoredMedia,
    private readonly signals: FileSignalReader,
    private readonly signAsset: SignAsset,
    private readonly recordAsset: RecordAsset,
    private readonly stepFacts: LoadStepFacts,
    private readonly endStep: EndStep,
    private readonly offerings: Offerings,
    private readonly recordMask: RecordMask,
    private readonly clock: Clock,
  ) {}

  async complete(organizationId: string, run: Run, step: StepRun, lease: Lease): Promise<void> {
    if (step.originalSha256 === undefined || step.originalMediaType === undefined) {
      throw new Error(`captured step ${step.id} has no original`);
    }
    const original = { sha256: step.originalSha256, mediaType: step.originalMediaType };
    const facts = await this.organizationTx.run(organizationId, (tx) => this.stepFacts.load(tx, run, step));
    const images = await this.localImages(organizationId, facts.images);
    const path = await this.store.localPath(organizationId, original.sha256);
    const now = this.clock.now();
    const trainedModel = this.offerings.find(step)?.trainedModel ?? true;
    const { plan, digitalSourceType, parents } = stepManifest({ ...facts, trainedModel, images, now });
    // Read beside the signing, in a process of its own. What goes wrong with it is told after the signing.
    const reading = this.readSignals(step, { path, mediaType: original.mediaType });
    reading.catch(() => undefined);
    // Signing changes no pixel, so what was found when the original was captured holds for the signed file, too.
    const { kind, width, height, durationMs, picture } = await this.storedMedia.probe(
      original.sha256,
      () => path,
    );
    const signed = await this.signAsset.sign({
      organizationId,
      original: { path, mediaType: original.mediaType, picture },
      origin: { kind: 'captured_from_provider', originalSha256: original.sha256, stepRunId: step.id },
      plan,
    });
    const signalReading = await reading;
    const asset: NewAsset = {
      id: newId(),
      projectId: run.projectId,
      origin: 'step',
      title: plan.title,
      original: { ...original, kind, width, height, durationMs },
      signed,
      digitalSourceType,
      ...(signalReading === undefined ? {} : { signalReading }),
      step,
      parents,
      actor: SYSTEM_ACTOR,
      mode: run.mode,
      createdBy: run.createdBy,
      createdAt: now,
    };
    await this.organizationTx.run(organizationId, (tx) => this.commit(tx, asset, facts.images, step, lease));
  }

  /**
   * What the file of a vendor reserves holds for whatever is made from it. What cannot be read is unknown, and no reason
   * to lose a picture that is paid for. Files of this machine are written by this program.
   */
  private async readSignals(
    { provider }: StepRun,
    file: { readonly path: string; readonly mediaType: string },
  ): Promise<SignalReading | undefined> {
    if (provider === 'studio' || provider === 'sandbox') return undefined;
    try {
      return (await this.signals.read(file)).reading;
    } catch (error) {
      if (isColophonError(error) && error.status < 500) return NEVER_READ;
      throw error;
    }
  }

  private async localImages(
    organizationId: string,
    images: Readonly<Record<string, InputAsset>>,
  ): Promise<Record<string, StepImage>> {
    const entries = await Promise.all(
      Object.entries(images).map(async ([name, { asset, sourceTypes, reserves }]) => {
        const path = await this.store.localPath(organizationId, asset.sha256);
        const { id, mediaType, title } = asset;
        return [name, { assetId: id, path, mediaType, title, sourceTypes, reserves }] as const;
      }),
    );
    return Object.fromEntries(entries);
  }

  private async commit(
    tx: Tx,
    asset: NewAsset,
    images: Readonly<Record<string, InputAsset>>,
    step: StepRun,
    lease: Lease,
  ): Promise<void> {
    // The lease is checked before the asset is written, and conditions are asked after it.
    await this.endStep.succeed(tx, step, lease, asset.id, async () => {
      await this.recordAsset.record(tx, asset);
      await this.recordMaskOf(tx, step, asset, images);
    });
  }

  /** The picture that the step changed is the source, by whatever names and in whatever order others came with it. */
  private async recordMaskOf(
    tx: Tx,
    step: StepRun,
    { id, projectId, original }: NewAsset,
    images: Readonly<Record<string, InputAsset>>,
  ): Promise<void> {
    const mask = Object.entries(images).find(([name]) => MASK_NAME.test(name))?.[1].asset;
    const changed = mainImageOf(machineOperation(step), Object.keys(images));
    const source = changed === undefined ? undefined : images[changed]?.asset;
    if (mask === undefined || source === undefined) return;
    const output = { id, projectId, originalSha256: original.sha256 };
    await this.recordMask.record(tx, { output, source, mask });
  }
}
