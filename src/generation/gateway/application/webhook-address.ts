import { type OutboundPolicy } from '../../../outbound/guarded-fetch.js';
import { urlBlocked } from '../../../outbound/outbound-error.js';
import { parseOutboundUrl } from '../../../outbound/outbound-target.js';
import { systemResolver } from '../../../outbound/pinned-connector.js';

const MAX_CHARACTERS = 2048;

/**
 * Whether a webhook may be sent to an address, judged before a job is accepted. It is judged again for each delivery, on
 * the very connection: what a name leads to can change.
 */
export class WebhookAddresses {
  constructor(private readonly outbound: OutboundPolicy) {}

  /** @throws OutboundError `url_blocked` */
  async check(url: string): Promise<void> {
    if (url.length > MAX_CHARACTERS) throw urlBlocked('the address is too long');
    const { hostname, mayConnectTo } = parseOutboundUrl(url, this.outbound.allowedPrivateHosts ?? []);
    const resolver = this.outbound.resolver ?? systemResolver;
    // A name that leads nowhere today is no reason to refuse a job; one that leads inside is.
    const addresses = await resolver(hostname).catch(() => undefined);
    if (addresses !== undefined && !addresses.some(({ address }) => mayConnectTo(address)))
      throw urlBlocked('the host has no public address');
  }
}
