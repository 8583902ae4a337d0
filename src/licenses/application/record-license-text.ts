import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { sha256Hex } from '../../shared/bytes.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { type RecordedReading, type RegistryState, restsOn } from '../domain/registry-state.js';
import { concerns, type TextReading } from '../domain/text-reading.js';
import { affectedBy, type Affected } from './affected-decisions.js';
import { type EffectiveRegistry, type RegistryChange } from './effective-registry.js';
import { requireOtherEyes } from './require-other-eyes.js';

/** An entry names at most so many of each; it always counts all of them. */
const MAX_NAMED = 200;

export interface LicenseTextRequest extends Omit<TextReading, 'sha256'> {
  readonly bytes: Uint8Array;
  readonly sourceUrl: string | null;
}

export interface RecordedText extends RecordedReading {
  readonly affected: Affected;
}

/**
 * A person has read a text of a license. When the terms of a listing were read from another text, every decision and
 * waiver that rests on it is open again.
 */
export class RecordLicenseText {
  constructor(
    private readonly registry: EffectiveRegistry,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `invalid_request`, `unknown_model`, `conflict`, `four_eyes_required` */
  async record(
    tx: Tx,
    principal: Principal,
    { bytes, ...request }: LicenseTextRequest,
  ): Promise<RecordedText> {
    const change = await this.registry.change(tx);
    const sha256 = sha256Hex(bytes);
    const reading = { ...request, sha256 };
    requireListings(change.before, reading);
    const affectedListingIds = affectedListings(change.before, reading);
    if (request.termsReadFromThis && affectedListingIds.length > 0) {
      throw new ColophonError(
        'conflict',
        `The terms of ${affectedListingIds[0]} were read from another text; correct its license with a curation.`,
      );
    }
    await requireOtherEyes(tx, principal, shownBy(change.before, reading));
    const recorded: RecordedReading = {
      ...reading,
      id: newId(),
      version: change.version,
      change: changeOf(change.before, reading, affectedListingIds),
      affectedListingIds,
      createdBy: principal.principalId,
      createdAt: this.clock.now(),
    };
    await tx.query(
      'INSERT INTO license_text (organization_id, sha256, bytes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
      [tx.organizationId, sha256, bytes],
    );
    const entryId = await this.logReading(tx, principal, recorded);
    await insertReading(tx, recorded, entryId);
    const affected = await this.reopen(tx, principal, recorded, change);
    return { ...recorded, affected };
  }

  private logReading(tx: Tx, principal: Principal, reading: RecordedReading): Promise<string> {
    return this.appendEntry.append(tx, {
      type: 'license_text.recorded',
      actor: actorOf(principal),
      subject: { kind: 'license_text', id: publicId('licenseText', reading.id) },
      data: {
        licenseKey: reading.licenseKey,
        sha256: reading.sha256,
        change: reading.change,
        readOn: reading.readOn,
        termsReadFromThis: reading.termsReadFromThis,
        ...(reading.inForceSince === null ? {} : { inForceSince: reading.inForceSince }),
      },
    });
  }

  private async reopen(
    tx: Tx,
    principal: Principal,
    reading: RecordedReading,
    change: RegistryChange,
  ): Promise<Affected> {
    const after = await this.registry.after(tx, change);
    const { affectedListingIds: listingIds } = reading;
    const touched = [...new Set([...listingIds, ...nowProven(change.before, reading)])];
    const affected = await affectedBy(tx, touched, change.before, after, this.clock.now());
    if (reading.change !== 'changed') return affected;
    await this.appendEntry.append(tx, {
      type: 'license_text.changed',
      actor: actorOf(principal),
      subject: { kind: 'license_text', id: publicId('licenseText', reading.id) },
      data: {
        licenseKey: reading.licenseKey,
        sha256: reading.sha256,
        ...previousOf(change.before, reading),
        listings: listingIds.length,
        listingIds: listingIds.slice(0, MAX_NAMED),
        clearances: affected.clearances.length,
        clearanceIds: affected.clearances.slice(0, MAX_NAMED).map((id) => publicId('clearance', id)),
        waivers: affected.waivers.length,
        waiverIds: affected.waivers.slice(0, MAX_NAMED).map((id) => publicId('waiver', id)),
      },
    });
    return affected;
  }
}

/** Listings of the organization of which this may be the text that was missing. */
function nowProven({ own }: RegistryState, { licenseKey, sha256 }: RecordedReading): string[] {
  const [keys, texts] = [new Set([licenseKey]), new Set([sha256])];
  return [...own.values()].flatMap(({ listing }) => (restsOn(listing, keys, texts) ? [listing.id] : []));
}

/** Of these, the listings behind whose facts it is. A later text only opens what rests on them, and anybody may bring it. */
function shownBy({ own }: RegistryState, reading: Reading): string[] {
  return [...own.values()].flatMap(({ listing }) => {
    const { license, sources, id } = listing;
    const isLicense =
      license.textSha256 === null
        ? reading.termsReadFromThis && concerns(reading, listing)
        : license.textSha256 === reading.sha256 && license.spdxOrRef === reading.licenseKey;
    return isLicense || sources.some(({ textSha256 }) => textSha256 === reading.sha256) ? [id] : [];
  });
}

type Reading = TextReading & { readonly sourceUrl: string | null };

/**
 * A text names listings of its license. Under a key that no listing has it is no license of theirs but a document on
 * them, such as the terms of a channel or a letter: it changes none of them, and a curation may rest on it.
 *
 * @throws ColophonError `unknown_model`
 */
function requireListings({ index }: RegistryState, { licenseKey, listingIds }: Reading): void {
  const isLicense = index.all.some(({ listing: { license } }) => license.spdxOrRef === licenseKey);
  for (const id of listingIds) {
    const entry = index.get(id);
    if (entry !== undefined && (!isLicense || entry.listing.license.spdxOrRef === licenseKey)) continue;
    const where = isLicense ? ' under this license' : '';
    throw new ColophonError('unknown_model', `listingIds: there is no listing ${id}${where}.`);
  }
}

/** Listings that stood under another text until now, or of which nobody knows under which. */
function affectedListings(before: RegistryState, reading: Reading): string[] {
  const known = before.readings.get(reading.licenseKey) ?? [];
  return before.index.all.flatMap(({ listing }) => {
    if (!concerns(reading, listing)) return [];
    const { license, id } = listing;
    if (license.status === 'ended') return [];
    const last = known.findLast((earlier) => concerns(earlier, listing));
    if (last === undefined && license.textSha256 === null && reading.termsReadFromThis) return [];
    return (last?.sha256 ?? license.textSha256) === reading.sha256 ? [] : [id];
  });
}

function changeOf(
  before: RegistryState,
  reading: Reading,
  affected: readonly string[],
): RecordedReading['change'] {
  if (affected.length > 0) return 'changed';
  const last = before.readings.get(reading.licenseKey)?.at(-1);
  if (last !== undefined) return last.sha256 === reading.sha256 ? 'unchanged' : 'changed';
  const known = before.index.all.some(({ listing: { license } }) => license.textSha256 === reading.sha256);
  return known ? 'unchanged' : 'first';
}

/** The text that was thought to be in force: the last that was read, or the one that the listings name. */
function previousOf(before: RegistryState, reading: RecordedReading): { previousSha256?: string } {
  const last = before.readings.get(reading.licenseKey)?.at(-1)?.sha256;
  const [first] = reading.affectedListingIds;
  const named = first === undefined ? undefined : before.index.get(first)?.listing.license.textSha256;
  const previous = last ?? named ?? undefined;
  return previous === undefined ? {} : { previousSha256: previous };
}

async function insertReading(tx: Tx, reading: RecordedReading, entryId: string): Promise<void> {
  await tx.query(
    `INSERT INTO license_text_reading
       (organization_id, version, id, license_key, sha256, listing_ids, affected_listing_ids, source_url, read_on,
        in_force_since, change, terms_read_from_this, entry_id, created_by, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      tx.organizationId,
      reading.version,
      reading.id,
      reading.licenseKey,
      reading.sha256,
      reading.listingIds,
      reading.affectedListingIds,
      reading.sourceUrl,
      reading.readOn,
      reading.inForceSince,
      reading.change,
      reading.termsReadFromThis,
      entryId,
      reading.createdBy,
      reading.createdAt,
    ],
  );
}
