import { type Asset } from '../../../assets/domain/asset.js';
import { fileExtensionOf, signableMediaType } from '../../../provenance/domain/media-types.js';
import { publicId } from '../../../shared/ids.js';

/** The name at the end of an address is for people, and for clients that look at the extension. */
export function fileNameOf({ id, mediaType }: Pick<Asset, 'id' | 'mediaType'>): string {
  const signable = signableMediaType(mediaType);
  return `${publicId('asset', id)}.${signable === undefined ? 'bin' : fileExtensionOf(signable)}`;
}

/** @param baseUrl of this service, without a trailing slash @param token that opens the asset without our key */
export function addressOfAsset(
  baseUrl: string,
  token: string,
  asset: Pick<Asset, 'id' | 'mediaType'>,
): string {
  return `${baseUrl}/gateway/files/${token}/${fileNameOf(asset)}`;
}

/** A file that was announced, before and after it came. */
export function addressOfUpload(baseUrl: string, token: string): string {
  return `${baseUrl}/gateway/fal/uploads/${token}/file`;
}

const OWN_ADDRESS = /^\/gateway\/(?:files|fal\/uploads)\/([A-Za-z0-9_-]{90})(?:\/|$)/;

/** The token in an address that was given out here, whatever host it was reached by. */
export function tokenIn(address: string): string | undefined {
  return URL.canParse(address) ? OWN_ADDRESS.exec(new URL(address).pathname)?.[1] : undefined;
}
