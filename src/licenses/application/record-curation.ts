import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import {
  applyCurations,
  type Correction,
  type Evidence,
  factOf,
  type StatedEvidence,
} from '../domain/curation.js';
import { type Listing, type ListingId } from '../domain/listing.js';
import { lookUp } from '../domain/quoted-words.js';
import { type RecordedCuration, type RegistryState } from '../domain/registry-state.js';
import { isTextOf } from '../domain/text-tie.js';
import { affectedBy, type Affected } from './affected-decisions.js';
import { type EffectiveRegistry, type RegistryChange } from './effective-registry.js';
import { requireOtherEyes } from './require-other-eyes.js';

const MAX_NAMED = 200;

export interface CurationRequest {
  readonly listingId: ListingId;
  readonly correction: Correction;
  readonly evidence: StatedEvidence;
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
  async record(tx: Tx, principal: Principal, request: CurationRequest): Promise<RecordedCurationWithEffect> {
    const { listingId, correction, evidence: stated, reason } = request;
    const change = await this.registry.change(tx);
    const base = change.before.base.get(listingId);
    if (!base) throw new ColophonError('unknown_model', 'There is no model listing with this id.');
    await requireOtherEyes(tx, principal, [listingId]);
    await requireKeptText(tx, stated);
    requireLicenseText(change.before, request);
    const evidence = evidenceOf(stated, correction, base.listing, change.before);
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

/** Who says that a text was read shows it: only a kept text counts, and the words that are quoted from it stand in it. */
async function requireKeptText(tx: Tx, { quote, textSha256 }: StatedEvidence): Promise<void> {
  if (textSha256 === null) return;
  const [kept] = await tx.query<{ bytes: Buffer }>(
    'SELECT bytes FROM license_text WHERE organization_id = $1 AND sha256 = $2',
    [tx.organizationId, textSha256],
  );
  if (kept === undefined) {
    throw new ColophonError(
      'invalid_request',
      'evidence.textSha256: no text with this hash is kept; record it with POST /v1/license-texts first.',
    );
  }
  if (quote === null) return;
  const found = lookUp(quote, kept.bytes);
  if (found === 'missing')
    throw new ColophonError(
      'invalid_request',
      'evidence.quote: these words do not stand in the kept text. Quote one passage as it stands there, without omissions, or leave the quote out.',
    );
  if (found === 'not-text')
    throw new ColophonError(
      'invalid_request',
      'evidence.quote: the kept text is not UTF-8, so nothing can be looked up in it. Leave the quote out, or record the text as UTF-8 with POST /v1/license-texts.',
    );
}

/** Decided now and kept with the curation: what is recorded later does not change what this one counted as. */
function evidenceOf(
  stated: StatedEvidence,
  correction: Correction,
  listing: Listing,
  { readings, curations }: RegistryState,
): Evidence {
  const { textSha256 } = stated;
  const earlier = curations.get(listing.id) ?? [];
  return textSha256 === null || isTextOf(textSha256, listing, { readings, earlier, correction })
    ? stated
    : { ...stated, countsAs: 'quotation' };
}

/** A license in force is one that was read. */
function requireLicenseText(
  { readings: recorded }: RegistryState,
  { listingId, correction, evidence: { textSha256 } }: CurationRequest,
): void {
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
  const readings = recorded.get(license.spdxOrRef) ?? [];
  const isOfListing = ({ listingIds }: { readonly listingIds: readonly string[] }) =>
    listingIds.length === 0 || listingIds.includes(listingId);
  if (!readings.some((reading) => reading.sha256 === textSha256 && isOfListing(reading))) {
    throw new ColophonError(
      'invalid_request',
      `evidence.textSha256: this text was not recorded as one of ${license.spdxOrRef} for this listing.`,
    );
  }
  const last = license.status === 'current' ? readings.at(-1) : undefined;
  if (last !== undefined && last.listingIds.length === 0 && last.sha256 !== textSha256)
    throw new ColophonError('conflict', 'A later text of this license was read; read that one.');
}
