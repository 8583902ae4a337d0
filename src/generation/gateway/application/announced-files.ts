import { type AssetRepository } from '../../../assets/adapters/asset.repository.js';
import { hashFile } from '../../../assets/adapters/file-asset-store.js';
import { type Asset } from '../../../assets/domain/asset.js';
import { type OrganizationTx, type Tx } from '../../../database/organization-tx.js';
import { type Principal } from '../../../identity/domain/principal.js';
import { type Clock } from '../../../shared/clock.js';
import { ColophonError } from '../../../shared/errors.js';
import { newId } from '../../../shared/ids.js';
import { type GatewayPlace, type SentPicture } from '../domain/gateway-call.js';
import { type GatewaySettingsOfUseCase, type SettingsInForce } from './gateway-settings-of-use-case.js';
import { type JobOwner } from './gateway-jobs.js';
import { type ReceivePictures } from './receive-pictures.js';

/** A file that an SDK sends ahead of the call that names it. */
export interface AnnouncedFile {
  /** UUID. */
  readonly id: string;
  readonly createdAt: Date;
  /** `undefined`: announced, and not sent yet. */
  readonly asset: Asset | undefined;
}

interface UploadRow {
  id: string;
  asset_id: string | null;
  created_at: Date;
  project_id: string;
  use_case: string;
}

const UPLOADS = `gateway_upload f
  JOIN use_case u ON u.organization_id = f.organization_id AND u.id = f.use_case_id`;
const COLUMNS = 'f.id, f.asset_id, f.created_at, f.project_id, u.name AS use_case';

/** Files that come before the call: each becomes an asset under the rights that the settings declare, as if sent with it. */
export class AnnouncedFiles {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly assets: AssetRepository,
    private readonly settings: GatewaySettingsOfUseCase,
    private readonly receivePictures: ReceivePictures,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found`, `gateway_closed` */
  async announce(owner: JobOwner): Promise<AnnouncedFile> {
    return this.organizationTx.run(owner.principal.organizationId, async (tx) =>
      this.keep(tx, owner, await this.settings.require(tx, owner.place), undefined),
    );
  }

  /**
   * A file that comes without being announced.
   * @param stagedPath in the staging area; the caller discards it
   * @throws ColophonError `not_found`, `gateway_closed`, `input_rights_undeclared`, `not_a_picture`, and what an upload
   *   throws
   */
  async take(owner: JobOwner, stagedPath: string): Promise<AnnouncedFile> {
    const { principal, place } = owner;
    const inForce = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.settings.require(tx, place),
    );
    const sent = { stagedPath, sha256: await hashFile(stagedPath), fileName: undefined };
    const received = await this.receivePictures.receive(principal, place, inForce, { file: sent });
    return this.organizationTx.run(principal.organizationId, (tx) =>
      this.keep(tx, owner, inForce, received.file),
    );
  }

  private async keep(
    tx: Tx,
    { principal, place, vendor }: JobOwner,
    { useCaseId }: SettingsInForce,
    assetId: string | undefined,
  ): Promise<AnnouncedFile> {
    const id = newId();
    const createdAt = this.clock.now();
    await tx.query(
      `INSERT INTO gateway_upload (organization_id, id, vendor, key_id, project_id, use_case_id, asset_id, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        tx.organizationId,
        id,
        vendor,
        principal.keyId,
        place.projectId,
        useCaseId,
        assetId ?? null,
        createdAt,
      ],
    );
    return { id, createdAt, asset: assetId === undefined ? undefined : await this.assets.get(tx, assetId) };
  }

  /**
   * The bytes of an announced file. Sent again it is the same asset; other bytes are refused, for the address may have
   * been handed on already.
   * @param stagedPath in the staging area; the caller discards it
   * @throws ColophonError `not_found`, `conflict`, `input_rights_undeclared`, `not_a_picture`, and what an upload throws
   */
  async receive(principal: Principal, id: string, stagedPath: string): Promise<AnnouncedFile> {
    const sent: SentPicture = { stagedPath, sha256: await hashFile(stagedPath), fileName: undefined };
    const { place, earlier, inForce } = await this.organizationTx.run(
      principal.organizationId,
      async (tx) => {
        const row = await this.row(tx, principal, id);
        const at = { projectId: row.project_id, useCase: row.use_case };
        return {
          place: at,
          earlier: await this.assetOf(tx, row),
          inForce: await this.settings.require(tx, at),
        };
      },
    );
    if (earlier && ![earlier.sha256, earlier.originalSha256].includes(sent.sha256)) throw sentAlready();
    const received = await this.receivePictures.receive(principal, place, inForce, { file: sent });
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const kept = await tx.query(
        `UPDATE gateway_upload SET asset_id = $3
          WHERE organization_id = $1 AND id = $2 AND (asset_id IS NULL OR asset_id = $3) RETURNING id`,
        [tx.organizationId, id, received.file],
      );
      if (kept.length === 0) throw sentAlready();
      return this.fileOf(tx, await this.row(tx, principal, id));
    });
  }

  /** Of the caller's own key, in this place. @throws ColophonError `not_found` */
  async get({ principal, place }: JobOwner, id: string): Promise<AnnouncedFile> {
    return this.organizationTx.run(principal.organizationId, async (tx) =>
      this.fileOf(tx, await this.row(tx, principal, id, place)),
    );
  }

  /** The same wherever it was announced. @throws ColophonError `not_found` */
  async ofKey(principal: Principal, id: string): Promise<AnnouncedFile> {
    return this.organizationTx.run(principal.organizationId, async (tx) =>
      this.fileOf(tx, await this.row(tx, principal, id)),
    );
  }

  /** The client forgets it; what was received stays an asset, as everything that was recorded does. */
  async forget({ principal, place }: JobOwner, id: string): Promise<void> {
    await this.organizationTx.run(principal.organizationId, async (tx) => {
      await this.row(tx, principal, id, place);
      await tx.query(
        'UPDATE gateway_upload SET forgotten_at = $3 WHERE organization_id = $1 AND id = $2 RETURNING id',
        [tx.organizationId, id, this.clock.now()],
      );
    });
  }

  private async row(tx: Tx, { keyId }: Principal, id: string, place?: GatewayPlace): Promise<UploadRow> {
    const [row] = await tx.query<UploadRow>(
      `SELECT ${COLUMNS} FROM ${UPLOADS}
        WHERE f.organization_id = $1 AND f.id = $2 AND f.key_id = $3 AND f.forgotten_at IS NULL
          AND ($4::uuid IS NULL OR (f.project_id = $4 AND u.name = $5))`,
      [tx.organizationId, id, keyId, place?.projectId ?? null, place?.useCase ?? null],
    );
    if (!row) throw new ColophonError('not_found', 'There is no such file here.');
    return row;
  }

  private async fileOf(tx: Tx, row: UploadRow): Promise<AnnouncedFile> {
    return { id: row.id, createdAt: row.created_at, asset: await this.assetOf(tx, row) };
  }

  private async assetOf(tx: Tx, { asset_id: assetId }: UploadRow): Promise<Asset | undefined> {
    return assetId === null ? undefined : this.assets.get(tx, assetId);
  }
}

function sentAlready(): ColophonError {
  return new ColophonError('conflict', 'Another file was sent to this address already. Announce a new one.');
}
