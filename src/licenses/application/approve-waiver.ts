import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type EntryData } from '../../audit/core/entry-types.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { requirePerson } from '../../identity/application/require-person.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { decisiveSha256 } from '../domain/decisive-facts.js';
import { type RuleId } from '../domain/finding.js';
import { type ListingId } from '../domain/listing.js';
import { type RunFacts } from '../domain/run-facts.js';
import { not, type ThreeValued } from '../domain/three-valued.js';
import { endsBeforeCampaign } from '../domain/waiver-cover.js';
import { type ClearanceStanding } from './clearance-standing.js';
import { canBeAcceptedByFinding, openFindings } from './waivers-in-force.js';
import { type EffectiveRegistry } from './effective-registry.js';
import { useCaseOf } from './find-use.js';
import { lockDecisions, readClearance, type StoredClearance } from './read-clearance.js';
import { reasonOf } from './require-cleared.js';
import { type WorkBehindClearances } from './work-behind-clearances.js';

export const WAIVER_REASONS = [
  'LICENSE_ACQUIRED',
  'LEGAL_OPINION',
  'TERRITORY_NOT_SERVED',
  'INTERNAL_EVALUATION_ONLY',
  'CLIENT_ACCEPTED_RISK',
  'FALSE_POSITIVE',
] as const;

/** Who accepted something looks at it again: a waiver without an end would be a correction that nobody showed a text for. */
const MAX_YEARS = 2;

/** What is accepted: all that one clearance left open, or one finding of one listing wherever a project meets it. */
export type WaiverScope =
  | { readonly kind: 'clearance'; readonly clearanceId: string }
  | {
      readonly kind: 'finding';
      readonly listingId: ListingId;
      readonly ruleId: RuleId;
      readonly projectId: string;
      readonly useCase: string | undefined;
      /** Who asked for it (UUID). */
      readonly requestedBy: string;
    };

export interface WaiverRequest {
  readonly scope: WaiverScope;
  readonly reason: (typeof WAIVER_REASONS)[number];
  readonly comment: string;
  readonly expiresAt: Date;
}

/** The text of a license on which a waiver rests; null when no text was hashed. */
export interface RestsOn {
  readonly listingId: ListingId;
  readonly licenseKey: string;
  readonly textSha256: string | null;
}

export interface Waiver extends WaiverRequest {
  readonly id: string;
  /** The first decision of the clearance, to which runs point; null for a finding. */
  readonly rootId: string | null;
  readonly requestedBy: string;
  readonly approvedBy: string;
  readonly restsOn: readonly RestsOn[];
  /** Whether the campaign that was decided about ends before the waiver does; undefined for a finding. */
  readonly coversCampaign: ThreeValued | undefined;
  readonly createdAt: Date;
}

/** What the rows of both kinds of waivers say beside who, when and why. */
interface Accepted {
  readonly rootId: string | null;
  readonly requestedBy: string;
  readonly restsOn: readonly RestsOn[];
  readonly registryVersion: number;
  /** Of the decision; undefined for a finding, which is of no campaign. */
  readonly campaignEnd?: RunFacts['campaignEnd'];
  readonly columns: Readonly<Record<string, string | null>>;
  readonly logged: Partial<EntryData<'waiver.approved'>>;
}

/**
 * A person with the role legal accepts findings that send to review, for a time. Never turns a `deny` into an `allow`,
 * and never by the person who asked. It ends on its day, or when the text of a license on which it rests changes; a work
 * that is shown longer than it lasts is not covered for the rest, which is said here and follows the asset.
 */
