import { type FastifyRequest } from 'fastify';
import { type Asset } from '../../../assets/domain/asset.js';
import { type PublicAddress } from '../../../http/public-address.js';
import { type Principal } from '../../../identity/domain/principal.js';
import { type CapabilityLinks } from '../application/capability-links.js';
import { addressOfAsset } from '../domain/asset-address.js';

/** Whole addresses of files that work without our key. A class, so that it can be injected. */
export class CapabilityAddresses {
  constructor(
    private readonly links: CapabilityLinks,
    private readonly publicAddress: PublicAddress,
  ) {}

  of(request: FastifyRequest, principal: Principal, asset: Pick<Asset, 'id' | 'mediaType'>): string {
    return addressOfAsset(this.baseOf(request), this.links.issue(principal, asset.id), asset);
  }

  /** Of this service, without a trailing slash. */
  baseOf(request: FastifyRequest): string {
    return this.publicAddress.of(request);
  }
}
