import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { applyCurations, type Correction, type Evidence, factOf } from '../domain/curation.js';
import { type Listing, type ListingId } from '../domain/listing.js';
import { type RecordedCuration, type RegistryState } from '../domain/registry-state.js';
import { affectedBy, type Affected } from './affected-decisions.js';
import { type EffectiveRegistry, type RegistryChange } from './effective-registry.js';
import { requireOtherEyes } from './require-other-eyes.js';

const MAX_NAMED = 200;

export interface CurationRequest {
  readonly listingId: ListingId;
  readonly correction: Correction;
  readonly evidence: Evidence;
  readonly reason: string;
}

export interface RecordedCurationWithEffect extends RecordedCuration {
  readonly affected: Affected;
}

/** What validation says of a corrected listing, for the person who wrote the correction. */
export type RefuseCorrection = (error: unknown) => never;

/**
 * A person corrects one fact of a listing with evidence. It never replaces the record: a later curation of the same
 * fact stands before it. Not by somebody whose own run waits because of this listing: that takes other eyes.
 */
export class RecordCuration {
  constructor(
    private readonly registry: EffectiveRegistry,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
    private readonly refuseCorrection: RefuseCorrection,
  ) {}

  /** @throws ColophonError `unknown_model`, `four_eyes_required`, `invalid_request`, `conflict` */
  async record(
    tx: Tx,
    principal: Principal,
    { listingId, correction, evidence, reason }: CurationRequest,
  ): Promise<RecordedCurationWithEffect> {
    const change = await this.registry.change(tx);
    const base = change.before.base.get(listingId);
    if (!base) throw new ColophonError('unknown_model', 'There is no model listing with this id.');
    await requireOtherEyes(tx, principal, [listingId]);
    await requireKeptText(tx, change.before, correction, evidence);
    const content = { listingId, correction, evidence };
    const curation: RecordedCuration = {
      ...content,
      id: newId(),
      version: change.version,
      sha256: sha256Hex(canonicalJson(content as unknown as JsonValue)),
      createdBy: principal.principalId,
      createdAt: this.clock.now(),
    };
    this.requireListing(base.listing, change.before, curation);
    const fact = factOf(correction);
    await tx.query(
      `INSERT INTO curation
         (organization_id, version, id, listing_id, fact, correction, evidence, sha256, created_by, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        tx.organizationId,
        curation.version,
        curation.id,
        listingId,
        fact,
        JSON.stringify(correction),
        JSON.stringify(evidence),
        curation.sha256,
        curation.createdBy,
        curation.createdAt,
      ],
    );
    const affected = await this.effect(tx, listingId, change);
    await this.log(tx, principal, curation, reason, affected);
    return { ...curation, affected };
  }

  private requireListing(base: Listing, before: RegistryState, curation: RecordedCuration): void {
    const earlier = before.curations.get(curation.listingId) ?? [];
    try {
      applyCurations(base, [...earlier, curation]);
    } catch (error) {
      this.refuseCorrection(error);
    }
  }

  private async effect(tx: Tx, listingId: ListingId, change: RegistryChange): Promise<Affected> {
    const after = await this.registry.after(tx, change);
    return affectedBy(tx, [listingId], change.before, after, this.clock.now());
  }

  private log(
    tx: Tx,
    principal: Principal,
    curation: RecordedCuration,
    reason: string,
    { clearances, waivers }: Affected,
  ): Promise<string> {
    const { evidence, listingId } = curation;
    return this.appendEntry.append(tx, {
      type: 'curation.recorded',
      actor: actorOf(principal),
      subject: { kind: 'curation', id: publicId('curation', curation.id) },
      data: {
        listingId,
        fact: factOf(curation.correction),
        correction: curation.correction.kind,
        sha256: curation.sha256,
        dateRead: evidence.dateRead,
        ...(evidence.textSha256 === null ? {} : { textSha256: evidence.textSha256 }),
        clearances: clearances.length,
        clearanceIds: clearances.slice(0, MAX_NAMED).map((id) => publicId('clearance', id)),
        waivers: waivers.length,
        waiverIds: waivers.slice(0, MAX_NAMED).map((id) => publicId('waiver', id)),
      },
      sealed: { reason: { value: reason, subjectId: principal.principalId } },
    });
  }
}

/** Who says that a text was read shows it: only a kept text counts, and a license in force is one that was read. */
async function requireKeptText(
  tx: Tx,
  before: RegistryState,
  correction: Correction,
  { textSha256 }: Evidence,
): Promise<void> {
  if (textSha256 !== null) {
    const kept = await tx.query('SELECT 1 FROM license_text WHERE organization_id = $1 AND sha256 = $2', [
      tx.organizationId,
      textSha256,
    ]);
    if (kept.length === 0) {
      throw new ColophonError(
        'invalid_request',
        'evidence.textSha256: no text with this hash is kept; record it with POST /v1/license-texts first.',
      );
    }
  }
  if (correction.kind !== 'license') return;
  const { license } = correction;
  // One that was superseded on a day still binds what was made before it.
  if (license.status !== 'current' && license.supersededOn === undefined) return;
  if (textSha256 === null || license.textSha256 !== textSha256) {
    throw new ColophonError(
      'invalid_request',
      'correction.license.textSha256: a license is "current", or was until a day, only with the text that was read as evidence.',
    );
  }
  const readings = before.readings.get(license.spdxOrRef) ?? [];
  if (!readings.some(({ sha256 }) => sha256 === textSha256)) {
    throw new ColophonError(
      'invalid_request',
      `evidence.textSha256: this text was not recorded as one of ${license.spdxOrRef}.`,
    );
  }
  const last = license.status === 'current' ? readings.at(-1) : undefined;
  if (last !== undefined && last.listingIds.length === 0 && last.sha256 !== textSha256)
    throw new ColophonError('conflict', 'A later text of this license was read; read that one.');
}
