import { parseOutboundUrl, type AllowedPrivateHosts } from '../../../outbound/outbound-target.js';
import { isColophonError } from '../../../shared/errors.js';
import { type ProviderOutput } from '../../domain/provider.port.js';

const DATA_URI = /^data:[a-z]{1,20}\/[a-z0-9.+-]{1,64};base64,/;

/** A result that cannot be used. The reason is for people and holds nothing of the answer. */
export class UnusableResultError extends Error {}

/**
 * A file that a vendor names by address, or gives as a data URI.
 * @throws UnusableResultError for a malformed one, and for an address that must not be fetched
 */
export function toOutput(url: string, allowedPrivateHosts: AllowedPrivateHosts): ProviderOutput {
  if (url.startsWith('data:')) return { kind: 'bytes', bytes: decodeDataUri(url) };
  try {
    parseOutboundUrl(url, allowedPrivateHosts);
  } catch (error) {
    if (!isColophonError(error, 'url_blocked')) throw error;
    throw new UnusableResultError('the result names an address that must not be fetched');
  }
  return { kind: 'url', url };
}

function decodeDataUri(uri: string): Buffer {
  const prefix = DATA_URI.exec(uri)?.[0];
  const bytes = decodeBase64(prefix === undefined ? '' : uri.slice(prefix.length));
  if (bytes === undefined) throw new UnusableResultError('the result holds a malformed data URI');
  return bytes;
}

/** Padded base64 of at least one byte (RFC 4648 section 4), else `undefined`. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  // Node skips what is not base64; a longer text than its bytes account for was not base64.
  if (bytes.byteLength === 0 || Math.ceil(bytes.byteLength / 3) * 4 !== text.length) return undefined;
  return bytes;
}

/** Claims of a vendor: what it did not say is left out. */
export function claims(
  stated: Readonly<Record<string, string | number | boolean | undefined>>,
): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(stated).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}