export class ApproveWaiver {
  constructor(
    private readonly registry: EffectiveRegistry,
    private readonly standing: ClearanceStanding,
    private readonly work: Pick<WorkBehindClearances, 'isThere'>,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `forbidden` for a service, `not_found`, `conflict`, `four_eyes_required`, `invalid_request`, `unknown_model` */
  async approve(tx: Tx, principal: Principal, request: WaiverRequest): Promise<Waiver> {
    await requirePerson(tx, principal, 'decision');
    const { scope } = request;
    const accepted =
      scope.kind === 'clearance' ? await this.openOf(tx, scope.clearanceId) : await this.findingOf(tx, scope);
    if (accepted.requestedBy === principal.principalId) {
      throw new ColophonError(
        'four_eyes_required',
        'A waiver is approved by someone other than who asked for the run.',
      );
    }
    requireForATime(request.expiresAt, this.clock.now());
    const { rootId, requestedBy, restsOn } = accepted;
    const made = { id: newId(), approvedBy: principal.principalId, createdAt: this.clock.now() };
    const { campaignEnd } = accepted;
    const coversCampaign =
      campaignEnd === undefined ? undefined : not(endsBeforeCampaign(request.expiresAt, campaignEnd));
    const waiver: Waiver = { ...request, ...made, rootId, requestedBy, restsOn, coversCampaign };
    await insert(tx, waiver, accepted);
    await this.appendEntry.append(tx, {
      type: 'waiver.approved',
      actor: actorOf(principal),
      subject: { kind: 'waiver', id: publicId('waiver', waiver.id) },
      data: {
        ...accepted.logged,
        reason: waiver.reason,
        expiresAt: waiver.expiresAt.toISOString(),
        ...(coversCampaign === undefined ? {} : { coversCampaign }),
        licenseTexts: restsOn.map(({ listingId, licenseKey, textSha256 }) => ({
          listingId,
          licenseKey,
          ...(textSha256 === null ? {} : { sha256: textSha256 }),
        })),
      },
      sealed: { comment: { value: waiver.comment, subjectId: principal.principalId } },
    });
    return waiver;
  }

  private async openOf(tx: Tx, clearanceId: string): Promise<Accepted> {
    const asked = await readClearance(tx, clearanceId);
    const rootId = asked.renews ?? asked.id;
    await lockDecisions(tx, rootId);
    // Where a run waits, for a day that is over: accepted today, it would start and fail on its first step.
    const standing = await this.standing.today(tx, rootId);
    const { last } = standing;
    if (standing.kind === 'reopened') {
      throw new ColophonError('conflict', reasonOf(standing.changes), {
        extensions: { reopened: standing.changes },
      });
    }
    if (asked.id !== rootId && asked.id !== last.id)
      throw new ColophonError('conflict', `This was decided again as ${publicId('clearance', last.id)}.`);
    if (last.decision !== 'review') {
      throw new ColophonError(
        'conflict',
        `This clearance was decided "${last.decision}"; only "review" can be waived.`,
      );
    }
    const root = asked.id === rootId ? asked : await readClearance(tx, rootId);
    // For work in a project, of which there is none: accepted, it would let nothing go on, and nobody would be told.
    if (root.projectId !== null && !(await this.work.isThere(tx, rootId))) throw nothingWaits(last);
    return {
      rootId,
      requestedBy: root.createdBy,
      restsOn: await textsOf(tx, last.id),
      registryVersion: last.registryVersion,
      campaignEnd: last.input.facts.campaignEnd,
      columns: { clearance_id: rootId, decided_clearance_id: last.id },
      logged: {
        clearanceId: publicId('clearance', last.id),
        findings: openFindings(last.findings)
          .slice(0, 100)
          .map(({ ruleId, listingId }) => ({ ruleId, listingId: listingId ?? 'none' })),
      },
    };
  }

  private async findingOf(tx: Tx, scope: WaiverScope & { kind: 'finding' }): Promise<Accepted> {
    const { listingId, ruleId, projectId, useCase, requestedBy } = scope;
    const registry = await this.registry.within(tx);
    const entry = registry.index.get(listingId);
    if (!entry) throw new ColophonError('unknown_model', 'There is no model listing with this id.');
    const useCaseId = await useCaseOf(tx, projectId, useCase);
    const people = await tx.query('SELECT 1 FROM principal WHERE organization_id = $1 AND id = $2', [
      tx.organizationId,
      requestedBy,
    ]);
    if (people.length === 0) throw new ColophonError('not_found', 'There is no principal with this id.');
    const { license } = entry.listing;
    return {
      rootId: null,
      requestedBy,
      restsOn: [{ listingId, licenseKey: license.spdxOrRef, textSha256: license.textSha256 }],
      registryVersion: registry.version,
      columns: {
        listing_id: listingId,
        rule_id: ruleId,
        project_id: projectId,
        use_case_id: useCaseId,
        decisive_sha256: decisiveSha256(entry),
      },
      logged: {
        listingId,
        ruleId,
        projectId: publicId('project', projectId),
        ...(useCaseId === null ? {} : { useCaseId: publicId('useCase', useCaseId) }),
      },
    };
  }
}

/** Each call and each run is decided by itself, so this decision is not asked again. Says which waiver counts for the next one. */
function nothingWaits({ findings, projectId, useCaseId }: StoredClearance): ColophonError {
  const open = openFindings(findings).map(({ ruleId, listingId }) => ({ ruleId, listingId }));
  const alone = open.some(({ ruleId, listingId }) => !canBeAcceptedByFinding(ruleId, listingId));
  const forFindings = open.some(({ ruleId, listingId }) => canBeAcceptedByFinding(ruleId, listingId));
  const how = [
    ...(forFindings
      ? ['Accept the open findings in the project instead (finding, projectId, requestedBy), then ask again.']
      : []),
    ...(alone
      ? [
          'Those of policies, and those that name no model, are accepted for one run alone: start it with POST /v1/runs, and accept the decision for which it waits.',
        ]
      : []),
  ];
  return new ColophonError(
    'conflict',
    `No run rests on this decision, and none will: each call of the gateway and each run is decided anew. ${how.join(' ')}`,
    {
      extensions: {
        openFindings: open,
        projectId: projectId === null ? null : publicId('project', projectId),
        useCaseId: useCaseId === null ? null : publicId('useCase', useCaseId),
      },
    },
  );
}

/** @throws ColophonError `invalid_request` */
function requireForATime(expiresAt: Date, now: Date): void {
  if (expiresAt <= now) throw new ColophonError('invalid_request', 'expiresAt: must lie in the future');
  const last = new Date(now);
  last.setUTCFullYear(last.getUTCFullYear() + MAX_YEARS);
  if (expiresAt > last)
    throw new ColophonError(
      'invalid_request',
      `expiresAt: must be at most ${MAX_YEARS} years from now; accept it anew then`,
    );
}

async function insert(tx: Tx, waiver: Waiver, { columns, registryVersion }: Accepted): Promise<void> {
  const row: Record<string, unknown> = {
    organization_id: tx.organizationId,
    id: waiver.id,
    scope: waiver.scope.kind,
    reason: waiver.reason,
    requested_by: waiver.requestedBy,
    approved_by: waiver.approvedBy,
    expires_at: waiver.expiresAt,
    license_texts: JSON.stringify(waiver.restsOn),
    registry_version: registryVersion,
    created_at: waiver.createdAt,
    ...columns,
  };
  const names = Object.keys(row);
  await tx.query(
    `INSERT INTO waiver (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
    Object.values(row),
  );
}

async function textsOf(tx: Tx, clearanceId: string): Promise<RestsOn[]> {
  return tx.query<RestsOn>(
    `SELECT listing_id AS "listingId", license_key AS "licenseKey", license_text_sha256 AS "textSha256"
       FROM clearance_listing
      WHERE organization_id = $1
        AND clearance_id = (SELECT coalesce(basis_id, id) FROM clearance WHERE organization_id = $1 AND id = $2)
      ORDER BY listing_id`,
    [tx.organizationId, clearanceId],
  );
}
