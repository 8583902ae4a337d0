import { type Tx } from '../../database/organization-tx.js';
import { publicId } from '../../shared/ids.js';
import { type PromptHistory, type PromptRelation } from '../domain/authorship/prompt-history.js';

const MAX_RUNS = 100;

interface Row {
  last_run: string;
  id: string;
  created_by: string;
  created_at: Date;
  entry_id: string;
  entry: Buffer;
  relation: PromptRelation;
}

/** By UUID. What ties a run to an asset. */
export interface PromptTies {
  /** Runs that made files of the chain. */
  readonly runIds: readonly string[];
  /** Files of the chain that steps made: another run that went on from one of them tried the same. */
  readonly madeIds: readonly string[];
  /** Files that were shown when a file of the chain was chosen. */
  readonly shownIds: readonly string[];
}

/** How prompts developed before each run behind an asset. Read from the log: nobody has to declare it. */
export async function promptHistories(
  tx: Tx,
  { runIds, madeIds, shownIds }: PromptTies,
): Promise<PromptHistory[]> {
  if (runIds.length === 0) return [];
  const rows = await tx.query<Row>(
    `SELECT l.id AS last_run, r.id, r.created_by, r.created_at, e.entry_id, e.entry,
            CASE WHEN r.id = ANY($2::uuid[]) THEN 'behind'
                 WHEN EXISTS (
                   SELECT 1 FROM asset x WHERE x.organization_id = l.organization_id AND x.run_id = r.id
                      AND (x.id = ANY($5::uuid[]) OR EXISTS (
                        SELECT 1 FROM asset_parent p WHERE p.organization_id = x.organization_id
                           AND p.asset_id = x.id AND p.parent_asset_id = ANY($4::uuid[])))) THEN 'attempt'
                 ELSE 'other' END AS relation
       FROM run l
       JOIN principal p ON p.organization_id = l.organization_id AND p.id = l.created_by AND p.kind = 'user'
       CROSS JOIN LATERAL (
         SELECT id, created_by, created_at FROM run n
          WHERE n.organization_id = l.organization_id AND n.project_id = l.project_id
            AND n.use_case_id = l.use_case_id AND n.created_by = l.created_by AND n.mode = l.mode AND n.id <= l.id
          ORDER BY n.id DESC LIMIT $3) r
       CROSS JOIN LATERAL (
         SELECT entry_id, entry FROM audit_entry a WHERE a.organization_id = l.organization_id
            AND a.subject_id = 'run_' || replace(r.id::text, '-', '') AND a.entry_type = 'run.accepted'
         UNION ALL
         SELECT entry_id, entry FROM audit_pending a WHERE a.organization_id = l.organization_id
            AND a.subject_id = 'run_' || replace(r.id::text, '-', '') AND a.entry_type = 'run.accepted'
         LIMIT 1) e
      WHERE l.organization_id = $1 AND l.id = ANY($2::uuid[])
      ORDER BY l.id, r.id`,
    [tx.organizationId, runIds, MAX_RUNS, madeIds, shownIds],
  );
  return [...new Set(rows.map((row) => row.last_run))].map((last) => {
    const own = rows.filter((row) => row.last_run === last);
    return {
      personId: publicId('principal', own[0]?.created_by ?? ''),
      runs: own.map((row) => ({
        runId: publicId('run', row.id),
        entryId: publicId('entry', row.entry_id),
        promptCommitment: promptOf(row.entry),
        acceptedAt: row.created_at.toISOString(),
        relation: row.relation,
      })),
    };
  });
}

function promptOf(entry: Buffer): string | undefined {
  return (JSON.parse(entry.toString('utf8')) as { sealed?: { prompt?: string } }).sealed?.prompt;
}
