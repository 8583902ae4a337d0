import { type AssetIntake } from '../../../assets/application/asset-intake.js';
import { type ReceivedFile } from '../../../assets/application/receive-file.js';
import { type UploadAsset } from '../../../assets/application/upload-asset.js';
import { isStillImageType } from '../../../assets/domain/media-probe/still-image-type.js';
import { type OrganizationTx } from '../../../database/organization-tx.js';
import { type Principal } from '../../../identity/domain/principal.js';
import { ColophonError } from '../../../shared/errors.js';
import { canonicalJson } from '../../../shared/canonical-json.js';
import { type GatewayPlace, type SentPicture } from '../domain/gateway-call.js';
import { type SettingsInForce } from './gateway-settings-of-use-case.js';

/** A picture that retention has taken since (migration 0035) is received anew. */
const IS_THERE = `NOT EXISTS (SELECT 1 FROM content_removal m WHERE m.organization_id = a.organization_id
  AND m.kind = 'asset' AND m.thing_id = a.id AND m.revoked_at IS NULL)`;

/**
 * Pictures that came with a call become assets. What this program signed itself is found again by its bytes and keeps
 * its history. Anything else is received under the rights that the settings declare, once: a picture that is sent with
 * a thousand calls is one asset.
 */
export class ReceivePictures {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly intake: Pick<AssetIntake, 'probe'>,
    private readonly uploadAsset: UploadAsset,
  ) {}

  /**
   * @returns ids of assets (UUIDs) by the names of the pictures
   * @throws ColophonError `input_rights_undeclared`, `not_a_picture`, and what an upload throws
   */
  async receive(
    principal: Principal,
    place: GatewayPlace,
    inForce: SettingsInForce,
    pictures: Readonly<Record<string, SentPicture>>,
  ): Promise<Record<string, string>> {
    const files = await Promise.all(
      Object.entries(pictures).map(async ([name, sent]) => ({ name, file: await this.probe(name, sent) })),
    );
    const assets: Record<string, string> = {};
    const received = new Map<string, string>();
    for (const { name, file } of files) {
      const assetId =
        received.get(file.sha256) ??
        (await this.known(principal, place, inForce, file.sha256)) ??
        (await this.upload(principal, place, inForce, file));
      received.set(file.sha256, assetId);
      assets[name] = assetId;
    }
    return assets;
  }

  private async probe(name: string, { stagedPath, sha256 }: SentPicture): Promise<ReceivedFile> {
    const media = await this.intake.probe.probe({ path: stagedPath });
    if (!isStillImageType(media.mediaType))
      throw new ColophonError(
        'not_a_picture',
        `"${name}" is of the type ${media.mediaType}; models here work on still pictures.`,
      );
    // No name: SDKs make them up, and one that contradicts the bytes says nothing about the picture.
    return { ...media, stagedPath, sha256, fileName: undefined };
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
    file: ReceivedFile,
  ): Promise<string> {
    if (settings.inputRights === null) {
      throw new ColophonError(
        'input_rights_undeclared',
        'A picture was sent that was not made here, and this use case declares no rights in pictures that SDKs send.',
      );
    }
    const request = { projectId, file, rights: settings.inputRights, gatewaySettingsSha256: sha256 };
    const asset = await this.uploadAsset.upload(principal, request, () => Promise.resolve());
    return asset.id;
  }
}
