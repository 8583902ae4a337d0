import { type Tx } from '../../database/organization-tx.js';
import { parsePublicId } from '../../shared/ids.js';
import { type FileSignal } from '../domain/file-signals.js';
import { type Lineage, type LineageInput } from '../domain/lineage.js';

/** What was read in the files behind an asset: its own, and those of everything that it was made from. */
export interface RecordedSignals {
  /** @param assetId UUID; `undefined` when the organization has no such asset */
  of(tx: Tx, assetId: string): Promise<RecordedOrigin | undefined>;
}

/** With the projects (UUIDs) of the asset and of all that it was made from. */
export interface RecordedOrigin extends Required<Pick<LineageInput, 'fileSignals' | 'unreadPlaces'>> {
  readonly projectIds: readonly string[];
}

/** UUIDs of the projects from which inputs come. */
export interface CompletedLineage {
  readonly lineage: Lineage;
  readonly originProjectIds: readonly string[];
}

/** By UUID of the asset. */
export type KnownSignals = Map<string, RecordedOrigin | undefined>;

/** The limit of the schema; a caller's own signals and those of a long lineage may be more together. */
const MAX_SIGNALS = 40;

/**
 * A caller who asks about a lineage of their own may leave out what a file reserves. Where an input is an asset of the
 * organization, what was read in it is added, and the policies of its projects are asked: the answer must be that of a
 * run.
 */
export class CompleteLineage {
  constructor(private readonly recorded: RecordedSignals) {}

  /** @param known what was found for assets of other lineages of the same question */
  async complete(tx: Tx, lineage: Lineage, known: KnownSignals = new Map()): Promise<CompletedLineage> {
    const inputs: LineageInput[] = [];
    const origins = new Set<string>();
    for (const input of lineage.inputs) inputs.push(await this.completeInput(tx, input, known, origins));
    return { lineage: { ...lineage, inputs }, originProjectIds: [...origins] };
  }

  private async completeInput(
    tx: Tx,
    input: LineageInput,
    known: KnownSignals,
    origins: Set<string>,
  ): Promise<LineageInput> {
    const assetId = input.assetId === undefined ? undefined : parsePublicId('asset', input.assetId);
    if (assetId === undefined) return input;
    if (!known.has(assetId)) known.set(assetId, await this.recorded.of(tx, assetId));
    const recorded = known.get(assetId);
    if (recorded === undefined) return input;
    for (const projectId of recorded.projectIds) origins.add(projectId);
    return {
      ...input,
      fileSignals: together([...(input.fileSignals ?? []), ...recorded.fileSignals]),
      unreadPlaces: [...new Set([...(input.unreadPlaces ?? []), ...recorded.unreadPlaces])],
    };
  }
}

/** Each once; where there are too many, those that decide come first. */
function together(signals: readonly FileSignal[]): FileSignal[] {
  const distinct = new Map<string, FileSignal>();
  for (const signal of signals) {
    const { origin, act, use, constraint, manifestBroken } = signal;
    distinct.set(JSON.stringify([origin, act, use, constraint, manifestBroken === true]), signal);
  }
  return [...distinct.values()].sort((a, b) => weight(b) - weight(a)).slice(0, MAX_SIGNALS);
}

function weight({ act, use, constraint }: FileSignal): number {
  if (use === 'allowed') return 0;
  if (act !== 'ai-inference') return act === 'data-mining' ? 2 : 1;
  return use === 'notAllowed' || constraint === null ? 4 : 3;
}
