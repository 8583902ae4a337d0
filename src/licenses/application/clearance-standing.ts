import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { foundLater } from '../domain/later-day.js';
import { type Basis, reopened, type Reopened } from '../domain/reopened.js';
import { type WaiverCover } from '../domain/waiver-cover.js';
import { type AskPolicies } from './ask-policies.js';
import { type EffectiveRegistry } from './effective-registry.js';
import { readLastDecision, type StoredClearance } from './read-clearance.js';
import { type WaiversInForce } from './waivers-in-force.js';
import { type WorkBehindClearances } from './work-behind-clearances.js';

/** Whether what was cleared may go on. */
export type Standing =
  | {
      readonly kind: 'holds';
      readonly last: StoredClearance;
      /** Undefined where nothing was left open: then it has no end. */
      readonly cover: WaiverCover | undefined;
    }
  | { readonly kind: 'denied'; readonly last: StoredClearance & { readonly decision: 'deny' } }
  /** The last decision left questions open, and no waiver in force accepts all of them. */
  | { readonly kind: 'open'; readonly last: StoredClearance }
  /** What the last decision rests on has changed. */
  | { readonly kind: 'reopened'; readonly last: StoredClearance; readonly changes: readonly Reopened[] };

/**
 * A decision holds as long as what it rests on, and as long as no policy of today is stricter. Of a decision that was
 * made again the last one counts, and waivers count for the decision whose findings they accepted: so a waiver ends with
 * the text on which it rested.
 */
export class ClearanceStanding {
  constructor(
    private readonly registry: EffectiveRegistry,
    private readonly policies: AskPolicies,
    private readonly waivers: WaiversInForce,
    private readonly work: Pick<WorkBehindClearances, 'isUnfinished'>,
    private readonly clock: Clock,
  ) {}

  /** {@link ClearanceStanding.ofUnfinished} while models may still run under it, otherwise {@link ClearanceStanding.of}. */
  async today(tx: Tx, rootId: string): Promise<Standing> {
    return (await this.work.isUnfinished(tx, rootId)) ? this.ofUnfinished(tx, rootId) : this.of(tx, rootId);
  }

  /**
   * What it says holds until the transaction ends.
   * @param rootId the first decision, to which runs point
   * @throws ColophonError `not_found`
   */
  async of(tx: Tx, rootId: string): Promise<Standing> {
    const [registry, last] = await Promise.all([this.registry.within(tx), readLastDecision(tx, rootId)]);
    const changes = reopened(await basisOf(tx, last.basisId), last.registryVersion, registry);
    if (changes.length > 0) return { kind: 'reopened', last, changes };
    if (last.decision === 'deny') return { kind: 'denied', last: { ...last, decision: 'deny' } };
    const stricter = await this.policies.stricterToday(tx, last, registry.index);
    if (stricter.length > 0) {
      const reasons = stricter.map(({ ruleId }) => ({ because: 'policy', ruleId }) as const);
      return { kind: 'reopened', last, changes: reasons };
    }
    if (last.decision === 'allow') return { kind: 'holds', last, cover: undefined };
    const cover = (await this.waivers.coversOf(tx, [last], registry)).get(last.id);
    return cover === undefined ? { kind: 'open', last } : { kind: 'holds', last, cover };
  }

  /**
   * The same for what is still to be made: it may have waited for a person beyond the last day of a license, a right or a
   * release. What is made already was made in time.
   */
  async ofUnfinished(tx: Tx, rootId: string): Promise<Standing> {
    const standing = await this.of(tx, rootId);
    if (standing.kind === 'reopened' || standing.kind === 'denied') return standing;
    const { last } = standing;
    const { index } = await this.registry.within(tx);
    const later = foundLater(last.input, index, this.clock.now().toISOString().slice(0, 10));
    if (later.length === 0) return standing;
    const rules = [...new Set(later.map(({ ruleId }) => ruleId))];
    return { kind: 'reopened', last, changes: rules.map((ruleId) => ({ because: 'day', ruleId })) };
  }
}

async function basisOf(tx: Tx, basisId: string): Promise<Basis[]> {
  const rows = await tx.query<BasisRow>(
    `SELECT listing_id, decisive_sha256, license_key, license_text_sha256 FROM clearance_listing
      WHERE organization_id = $1 AND clearance_id = $2 ORDER BY listing_id`,
    [tx.organizationId, basisId],
  );
  return rows.map(toBasis);
}

export interface BasisRow {
  listing_id: string;
  decisive_sha256: string;
  license_key: string;
  license_text_sha256: string | null;
}

export function toBasis(row: BasisRow): Basis {
  return {
    listingId: row.listing_id,
    decisiveSha256: row.decisive_sha256,
    licenseKey: row.license_key,
    licenseTextSha256: row.license_text_sha256,
  };
}
