import { type AssetStore } from '../../assets/domain/asset-store.port.js';
import {
  type PictureFingerprint,
  type PictureFingerprinter,
} from '../../assets/domain/picture-fingerprint.js';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { publicId } from '../../shared/ids.js';
import { type FingerprintRepository, type UnprintedAsset } from '../adapters/fingerprint.repository.js';

export interface FillProgress {
  /** Assets without a fingerprint when the job last counted. */
  readonly missing: number;
  /** Made since the start of this process. */
  readonly made: number;
  /** Tried without success since the start of this process; tried again at the next start. */
  readonly failed: number;
}

export interface FillProblem {
  /** Absent when the fingerprinter has told it. */
  readonly error?: unknown;
  /** Public id. Absent when the job itself broke off. */
  readonly assetId?: string;
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const BATCH = 20;
/** Between two batches, so that the job never takes more than a part of one core from what people wait for. */
const PAUSE_MS = 100;

/**
 * Makes the fingerprints of assets that have none: those from before there were any, and those whose picture could not
 * be read at the time. Once at the start, one picture after the other. Two processes may do the same work: the second
 * one writes nothing.
 */
export class FillFingerprints {
  private progressNow: FillProgress = { missing: 0, made: 0, failed: 0 };
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly fingerprints: FingerprintRepository,
    private readonly store: Pick<AssetStore, 'localPath'>,
    private readonly fingerprinter: PictureFingerprinter,
    private readonly report: (progress: FillProgress, problem?: FillProblem) => void,
  ) {}

  get progress(): FillProgress {
    return this.progressNow;
  }

  start(): void {
    this.running = this.run().catch((error: unknown) => this.report(this.progressNow, { error }));
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Ends when every asset was tried once, or when it is stopped. */
  async run(): Promise<void> {
    const organizations = await this.fingerprints.organizationsWithAssets();
    let missing = 0;
    for (const id of organizations)
      missing += await this.organizationTx.run(id, (tx) => this.fingerprints.countMissing(tx));
    this.progressNow = { ...this.progressNow, missing };
    if (missing === 0) return;
    this.report(this.progressNow);
    for (const id of organizations) await this.fillOrganization(id);
    this.report(this.progressNow);
  }

  private async fillOrganization(organizationId: string): Promise<void> {
    let after = FIRST_ID;
    while (!this.stopping.signal.aborted) {
      const batch = await this.organizationTx.run(organizationId, (tx) =>
        this.fingerprints.missing(tx, after, BATCH),
      );
      const last = batch.at(-1);
      if (last === undefined) return;
      after = last.id;
      await this.fillBatch(organizationId, batch);
      await this.pause();
    }
  }

  private async fillBatch(organizationId: string, batch: readonly UnprintedAsset[]): Promise<void> {
    const made: { id: string; fingerprint: PictureFingerprint }[] = [];
    for (const asset of batch) {
      const fingerprint = await this.fingerprintOf(organizationId, asset);
      if (fingerprint !== undefined) made.push({ id: asset.id, fingerprint });
    }
    await this.organizationTx.run(organizationId, (tx) => {
      for (const { id, fingerprint } of made) this.fingerprints.save(tx, id, fingerprint);
      return Promise.resolve();
    });
    const { progressNow } = this;
    this.progressNow = {
      missing: progressNow.missing - made.length,
      made: progressNow.made + made.length,
      failed: progressNow.failed + batch.length - made.length,
    };
  }

  /** `undefined` when file or picture cannot be read: the next assets are tried all the same. */
  private async fingerprintOf(
    organizationId: string,
    asset: UnprintedAsset,
  ): Promise<PictureFingerprint | undefined> {
    const assetId = publicId('asset', asset.id);
    try {
      const path = await this.store.localPath(organizationId, asset.sha256);
      const seen = await this.fingerprinter.see(path);
      if (seen === undefined) this.report(this.progressNow, { assetId });
      return seen?.fingerprint;
    } catch (error) {
      this.report(this.progressNow, { error, assetId });
      return undefined;
    }
  }

  private async pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PAUSE_MS);
      this.stopping.signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
  }
}
