import { type ShowObligationsToday } from '../../assets/application/show-obligations-today.js';
import { type Tx } from '../../database/organization-tx.js';
import { type ObligationToday, owedToday } from '../../licenses/application/owed-today.js';
import { type AssetObligation } from '../../licenses/domain/asset-obligation.js';
import { type MarkingDuties } from '../../licenses/domain/marking-duty.js';
import { dueOn, isOverdue, isOwedIn } from '../../licenses/domain/obligation-due.js';
import { type Clock } from '../../shared/clock.js';

export interface ObligationFilter {
  /** UUIDs. */
  readonly projectId: string | undefined;
  readonly useCaseId: string | undefined;
  readonly mode: 'live' | 'test' | undefined;
  /** `finished`: released, or neither made into another file nor brought in from outside. */
  readonly files: 'finished' | 'all';
  /** A country or a part of one. */
  readonly market: string | undefined;
  /** Code of the calendar, such as `EU` or `US-CA`. */
  readonly jurisdiction: string | undefined;
  readonly state: 'open' | 'proved' | 'overdue' | undefined;
  /** `YYYY-MM-DD`. */
  readonly dueBefore: string | undefined;
  readonly kind: AssetObligation['kind'] | undefined;
  readonly source: AssetObligation['source'] | undefined;
  readonly applies: AssetObligation['applies'] | undefined;
  readonly since: ObligationToday['since'] | undefined;
}

/** Where a page begins: behind one obligation of a file, or behind all of them. */
export interface PagePlace {
  readonly assetId: string;
  readonly key: string | undefined;
}

export interface ListedObligation {
  readonly assetId: string;
  readonly title: string;
  readonly projectId: string;
  readonly mode: 'live' | 'test';
  readonly releasedAt: Date | null;
  readonly recalledAt: Date | null;
  readonly owed: ObligationToday;
  readonly dueOn: string | null;
  readonly isOverdue: boolean;
}

export interface ObligationPage {
  /** `YYYY-MM-DD`: the day as of which it is told. */
  readonly asOf: string;
  readonly items: readonly ListedObligation[];
  /** Undefined when there is no more. A page may hold fewer than were asked for, and go on all the same. */
  readonly next: PagePlace | undefined;
  /** Files passed on the way of which nobody worked out what is owed: it is unknown, not nothing. */
  readonly filesWithoutList: number;
}

interface AssetRow {
  id: string;
  title: string;
  project_id: string;
  mode: 'live' | 'test';
  created_at: Date;
  released_at: Date | null;
  recalled_at: Date | null;
}

/** Few at first, because a page is small; more where a filter leaves little of each file. */
const FIRST_BATCH = 20;
const MAX_BATCH = 100;
/** A filter that nothing passes must not read the whole organization for one answer. */
const MAX_FILES_A_PAGE = 1_000;

/** What is owed across files, newest file first: what is listed, as it reads today, and what came since. */
export class ListObligations {
  constructor(
    private readonly obligationsToday: Pick<ShowObligationsToday, 'ofMany'>,
    private readonly calendar: MarkingDuties,
    private readonly clock: Clock,
  ) {}

  async list(
    tx: Tx,
    filter: ObligationFilter,
    { after, limit }: { readonly after: PagePlace | undefined; readonly limit: number },
  ): Promise<ObligationPage> {
    const asOf = dayOf(this.clock.now());
    const passes = this.passing(filter);
    const items: ListedObligation[] = [];
    let place = after;
    let [read, filesWithoutList] = [0, 0];
    for (let batch = FIRST_BATCH; read < MAX_FILES_A_PAGE; batch = Math.min(2 * batch, MAX_BATCH)) {
      const files = await filesFrom(tx, filter, place, batch);
      const found = await this.obligationsToday.ofMany(
        tx,
        files.map(({ id }) => id),
      );
      for (const file of files) {
        const owed = found.get(file.id);
        if (owed === undefined) filesWithoutList += 1;
        const behind = place?.assetId === file.id ? (place.key ?? '') : '';
        for (const one of owed ? byKey(owedToday(file.id, owed.list, owed.today)) : []) {
          const item = itemOf(file, one, asOf);
          if (one.obligation.key <= behind || !passes(item)) continue;
          const last = items.at(-1);
          if (items.length === limit && last !== undefined)
            return { asOf, items, next: placeOf(last), filesWithoutList };
          items.push(item);
        }
        place = { assetId: file.id, key: undefined };
      }
      read += files.length;
      if (files.length < batch) return { asOf, items, next: undefined, filesWithoutList };
    }
    return { asOf, items, next: place, filesWithoutList };
  }

