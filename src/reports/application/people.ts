import { type Tx } from '../../database/organization-tx.js';
import { publicId } from '../../shared/ids.js';
import { type DossierPerson } from '../domain/dossier.js';

/** Names of principals, looked up once per report. */
export class People {
  private readonly names = new Map<string, Promise<string | undefined>>();

  constructor(private readonly tx: Tx) {}

  async named(principalId: string): Promise<DossierPerson> {
    let name = this.names.get(principalId);
    if (!name) {
      name = this.find(principalId);
      this.names.set(principalId, name);
    }
    return { principalId: publicId('principal', principalId), displayName: await name };
  }

  /** Everyone who was named so far: the people whose erasure a report does not survive. */
  get principalIds(): string[] {
    return [...this.names.keys()];
  }

  private async find(principalId: string): Promise<string | undefined> {
    const [row] = await this.tx.query<{ display_name: string | null }>(
      'SELECT display_name FROM principal WHERE organization_id = $1 AND id = $2',
      [this.tx.organizationId, principalId],
    );
    return row?.display_name ?? undefined;
  }
}
