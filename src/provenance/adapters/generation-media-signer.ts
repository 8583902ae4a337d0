import { type ActiveKeys } from '../application/keys/active-keys.js';
import { type MediaSigner, type SignedMedia, type SignMediaRequest } from '../domain/media-signer.port.js';
import { C2paMediaSigner, type C2paMediaSignerOptions } from './c2pa-media-signer.js';

/**
 * Signs with whichever key is active when a file comes. A file that has begun ends with the key it began with, also
 * when that is superseded meanwhile; whether it may still be recorded is decided when it is recorded.
 */
export class GenerationMediaSigner implements MediaSigner {
  /** The signer of the newest generation; older ones go with their last file. */
  private newest: { readonly id: string; readonly signer: C2paMediaSigner } | undefined;

  constructor(
    private readonly keys: ActiveKeys,
    private readonly options: Omit<C2paMediaSignerOptions, 'key'>,
    /** Makes the authority of a new key known to this process before its first file is read back. */
    private readonly refreshTrust: () => Promise<void>,
  ) {}

  async sign(request: SignMediaRequest): Promise<SignedMedia> {
    const { generation, key } = await this.keys.current('claim');
    if (this.newest?.id !== generation.id) {
      await this.refreshTrust();
      this.newest = { id: generation.id, signer: new C2paMediaSigner({ ...this.options, key }) };
    }
    return this.newest.signer.sign(request);
  }
}
