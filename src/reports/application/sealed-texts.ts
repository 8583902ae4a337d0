import { type ReadErasures } from '../../audit/application/read-erasures.js';
import { type LoggedEntry } from '../../audit/application/read-log.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type Tx } from '../../database/organization-tx.js';
import { type DossierErasure } from '../domain/dossier.js';

/** A text that people wrote, or when and why it was erased, or neither: then there never was one. */
export interface SealedText {
  readonly text: string | undefined;
  readonly erased: DossierErasure | undefined;
}

/** What lies behind the commitments that a report shows in clear. */
export class SealedTexts {
  constructor(
    private readonly vault: SubjectVault,
    private readonly erasures: ReadErasures,
  ) {}

  /** A text that a row of ours keeps encrypted. */
  async ofRow(tx: Tx, subjectId: string, sealed: string, sealedAt: Date): Promise<SealedText> {
    const text = await this.vault.decrypt(tx, subjectId, sealed);
    return { text, erased: text === undefined ? await this.erasure(tx, subjectId, sealedAt) : undefined };
  }

  /**
   * A text that only the opening of an entry holds.
   * @param entry the entry that seals it, if there is one
   * @param subjectId whose text it is: when the opening is gone, nothing else tells
   */
  async ofEntry(
    tx: Tx,
    entry: LoggedEntry | undefined,
    field: string,
    subjectId: string,
  ): Promise<SealedText> {
    const { sealed } = entry ? (JSON.parse(entry.entry.toString('utf8')) as { sealed?: object }) : {};
    if (entry === undefined || sealed === undefined || !Object.hasOwn(sealed, field))
      return { text: undefined, erased: undefined };
    const [opening] = await tx.query<{ subject_id: string; sealed_opening: string }>(
      `SELECT subject_id, sealed_opening FROM audit_opening
        WHERE organization_id = $1 AND entry_id = $2 AND field = $3`,
      [tx.organizationId, entry.entryId, field],
    );
    const plain = opening && (await this.vault.decrypt(tx, opening.subject_id, opening.sealed_opening));
    if (plain === undefined)
      return { text: undefined, erased: await this.erasure(tx, subjectId, entry.recordedAt) };
    return { text: (JSON.parse(plain) as { value: string }).value, erased: undefined };
  }

  private async erasure(tx: Tx, subjectId: string, sealedAt: Date): Promise<DossierErasure> {
    const erasure = await this.erasures.ofValue(tx, subjectId, sealedAt);
    return { erasedAt: erasure?.erasedAt.toISOString(), reason: erasure?.reason };
  }
}
