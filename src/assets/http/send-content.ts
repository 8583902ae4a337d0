import { type FastifyReply } from 'fastify';
import { type IncomingHttpHeaders } from 'node:http';
import { type RequestedRange, requestedRange } from '../../http/byte-range.js';
import { isHeldAlready } from '../../http/conditional.js';
import { fileExtensionOf, signableMediaType } from '../../provenance/domain/media-types.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type ReadAsset, type Reader } from '../application/read-asset.js';
import { type Asset } from '../domain/asset.js';

/**
 * The signed file, or a part of it, by whatever address it was asked for.
 * @throws ColophonError `not_found`, `range_not_satisfiable`, `audit_unavailable`, `storage_unavailable`
 */
export async function sendContent(
  readAsset: ReadAsset,
  reader: Reader,
  id: string,
  headers: IncomingHttpHeaders,
  reply: FastifyReply,
): Promise<void> {
  const { asset, body, range } = await readAsset.content(reader, id, {
    isHeld: (sha256) => isHeldAlready(headers['if-none-match'], `"${sha256}"`),
    rangeOf: ({ sha256, sizeBytes }) => {
      // Stays when the range is refused: then it says how much there is (RFC 9110 section 14.4).
      void reply.header('content-range', `bytes */${sizeBytes}`);
      const asked = { range: headers.range, ifRange: headers['if-range'] as string | undefined };
      return requestedRange(asked, `"${sha256}"`, sizeBytes);
    },
  });
  void reply.removeHeader('content-range').headers({
    'cache-control': 'private, no-store',
    etag: `"${asset.sha256}"`,
    ...linkToManifest(asset),
  });
  if (body === undefined) return reply.status(304).send();
  await reply
    .status(range ? 206 : 200)
    .headers(contentHeaders(asset, range))
    .send(body);
}

/** C2PA 2.4 section 11.4: how a validator finds a manifest that is not in the file. */
function linkToManifest({ id, manifestPlacement }: Asset): Record<string, string> {
  if (manifestPlacement === 'embedded') return {};
  return { link: `</v1/assets/${publicId('asset', id)}/manifest>; rel="c2pa-manifest"` };
}

/** Bytes of strangers are never shown as a page of this origin, whatever they are: always a download, and no type but ours. */
function contentHeaders(asset: Asset, range: RequestedRange | undefined): Record<string, string> {
  const { sizeBytes, mediaType } = asset;
  const sentBytes = range ? range.last - range.first + 1 : sizeBytes;
  return {
    'content-type': mediaType === 'text/plain' ? 'text/plain; charset=utf-8' : mediaType,
    'content-length': String(sentBytes),
    'accept-ranges': 'bytes',
    'content-security-policy': "default-src 'none'; sandbox",
    ...attachment(asset, fileExtension(mediaType)),
    ...(range && { 'content-range': `bytes ${range.first}-${range.last}/${sizeBytes}` }),
  };
}

/** RFC 6266. The name is ours: an id and an extension, in ASCII. */
export function attachment({ id }: Asset, extension: string): Record<string, string> {
  return { 'content-disposition': `attachment; filename="${publicId('asset', id)}.${extension}"` };
}

function fileExtension(mediaType: string): string {
  const signable = signableMediaType(mediaType);
  if (signable !== undefined) return fileExtensionOf(signable);
  throw new ColophonError('internal', 'The asset has a media type that cannot be served.');
}
