import { parseOutboundUrl, type AllowedPrivateHosts } from '../../../outbound/outbound-target.js';
import { decodeBase64 } from '../../../shared/bytes.js';
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

/** Claims of a vendor: what it did not say is left out. */
export function claims(
  stated: Readonly<Record<string, string | number | boolean | undefined>>,
): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(stated).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}
