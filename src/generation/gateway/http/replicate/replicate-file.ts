import { publicId } from '../../../../shared/ids.js';
import { type AnnouncedFile } from '../../application/announced-files.js';
import { type JobOwner } from '../../application/gateway-jobs.js';
import { fileNameOf } from '../../domain/asset-address.js';

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ADDRESS =
  /^\/gateway\/replicate\/p\/(prj_[0-9a-f]{32})\/([a-z][a-z0-9-]{0,59})\/v1\/files\/([0-9a-f-]{36})$/;
/** As an address of the gateway says it; the asset itself stays. */
const SHOWN_HOURS = 24;

/** `undefined` for what cannot be the id of a file. */
export function readFileId(id: string): string | undefined {
  return ID.test(id) ? id : undefined;
}

/** The id in an address that `files.create` answered with, for the same project and use case. */
export function fileIdIn({ place }: JobOwner, address: string): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const [, project, useCase, id = ''] = ADDRESS.exec(new URL(address).pathname) ?? [];
  const isHere = project === publicId('project', place.projectId) && useCase === place.useCase;
  return isHere ? readFileId(id) : undefined;
}

/** A file of Replicate. `name` is ours: what people call their files is not shown again. */
export function fileView({ id, createdAt, asset }: AnnouncedFile, root: string): Record<string, unknown> {
  const expiresAt = new Date(createdAt.getTime() + SHOWN_HOURS * 3_600_000);
  return {
    id,
    name: asset === undefined ? null : fileNameOf(asset),
    content_type: asset?.mediaType ?? null,
    size: asset?.sizeBytes ?? 0,
    etag: asset?.sha256 ?? null,
    checksums: asset === undefined ? {} : { sha256: asset.sha256 },
    metadata: {},
    created_at: createdAt.toISOString(),
    expires_at: expiresAt.toISOString(),
    urls: { get: `${root}/files/${id}` },
  };
}
