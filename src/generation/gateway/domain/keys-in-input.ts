import { holdsApiKey } from '../../../identity/domain/api-key.js';
import { type RunValue } from '../../domain/definition-words.js';
import { type GatewayCall } from './gateway-call.js';
import { invalid } from './job-input.js';

/**
 * A key inside of an input would go to the vendor, or to the host of an address, and be kept with the run. Clients put it
 * there by mistake or by themselves: replicate 1.4.0 adds its `auth` to inputs when files are sent as data URIs.
 * @throws ColophonError `invalid_request`
 */
export function refuseKeysIn({ parameters, addresses = {} }: Pick<GatewayCall, 'parameters' | 'addresses'>) {
  for (const [name, value] of Object.entries({ ...parameters, ...addresses }))
    if (holdsKey(value))
      throw invalid(
        name,
        'holds an API key of this service, which would go to others; it belongs in the header alone, and one that was sent elsewhere should be revoked',
      );
}

function holdsKey(value: RunValue): boolean {
  if (typeof value === 'string') return holdsApiKey(value);
  return typeof value === 'object' && Object.values(value).some(holdsKey);
}
