import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type ActorKind } from '../../audit/core/entry-types.js';
import { type Tx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type IdentityIssuer, type IssuedCredential } from '../../provenance/domain/identity-issuer.port.js';
import { type IdentityKey } from '../../provenance/domain/identity-key.port.js';
import { type Naming } from '../../provenance/domain/named-actor.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';

/** Opens and checks a credential: certificates are parsed by an adapter. */
export type OpenIdentityKey = (credential: IssuedCredential, now: Date) => IdentityKey;

type CredentialSource = 'development_authority' | 'imported';
type Actor = { readonly kind: ActorKind; readonly id: string };

/** Credentials of one holder: one a year, and one for each time a clock was wrong. */
const MAX_LOOKED_AT = 20;

interface Holder {
  readonly kind: 'organization' | 'principal';
  /** UUID. */
  readonly id: string;
}

/**
 * The keys by which the organization and its people are named in manifests (`cawg.identity`). A key of the development
 * authority is made when it is first needed, or anew when it has ended; an imported one is never replaced by the program.
 * Without that authority, in production, nobody is named until somebody has imported a credential.
 */
export class NamedActors {
  constructor(
    private readonly vault: SubjectVault,
    private readonly appendEntry: AppendEntry,
    private readonly issuer: IdentityIssuer | undefined,
    private readonly openKey: OpenIdentityKey,
    private readonly clock: Clock,
  ) {}

  async organization(tx: Tx, name: string): Promise<Naming | undefined> {
    const holder = { kind: 'organization', id: tx.organizationId } as const;
    return this.naming(tx, holder, (issuer) => issuer.issue({ organization: name, person: undefined }));
  }

  /** A person's name enters a file that leaves: only call it when the person or the project asked for that. */
  async person(tx: Tx, principalId: string, organizationName: string): Promise<Naming | undefined> {
    const holder = { kind: 'principal', id: principalId } as const;
    return this.naming(tx, holder, async (issuer) =>
      issuer.issue({ organization: organizationName, person: await this.displayName(tx, principalId) }),
    );
  }

  async displayName(tx: Tx, principalId: string): Promise<string> {
    const [row] = await tx.query<{ display_name: string }>(
      'SELECT display_name FROM principal WHERE organization_id = $1 AND id = $2',
      [tx.organizationId, principalId],
    );
    if (row === undefined) throw new Error(`there is no principal ${principalId}`);
    return row.display_name;
  }

  /** @throws ColophonError `invalid_request` when the credential does not fit the profile */
  async install(tx: Tx, actor: Actor, credential: IssuedCredential): Promise<IdentityKey> {
    return this.keep(tx, { kind: 'organization', id: tx.organizationId }, credential, 'imported', actor);
  }

  private async naming(
    tx: Tx,
    holder: Holder,
    issue: (issuer: IdentityIssuer) => Promise<IssuedCredential>,
  ): Promise<Naming | undefined> {
    const held =
      (await this.current(tx, holder)) ??
      (this.issuer &&
        (await this.keep(tx, holder, await issue(this.issuer), 'development_authority', SYSTEM_ACTOR)));
    return held && { key: held.key, isTrustedHere: held.isTrustedHere };
  }

  /**
   * What somebody imported counts before what the program made for itself; of either kind, the newest. Of its own, those
   * that are not valid now are passed over: ids tell the time, and a clock that ran ahead may have made one for later.
   */
  private async current(tx: Tx, holder: Holder): Promise<IdentityKey | undefined> {
    const rows = await tx.query<{ sealed_credential: string; source: CredentialSource }>(
      `SELECT sealed_credential, source FROM identity_credential WHERE organization_id = $1 AND holder_id = $2
        ORDER BY source = 'imported' DESC, id DESC LIMIT ${MAX_LOOKED_AT}`,
      [tx.organizationId, holder.id],
    );
    for (const { sealed_credential: sealed, source } of rows) {
      if (source === 'development_authority' && this.issuer === undefined) continue;
      const opened = await this.vault.decrypt(tx, holder.id, sealed);
      const key = opened === undefined ? undefined : this.openHeld(opened, source);
      if (key !== undefined) return key;
    }
    return undefined;
  }

  private openHeld(credential: string, source: CredentialSource): IdentityKey | undefined {
    try {
      return this.openKey(JSON.parse(credential) as IssuedCredential, this.clock.now());
    } catch (error) {
      // An imported certificate that has ended is for people to replace: nobody signs in its place under another authority.
      if (source === 'development_authority') return undefined;
      throw new ColophonError(
        'signer_unavailable',
        'The credential by which the organization is named in manifests cannot be used any more. Install a new one.',
        { cause: error },
      );
    }
  }

  private async keep(
    tx: Tx,
    holder: Holder,
    credential: IssuedCredential,
    source: CredentialSource,
    actor: Actor,
  ): Promise<IdentityKey> {
    const opened = this.openKey(credential, this.clock.now());
    const holderId = publicId(holder.kind, holder.id);
    const entryId = await this.appendEntry.append(tx, {
      type: 'identity_credential.installed',
      actor,
      subject: { kind: holder.kind, id: holderId },
      data: { holderKind: holder.kind, holderId, source, certificateSha256: opened.certificateSha256 },
    });
    await tx.query(
      `INSERT INTO identity_credential
         (organization_id, id, holder_kind, holder_id, sealed_credential, certificate_sha256, source, entry_id, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        tx.organizationId,
        newId(),
        holder.kind,
        holder.id,
        await this.vault.encrypt(tx, holder.id, JSON.stringify(credential)),
        opened.certificateSha256,
        source,
        entryId,
        this.clock.now(),
      ],
    );
    return opened;
  }
}
