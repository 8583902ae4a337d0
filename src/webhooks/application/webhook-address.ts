import { type OutboundPolicy } from '../../outbound/guarded-fetch.js';
import { urlBlocked } from '../../outbound/outbound-error.js';
import { parseOutboundUrl } from '../../outbound/outbound-target.js';
import { resolverFor } from '../../outbound/resolve-name.js';

/** An address that was judged, with the host by which people know it: with its port where it is not the usual one. */
export interface WebhookAddress {
  readonly url: string;
  readonly host: string;
}

/**
 * Whether a webhook may be sent to an address. Asked when an endpoint is set, outside of a transaction because it asks
 * the name service, and again by the guarded fetch for each delivery, on the very connection: what a name leads to can
 * change.
 */
export class WebhookAddresses {
  constructor(private readonly outbound: OutboundPolicy) {}

  /** @throws OutboundError `url_blocked` */
  async judge(url: string): Promise<WebhookAddress> {
    const target = parseOutboundUrl(url, this.outbound.allowedPrivateHosts ?? []);
    // A name that leads nowhere today is no reason to refuse it; one that leads inside is.
    const addresses = await (this.outbound.resolver ?? resolverFor(target))(target.hostname).catch(
      () => undefined,
    );
    if (addresses !== undefined && !addresses.some(({ address }) => target.mayConnectTo(address)))
      throw urlBlocked('the host has no public address');
    return { url, host: target.url.host };
  }
}
