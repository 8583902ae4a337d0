import { isDeepStrictEqual } from 'node:util';
import { type Tx } from '../../database/organization-tx.js';
import { parsePublicId } from '../../shared/ids.js';
import { type Lineage, type LineageInput } from '../domain/lineage.js';
import { type LineageBehind, LineageParts, MADE_HERE } from '../domain/lineage-parts.js';
import { type ListingId } from '../domain/listing.js';

/** With the projects (UUIDs) of the asset and of all that it was made from. */
export interface AssetOrigin extends LineageBehind {
  readonly projectIds: readonly string[];
}

/**
 * What a run would ask about an asset. The composition root fills it: licenses know nothing of assets and steps.
 */
export interface AssetOrigins {
  /** @param assetId UUID; `undefined` when the organization has no such asset */
  of(tx: Tx, assetId: string): Promise<AssetOrigin | undefined>;
}

/** UUIDs of the projects from which inputs come. */
export interface CompletedLineage {
  readonly lineage: Lineage;
  readonly originProjectIds: readonly string[];
}

/** By UUID of the asset. */
export type KnownOrigins = Map<string, AssetOrigin | undefined>;

/**
 * A caller who asks about a lineage of their own may leave out which models made an input and what its file reserves,
 * and state other rights than those that it came in with. Where an input is an asset of the organization, everything
 * behind it is added as a run adds it, and the policies of its projects are asked: the answer must be that of a run.
 */
export class CompleteLineage {
  constructor(private readonly origins: AssetOrigins) {}

  /**
   * @param known what was found for assets of other lineages of the same question
   * @throws ColophonError `pipeline_too_large`
   */
  async complete(tx: Tx, asked: Lineage, known: KnownOrigins = new Map()): Promise<CompletedLineage> {
    const originProjectIds = new Set<string>();
    const parts = new LineageParts();
    parts.addComponents(asked.components);
    const all = [...new Set(asked.components.map(({ listingId }) => listingId))];
    const stated: StatedInput[] = [];
    for (const input of asked.inputs) {
      const gets = saidOf(input) ?? all;
      const origin = await this.originOf(tx, input, known);
      stated.push({ input, gets, isKnown: origin !== undefined });
      if (origin === undefined) continue;
      parts.addBehind(origin, gets);
      for (const projectId of origin.projectIds) originProjectIds.add(projectId);
    }
    const others = stated.flatMap((one) => whatIsStated(one, parts, all));
    return { lineage: parts.lineage(others), originProjectIds: [...originProjectIds] };
  }

  private async originOf(
    tx: Tx,
    { assetId: named }: LineageInput,
    known: KnownOrigins,
  ): Promise<AssetOrigin | undefined> {
    const assetId = named === undefined ? undefined : parsePublicId('asset', named);
    if (assetId === undefined) return undefined;
    if (!known.has(assetId)) known.set(assetId, await this.origins.of(tx, assetId));
    return known.get(assetId);
  }
}

interface StatedInput {
  readonly input: LineageInput;
  /** Listings of the question that get it. */
  readonly gets: readonly ListingId[];
  /** Whether it is an asset of the organization. */
  readonly isKnown: boolean;
}

/** An empty list says nothing. */
function saidOf({ goesInto }: LineageInput): readonly ListingId[] | undefined {
  return goesInto === undefined || goesInto.length === 0 ? undefined : goesInto;
}

/** What a caller says holds beside what is recorded, as far as it is something else. */
function whatIsStated(
  { input, gets, isKnown }: StatedInput,
  parts: LineageParts,
  all: readonly ListingId[],
): LineageInput[] {
  const recorded = input.assetId === undefined ? undefined : parts.recorded(input.assetId);
  const said = [madeHere(input), ...(recorded === undefined ? [] : [recorded])];
  if (isKnown && said.some((other) => addsNothing(input, other))) return [];
  // That something was made here is found out by looking: of what nobody here knows, nobody knows on what right it rests.
  const told: LineageInput =
    !isKnown && input.rightsBasis === 'produced-here' ? { ...input, rightsBasis: 'unknown' } : input;
  // "All of the lineage may get it" was said of the listings of the question, not of those that made other inputs.
  if (!parts.hasMoreThan(all)) return [told];
  return [{ ...told, goesInto: [...new Set([...gets, ...(recorded?.goesInto ?? [])])] }];
}

/** Who is shown is asked of what came in, so of what was made here it says nothing. */
function madeHere({ showsPeople }: LineageInput): LineageInput {
  return showsPeople === undefined ? MADE_HERE : { ...MADE_HERE, showsPeople };
}

/** Whether a description says of a file nothing but what this other one says, too. */
function addsNothing(stated: LineageInput, other: LineageInput): boolean {
  const { fileSignals = [], unreadPlaces = [] } = other;
  return (
    isDeepStrictEqual(declaredIn(stated), declaredIn(other)) &&
    (stated.fileSignals ?? []).every((one) => fileSignals.some((read) => isDeepStrictEqual(one, read))) &&
    (stated.unreadPlaces ?? []).every((place) => unreadPlaces.includes(place))
  );
}

function declaredIn({
  assetId: _asset,
  fileSignals: _signals,
  unreadPlaces: _unread,
  goesInto: _got,
  ...declared
}: LineageInput) {
  return declared;
}
