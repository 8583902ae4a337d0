import { type FastifyRequest } from 'fastify';
import { type Asset } from '../../../assets/domain/asset.js';
import { type PublicAddress } from '../../../http/public-address.js';
import { type Principal } from '../../../identity/domain/principal.js';
import { fileExtensionOf, signableMediaType } from '../../../provenance/domain/media-types.js';
import { publicId } from '../../../shared/ids.js';
import { type CapabilityLinks } from '../application/capability-links.js';

/** Whole addresses of files that work without our key. A class, so that it can be injected. */
export class CapabilityAddresses {
  constructor(
    private readonly links: CapabilityLinks,
    private readonly publicAddress: PublicAddress,
  ) {}

  /** The name at the end is for people, and for clients that look at the extension. */
  of(
    request: FastifyRequest,
    principal: Principal,
    { id, mediaType }: Pick<Asset, 'id' | 'mediaType'>,
  ): string {
    const signable = signableMediaType(mediaType);
    const name = `${publicId('asset', id)}.${signable === undefined ? 'bin' : fileExtensionOf(signable)}`;
    return `${this.publicAddress.of(request)}/gateway/files/${this.links.issue(principal, id)}/${name}`;
  }
}
