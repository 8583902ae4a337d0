import { type AssetRepository, type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type RightsBasis } from '../../licenses/domain/rights.js';
import { type Tx } from '../../database/organization-tx.js';
import { statedSourceType } from '../../assets/domain/signal-reading.js';
import { publicId } from '../../shared/ids.js';
import { type ActFact, type AuthorshipFacts, type WorkFact } from '../domain/authorship/authorship-facts.js';
import { type AuthorshipStatement, authorshipStatement } from '../domain/authorship/authorship-statement.js';
import { effectiveAct, tracesLeft } from './effective-acts.js';
import { type PromptHistory } from '../domain/authorship/prompt-history.js';
import { promptHistories, type PromptTies } from './prompt-trails.js';
import { type FullContribution, type ReadContributions } from './read-contribution.js';
import { newestEdits, versionsOf } from './versions-of.js';

export interface StatedAuthorship {
  readonly statement: AuthorshipStatement;
  readonly contributions: readonly FullContribution[];
  readonly prompts: readonly PromptHistory[];
}

/** Rights bases by which an upload is the organization's own; of others it is material of others. */
const OWN_BASES: readonly RightsBasis[] = ['owned', 'work-for-hire', 'assigned'];

/** Gathers what the record holds of human work on an asset, and what follows from it. */
export class StateAuthorship {
  constructor(
    private readonly assets: AssetRepository,
    private readonly contributions: ReadContributions,
  ) {}

  /** @throws ColophonError `not_found` */
  async requireAsset(tx: Tx, assetId: string): Promise<void> {
    await this.assets.get(tx, assetId);
  }

  /** @throws ColophonError `not_found` */
  async state(tx: Tx, assetId: string): Promise<StatedAuthorship> {
    return this.ofLineage(tx, assetId, await this.assets.lineage(tx, assetId));
  }

  /** @param lineage the asset and everything it descends from */
  async ofLineage(tx: Tx, assetId: string, lineage: readonly AssetWithParents[]): Promise<StatedAuthorship> {
    const versions = new Set(versionsOf(assetId, lineage));
    const contributions = await this.contributions.of(
      tx,
      lineage.map(({ id }) => id),
    );
    const prompts = await promptHistories(tx, promptTies(lineage, contributions));
    const traces = tracesLeft(contributions, newestEdits(versions, lineage));
    const files = new Map(lineage.map((asset) => [asset.id, asset]));
    const facts: AuthorshipFacts = {
      works: lineage.map((asset) => workFact(asset, versions)),
      acts: contributions.map((one) =>
        effectiveAct(one, versions, { traces, fileSays: saysOfItself(files.get(one.row.assetId)) }),
      ),
      prompts: prompts.flatMap(({ runs }) => {
        const withPrompt = runs.filter(({ promptCommitment }) => promptCommitment !== undefined);
        const counted = withPrompt.filter(({ relation }) => relation !== 'other').length;
        return counted === 0 ? [] : [{ runs: counted, others: withPrompt.length - counted }];
      }),
      storyboards: await storyboardsWith(tx, assetId),
    };
    return { statement: authorshipStatement(facts), contributions, prompts };
  }
}

/** A choice that was withdrawn ties nothing. */
function promptTies(
  lineage: readonly AssetWithParents[],
  contributions: readonly FullContribution[],
): PromptTies {
  const standing = contributions.filter(
    ({ corrections }) => !corrections.some(({ kind }) => kind === 'withdrawn'),
  );
  return {
    runIds: [...new Set(lineage.flatMap(({ runId }) => runId ?? []))],
    madeIds: lineage.flatMap(({ id, origin }) => (origin === 'step' ? [id] : [])),
    shownIds: standing.flatMap(({ row }) => row.shownAssetIds ?? []),
  };
}

function workFact(asset: AssetWithParents, versions: ReadonlySet<string>): WorkFact {
  return {
    assetId: publicId('asset', asset.id),
    relation: versions.has(asset.id) ? 'version' : 'used',
    origin: asset.origin,
    kind: asset.kind,
    sourceType: asset.digitalSourceType,
    isOwn: asset.rights !== undefined && OWN_BASES.includes(asset.rights.rightsBasis),
  };
}

/** What vendors write into what their models return is no word on what a person did to it. */
function saysOfItself(asset: AssetWithParents | undefined): ActFact['fileSays'] {
  if (asset?.origin !== 'edit' || asset.signalReading === undefined) return undefined;
  const stated = statedSourceType(asset.signalReading);
  if (stated === undefined) return undefined;
  return stated === 'trainedAlgorithmicMedia' ? 'made_by_model' : 'changed_by_model';
}

/** In their newest version. */
async function storyboardsWith(tx: Tx, assetId: string): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM storyboard s
      WHERE s.organization_id = $1 AND s.asset_ids @> ARRAY[$2::uuid]
        AND s.version = (SELECT max(version) FROM storyboard n WHERE n.organization_id = $1 AND n.id = s.id)`,
    [tx.organizationId, assetId],
  );
  return row?.count ?? 0;
}
