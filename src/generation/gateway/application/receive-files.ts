import { type AssetIntake } from '../../../assets/application/asset-intake.js';
import { type ReceivedFile } from '../../../assets/application/receive-file.js';
import { type UploadAsset } from '../../../assets/application/upload-asset.js';
import { isStillImageType } from '../../../assets/domain/media-probe/still-image-type.js';
import { type OrganizationTx } from '../../../database/organization-tx.js';
import { type Principal } from '../../../identity/domain/principal.js';
import { ColophonError } from '../../../shared/errors.js';
import { canonicalJson } from '../../../shared/canonical-json.js';
import { type GatewayPlace, type SentFile } from '../domain/gateway-call.js';
import { type MediaKind, mediaKindOf } from '../../domain/media-kind.js';
import { type SettingsInForce } from './gateway-settings-of-use-case.js';

/** A file that retention has taken since (migration 0035) is received anew. */
const IS_THERE = `NOT EXISTS (SELECT 1 FROM content_removal m WHERE m.organization_id = a.organization_id
  AND m.kind = 'asset' AND m.thing_id = a.id AND m.revoked_at IS NULL)`;

/** A file of a call as an asset. */
export interface ReceivedInput {
  /** UUID. */
  readonly assetId: string;
  readonly kind: MediaKind;
}

/** Of the files of a call: still pictures alone, or everything that models on fal and Replicate work on. */
export type AcceptedFiles = 'pictures' | 'media';

/**
 * Files that came with a call become assets. What this program signed itself is found again by its bytes and keeps
 * its history. Anything else is received under the rights that the settings declare, once: a picture that is sent with
 * a thousand calls is one asset.
 */
export class ReceiveFiles {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly intake: Pick<AssetIntake, 'probe'>,
    private readonly uploadAsset: UploadAsset,
  ) {}

  /**
   * @returns by the names of the files
   * @throws ColophonError `input_rights_undeclared`, `not_a_picture`, `gateway_unsupported`, and what an upload throws
   */
  async receive(
    principal: Principal,
    place: GatewayPlace,
    inForce: SettingsInForce,
    files: Readonly<Record<string, SentFile>>,
    accepted: AcceptedFiles,
  ): Promise<Record<string, ReceivedInput>> {
    const looked: { name: string; file: LookedAt }[] = [];
    // One after the other: each is looked at in a process of its own, and a call may name eight.
    for (const [name, sent] of Object.entries(files))
      looked.push({ name, file: await this.lookAt(name, sent, accepted) });
    const inputs: Record<string, ReceivedInput> = {};
    const received = new Map<string, string>();
    for (const { name, file } of looked) {
      const assetId =
        received.get(file.sha256) ??
        (await this.known(principal, place, inForce, file.sha256)) ??
        (await this.upload(principal, place, inForce, file));
      received.set(file.sha256, assetId);
      inputs[name] = { assetId, kind: file.inputKind };
    }
    return inputs;
  }

  /** Kinds of assets by their ids; one that is not there is left out, and refused when the run is accepted. */
  async kindsOf({ organizationId }: Principal, assetIds: readonly string[]): Promise<Map<string, MediaKind>> {
    if (assetIds.length === 0) return new Map();
    const rows = await this.organizationTx.run(organizationId, (tx) =>
      tx.query<{ id: string; media_type: string }>(
        'SELECT id, media_type FROM asset WHERE organization_id = $1 AND id = ANY($2::uuid[])',
        [organizationId, assetIds],
      ),
    );
    return new Map(
      rows.flatMap(({ id, media_type }) => {
        const kind = mediaKindOf(media_type);
        return kind === undefined ? [] : [[id, kind] as const];
      }),
    );
  }

  private async lookAt(
    name: string,
    { stagedPath, sha256, address }: SentFile,
    accepted: AcceptedFiles,
  ): Promise<LookedAt> {
    const media = await this.intake.probe.probe({ path: stagedPath });
    const kind = mediaKindOf(media.mediaType);
    if (accepted === 'pictures' || kind === 'image') requireStill(name, media.mediaType);
    if (kind === undefined)
      throw new ColophonError(
        'gateway_unsupported',
        `"${name}" is of the type ${media.mediaType}; models here work on pictures, videos, sound and 3D models.`,
      );
    // No name: SDKs make them up, and one that contradicts the bytes says nothing about the file.
    return { ...media, stagedPath, sha256, fileName: undefined, inputKind: kind, address };
  }

  private async known(
    { organizationId, mode }: Principal,
    { projectId }: GatewayPlace,
    { settings }: SettingsInForce,
    sha256: string,
  ): Promise<string | undefined> {
    const { inputRights } = settings;
    return this.organizationTx.run(organizationId, async (tx) => {
      const [made] = await tx.query<{ id: string }>(
        `SELECT id FROM asset a WHERE organization_id = $1 AND sha256 = $2 AND mode = $3 AND ${IS_THERE} ORDER BY id LIMIT 1`,
        [organizationId, sha256, mode],
      );
      if (made || inputRights === null) return made?.id;
      const rights = canonicalJson(inputRights).toString('utf8');
      const [received] = await tx.query<{ id: string }>(
        `SELECT id FROM asset a WHERE organization_id = $1 AND original_sha256 = $2 AND mode = $3 AND project_id = $4
            AND ${IS_THERE} AND origin = 'upload' AND rights = $5::jsonb ORDER BY id LIMIT 1`,
        [organizationId, sha256, mode, projectId, rights],
      );
      return received?.id;
    });
  }

  private async upload(
    principal: Principal,
    { projectId }: GatewayPlace,
    { settings, sha256 }: SettingsInForce,
    file: LookedAt,
  ): Promise<string> {
    if (settings.inputRights === null) {
      throw new ColophonError(
        'input_rights_undeclared',
        'A file was sent that was not made here, and this use case declares no rights in files that SDKs send.',
      );
    }
    const { address, ...received } = file;
    const request = {
      projectId,
      file: received,
      rights: settings.inputRights,
      gatewaySettingsSha256: sha256,
      ...(address === undefined ? {} : { fetchedFrom: address }),
    };
    const asset = await this.uploadAsset.upload(principal, request, () => Promise.resolve());
    return asset.id;
  }
}

type LookedAt = ReceivedFile & { readonly inputKind: MediaKind; readonly address: string | undefined };

function requireStill(name: string, mediaType: string): void {
  if (isStillImageType(mediaType)) return;
  throw new ColophonError(
    'not_a_picture',
    `"${name}" is of the type ${mediaType}; models here work on still pictures.`,
  );
}