  private passing(filter: ObligationFilter): (item: ListedObligation) => boolean {
    const { market, jurisdiction, state, dueBefore, kind, source, applies, since } = filter;
    const { duties } = this.calendar;
    const where = duties.find((duty) => duty.jurisdiction.code === jurisdiction)?.jurisdiction.name;
    const isAsked = <Value>(asked: Value | undefined, value: Value) => asked === undefined || asked === value;
    return ({ owed, dueOn: due, isOverdue: overdue }) => {
      const { obligation } = owed;
      return (
        isAsked(kind, obligation.kind) &&
        isAsked(source, obligation.source) &&
        isAsked(applies, obligation.applies) &&
        isAsked(since, owed.since) &&
        (jurisdiction === undefined || (obligation.source === 'law' && obligation.where === where)) &&
        (market === undefined || isOwedIn(market, obligation, duties)) &&
        (dueBefore === undefined || (due !== null && due < dueBefore)) &&
        (state === undefined ||
          (state === 'overdue' ? overdue : (owed.state === 'open') === (state === 'open')))
      );
    };
  }
}

/** Newest first; the file of the place itself is read again where some of its obligations are left. */
async function filesFrom(
  tx: Tx,
  { projectId, useCaseId, mode, files }: ObligationFilter,
  place: PagePlace | undefined,
  limit: number,
): Promise<AssetRow[]> {
  return tx.query<AssetRow>(
    `SELECT a.id, a.title, a.project_id, a.mode, a.created_at, l.released_at, c.recalled_at
       FROM asset a
       LEFT JOIN asset_release l ON l.organization_id = a.organization_id AND l.asset_id = a.id
       LEFT JOIN asset_recall c ON c.organization_id = a.organization_id AND c.asset_id = a.id
      WHERE a.organization_id = $1 AND ($2::uuid IS NULL OR a.project_id = $2) AND ($3::text IS NULL OR a.mode = $3)
        AND ($4::uuid IS NULL OR EXISTS (
              SELECT 1 FROM review_lineage(a.organization_id, a.id) AS b(id)
                JOIN asset made ON made.organization_id = a.organization_id AND made.id = b.id
                JOIN run r ON r.organization_id = made.organization_id AND r.id = made.run_id
               WHERE r.use_case_id = $4))
        AND ($5 OR l.released_at IS NOT NULL OR (a.origin <> 'upload' AND NOT EXISTS (
              SELECT 1 FROM asset_parent p WHERE p.organization_id = $1 AND p.parent_asset_id = a.id)))
        AND ($6::uuid IS NULL OR a.id < $6 OR (a.id = $6 AND $7))
      ORDER BY a.id DESC LIMIT $8`,
    [
      ...[tx.organizationId, projectId ?? null, mode ?? null, useCaseId ?? null, files === 'all'],
      ...[place?.assetId ?? null, place?.key !== undefined, limit],
    ],
  );
}

/** Each key is there once, so it is a place in the file that stays, whatever comes or goes. */
function byKey(owed: readonly ObligationToday[]): ObligationToday[] {
  return [...owed].sort((a, b) => (a.obligation.key < b.obligation.key ? -1 : 1));
}

function itemOf(file: AssetRow, owed: ObligationToday, asOf: string): ListedObligation {
  const { id: assetId, title, project_id: projectId, mode } = file;
  const { released_at: releasedAt, recalled_at: recalledAt } = file;
  const days = { signedOn: dayOf(file.created_at), releasedOn: releasedAt && dayOf(releasedAt) };
  const due = dueOn(owed.obligation, days);
  return {
    ...{ assetId, title, projectId, mode, releasedAt, recalledAt, owed },
    dueOn: due,
    isOverdue: isOverdue(owed.state, due, asOf),
  };
}

function placeOf({ assetId, owed }: ListedObligation): PagePlace {
  return { assetId, key: owed.obligation.key };
}

function dayOf(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}
