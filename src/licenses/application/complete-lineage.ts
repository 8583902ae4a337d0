import { isDeepStrictEqual } from 'node:util';
import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId } from '../../shared/ids.js';
import { type FileSignal } from '../domain/file-signals.js';
import { type Lineage, type LineageInput, MAX_INPUTS } from '../domain/lineage.js';

/** What was read in the files behind an asset: its own, and those of everything that it was made from. */
export interface RecordedSignals {
  /** @param assetId UUID; `undefined` when the organization has no such asset */
  of(tx: Tx, assetId: string): Promise<RecordedOrigin | undefined>;
}

/** With the projects (UUIDs) of the asset and of all that it was made from. */
export interface RecordedOrigin extends Required<Pick<LineageInput, 'fileSignals' | 'unreadPlaces'>> {
  readonly projectIds: readonly string[];
  /** What was received among them, each with the rights that were declared for it, as a run would ask about it. */
  readonly received: readonly LineageInput[];
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
 * A caller who asks about a lineage of their own may leave out what a file reserves, and state other rights than those
 * that it came in with. Where an input is an asset of the organization, what was read in it and what was declared for it
 * and for everything behind it is added, and the policies of its projects are asked: the answer must be that of a run.
 */
export class CompleteLineage {
  constructor(private readonly recorded: RecordedSignals) {}

  /**
   * @param known what was found for assets of other lineages of the same question
   * @throws ColophonError `pipeline_too_large`
   */
  async complete(tx: Tx, lineage: Lineage, known: KnownSignals = new Map()): Promise<CompletedLineage> {
    const inputs: LineageInput[] = [];
    const origins = new Set<string>();
    for (const input of lineage.inputs) inputs.push(...(await this.completeInput(tx, input, known, origins)));
    if (inputs.length > MAX_INPUTS)
      throw new ColophonError(
        'pipeline_too_large',
        `With what these inputs were made from there are ${inputs.length} of them; the limit is ${MAX_INPUTS}.`,
      );
    return { lineage: { ...lineage, inputs }, originProjectIds: [...origins] };
  }

  private async completeInput(
    tx: Tx,
    input: LineageInput,
    known: KnownSignals,
    origins: Set<string>,
  ): Promise<LineageInput[]> {
    const assetId = input.assetId === undefined ? undefined : parsePublicId('asset', input.assetId);
    if (assetId === undefined) return [notMadeHere(input)];
    if (!known.has(assetId)) known.set(assetId, await this.recorded.of(tx, assetId));
    const recorded = known.get(assetId);
    if (recorded === undefined) return [notMadeHere(input)];
    for (const projectId of recorded.projectIds) origins.add(projectId);
    const stated: LineageInput = {
      ...input,
      fileSignals: together([...(input.fileSignals ?? []), ...recorded.fileSignals]),
      unreadPlaces: [...new Set([...(input.unreadPlaces ?? []), ...recorded.unreadPlaces])],
    };
    const { goesInto } = input;
    const received = recorded.received.map((one) => (goesInto === undefined ? one : { ...one, goesInto }));
    return [stated, ...received.filter((one) => !isDeepStrictEqual(one, stated))];
  }
}

/** That something was made here is found out by looking: of what nobody here knows, nobody knows on what right it rests. */
function notMadeHere(input: LineageInput): LineageInput {
  return input.rightsBasis === 'produced-here' ? { ...input, rightsBasis: 'unknown' } : input;
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
