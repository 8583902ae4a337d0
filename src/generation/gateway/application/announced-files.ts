import { type AssetRepository } from '../../../assets/adapters/asset.repository.js';
import { hashFile } from '../../../assets/adapters/file-asset-store.js';
import { type Asset } from '../../../assets/domain/asset.js';
import { type OrganizationTx, type Tx } from '../../../database/organization-tx.js';
import { type Principal } from '../../../identity/domain/principal.js';
import { type Clock } from '../../../shared/clock.js';
import { ColophonError } from '../../../shared/errors.js';
import { newId } from '../../../shared/ids.js';
import { type GatewayPlace, type SentFile } from '../domain/gateway-call.js';
import { type GatewaySettingsOfUseCase, type SettingsInForce } from './gateway-settings-of-use-case.js';
import { LINK_LIFETIME_MS } from './capability-links.js';
import { type JobOwner } from './gateway-jobs.js';
import { type ReceiveFiles } from './receive-files.js';

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
  in_parts: boolean;
}

const UPLOADS = `gateway_upload f
  JOIN use_case u ON u.organization_id = f.organization_id AND u.id = f.use_case_id`;
const COLUMNS = 'f.id, f.asset_id, f.created_at, f.project_id, f.in_parts, u.name AS use_case';
const MAX_OPEN_IN_PARTS = 10;

/** Files that come before the call: each becomes an asset under the rights that the settings declare, as if sent with it. */
export class AnnouncedFiles {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly assets: AssetRepository,
    private readonly settings: GatewaySettingsOfUseCase,
    private readonly receiveFiles: ReceiveFiles,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found`, `gateway_closed`; `conflict` when too many are to come in parts already */
  async announce(owner: JobOwner, inParts = false): Promise<AnnouncedFile> {
    return this.organizationTx.run(owner.principal.organizationId, async (tx) => {
      const inForce = await this.settings.require(tx, owner.place);
      if (inParts) await this.refuseTooMany(tx, owner.principal);
      return this.keep(tx, owner, inForce, { assetId: undefined, inParts });
    });
  }

  /** What lies in the staging area in parts is bounded for each key, not only for each file. */
  private async refuseTooMany(tx: Tx, { keyId }: Principal): Promise<void> {
    const since = new Date(this.clock.now().getTime() - LINK_LIFETIME_MS);
    const [row] = await tx.query<{ open: number }>(
      `SELECT count(*)::int AS open FROM gateway_upload
        WHERE organization_id = $1 AND key_id = $2 AND created_at > $3 AND in_parts AND asset_id IS NULL`,
      [tx.organizationId, keyId, since],
    );
    if ((row?.open ?? 0) < MAX_OPEN_IN_PARTS) return;
    throw new ColophonError(
      'conflict',
      `At most ${MAX_OPEN_IN_PARTS} files may be on their way in parts. Complete them; one that is given up counts for an hour.`,
    );
  }

  /** One that was announced to come in parts, whether it is whole already or not. @throws ColophonError `not_found` */
  async inParts(principal: Principal, id: string): Promise<AnnouncedFile> {
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const row = await this.row(tx, principal, id);
      if (!row.in_parts) throw noFile();
      return this.fileOf(tx, row);
    });
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
    const { file } = await this.receiveFiles.receive(principal, place, inForce, { file: sent }, 'media');
    return this.organizationTx.run(principal.organizationId, (tx) =>
      this.keep(tx, owner, inForce, { assetId: file?.assetId, inParts: false }),
    );
  }

  private async keep(
    tx: Tx,
    { principal, place, vendor }: JobOwner,
    { useCaseId }: SettingsInForce,
    { assetId, inParts }: { readonly assetId: string | undefined; readonly inParts: boolean },
  ): Promise<AnnouncedFile> {
    const id = newId();
    const createdAt = this.clock.now();
    await tx.query(
      `INSERT INTO gateway_upload
         (organization_id, id, vendor, key_id, project_id, use_case_id, asset_id, created_at, in_parts)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        tx.organizationId,
        id,
        vendor,
        principal.keyId,
        place.projectId,
        useCaseId,
        assetId ?? null,
        createdAt,
        inParts,
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
    const sent: SentFile = { stagedPath, sha256: await hashFile(stagedPath), fileName: undefined };
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
    const { file } = await this.receiveFiles.receive(principal, place, inForce, { file: sent }, 'media');
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const kept = await tx.query(
        `UPDATE gateway_upload SET asset_id = $3
          WHERE organization_id = $1 AND id = $2 AND (asset_id IS NULL OR asset_id = $3) RETURNING id`,
        [tx.organizationId, id, file?.assetId],
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
          AND f.created_at > now() - interval '30 days'
          AND ($4::uuid IS NULL OR (f.project_id = $4 AND u.name = $5))`,
      [tx.organizationId, id, keyId, place?.projectId ?? null, place?.useCase ?? null],
    );
    if (!row) throw noFile();
    return row;
  }

  private async fileOf(tx: Tx, row: UploadRow): Promise<AnnouncedFile> {
    return { id: row.id, createdAt: row.created_at, asset: await this.assetOf(tx, row) };
  }

  private async assetOf(tx: Tx, { asset_id: assetId }: UploadRow): Promise<Asset | undefined> {
    return assetId === null ? undefined : this.assets.get(tx, assetId);
  }
}

function noFile(): ColophonError {
  return new ColophonError('not_found', 'There is no such file here.');
}

function sentAlready(): ColophonError {
  return new ColophonError('conflict', 'Another file was sent to this address already. Announce a new one.');
}
