import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Clock } from '../../../shared/clock.js';
import { type ChangeKeys } from '../../application/keys/change-keys.js';
import { type KeyGenerations } from '../../application/keys/key-generations.port.js';
import { type KeyGeneration, type KeyPurpose } from '../../domain/key-generation.js';
import { issueDevelopmentCertificate } from '../development-authority.js';
import { openFileKeystore } from '../file-keystore.js';
import { exists, readSecret } from './file/secret-pem-files.js';
import { FileSigningKeys } from './file/file-signing-keys.js';

const REFERENCES: Readonly<Record<KeyPurpose, string>> = {
  claim: 'claim-key.pem',
  report: 'report-key.pem',
};

/** The keys of an installation that nobody has brought keys to: in files, certified by an authority of its own. */
export class DevelopmentKeys {
  private readonly files: FileSigningKeys;

  constructor(
    private readonly folder: string,
    private readonly generations: KeyGenerations,
    private readonly changeKeys: ChangeKeys,
    private readonly clock: Clock,
  ) {
    this.files = new FileSigningKeys(folder);
  }

  /**
   * Sees to it that something is active. What lies in the folder from before there was a register is taken over. Crash
   * anywhere: files that are there are used by the next start.
   */
  async ensure(): Promise<void> {
    if ((await this.generations.active('claim')) === undefined) {
      const { claimKey } = await openFileKeystore({ folder: this.folder, clock: this.clock });
      await this.changeKeys.adopt('claim', `file:${REFERENCES.claim}`, claimKey.certificateChainPem);
    }
    if ((await this.generations.active('report')) === undefined) await this.make('report', REFERENCES.report);
  }

  /** A new key with its certificate, active at once; a new authority, too, where the old one is gone. */
  async rotate(purpose: KeyPurpose): Promise<KeyGeneration> {
    if (!(await exists(join(this.folder, 'claim-ca.pem'))))
      await openFileKeystore({ folder: this.folder, clock: this.clock });
    const day = this.clock.now().toISOString().slice(0, 10);
    return this.make(purpose, `${purpose}-key-${day}-${randomBytes(4).toString('hex')}.pem`);
  }

  private async make(purpose: KeyPurpose, name: string): Promise<KeyGeneration> {
    const reference = { scheme: 'file', path: name } as const;
    if (!(await exists(join(this.folder, name)))) await this.files.create(reference, 'es256');
    const { publicKey } = await this.files.open(reference);
    const chain = await issueDevelopmentCertificate({
      purpose,
      publicKey,
      caCertificatePem: await readSecret(join(this.folder, 'claim-ca.pem')),
      caKeyPem: await readSecret(join(this.folder, 'claim-ca-key.pem')),
      clock: this.clock,
    });
    return this.changeKeys.adopt(purpose, `file:${name}`, chain);
  }
}
