import { type AssetRepository, type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { readingOf } from '../../assets/domain/asset.js';
import { isStillImageType } from '../../assets/domain/media-probe/still-image-type.js';
import { type SignalReading } from '../../assets/domain/signal-reading.js';
import { type Tx } from '../../database/organization-tx.js';
import { type KeyMode } from '../../identity/domain/api-key.js';
import {
  type Lineage,
  type LineageComponent,
  type LineageInput,
  MAX_COMPONENTS,
  MAX_INPUTS,
} from '../../licenses/domain/lineage.js';
import { PURPOSES } from '../../licenses/domain/terms.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { mediaKindOf } from '../domain/media-kind.js';
import { definitionKeyOf } from '../domain/definition-words.js';
import { listingsThatGet, listingsThatGot, type MadeAsset } from '../domain/picture-flow.js';
import { type OfferedComponent } from '../domain/offering.js';
import { type Operation, OPERATION_FACTS } from '../domain/operation.js';
import { type PlannedStep } from '../domain/plan-steps.js';
import { isHuman } from '../domain/pipeline-definition.js';
import { type RunInputs } from '../domain/run-inputs.js';

/** A step as far as its lineage is concerned. */
interface UsedStep {
  readonly stepKey: string;
  readonly operation: Operation;
  readonly listingId: string;
  readonly components: readonly OfferedComponent[];
}

/** What a lineage is made of while it is being built, by what must not be in it twice. */
interface Parts {
  readonly components: Map<string, LineageComponent>;
  readonly inputs: Map<string, LineageInput>;
}

/**
 * Everything the output will descend from: the listings of the steps, the received inputs with their declared rights
 * and with what their files reserve, and, for an asset that was made here, the whole lineage of that asset too. With the
 * projects (UUIDs) from which all of that comes.
 */
export async function buildLineage(
  tx: Tx,
  assets: AssetRepository,
  steps: readonly PlannedStep[],
  inputs: RunInputs,
  mode: KeyMode,
): Promise<{ readonly lineage: Lineage; readonly originProjectIds: readonly string[] }> {
  const parts: Parts = { components: new Map(), inputs: new Map() };
  const originProjectIds = new Set<string>();
  for (const step of steps) addPlanned(parts, step);
  for (const assetId of assetsGivenTo(inputs)) {
    const lineage = await lineageOf(tx, assets, assetId);
    refuseOtherMedia(lineage[0]);
    // Else a live run would turn a placeholder of the sandbox into an asset that may be released.
    if (mode === 'live' && lineage.some((ancestor) => ancestor.mode === 'test'))
      throw new ColophonError('wrong_mode', 'inputs: an asset made with a test key stays in test runs.');
    for (const { projectId } of lineage) originProjectIds.add(projectId);
    const made: MadeAsset[] = [];
    for (const { id, parents, stepRunId } of lineage) {
      made.push({ id, parents, listingId: await addStepOf(tx, parts, stepRunId) });
    }
    const gets = listingsThatGet(assetId, steps, inputs);
    for (const ancestor of lineage)
      addInput(parts, ancestor, [...gets, ...listingsThatGot(ancestor.id, made)]);
  }
  const { components, inputs: found } = parts;
  const lineage = { components: [...components.values()], inputs: [...found.values()] };
  requireDecidable(lineage);
  return { lineage, originProjectIds: [...originProjectIds] };
}

/** Whatever may run for it: instances of one step are one part of the lineage, and a fallback counts like the first. */
function addPlanned(parts: Parts, step: PlannedStep): void {
  const { definition, substituteAssetId, left } = step;
  if (substituteAssetId !== undefined || left !== undefined || isHuman(definition)) return;
  for (const used of [step, ...step.fallbacks])
    addStep(parts, { ...used, operation: definition.operation, stepKey: definition.key });
}

/** Assets that a run works on from outside of it, each once. */
export function assetsGivenTo({ images, substitutes, lists = {} }: RunInputs): Set<string> {
  const items = Object.values(lists).flat();
  return new Set(
    [images, substitutes, ...items.map((item) => item.images)].flatMap((record) => Object.values(record)),
  );
}

/** A decision is about so much at most; more is refused before anything is asked of it. */
function requireDecidable({ components, inputs }: Lineage): void {
  if (components.length <= MAX_COMPONENTS && inputs.length <= MAX_INPUTS) return;
  throw new ColophonError(
    'pipeline_too_large',
    `The run would use ${components.length} models in its steps and ${inputs.length} received files; the limits are ${MAX_COMPONENTS} and ${MAX_INPUTS}.`,
  );
}

/** What steps use, without what they are given. */
export function lineageOfSteps(steps: readonly UsedStep[]): Lineage {
  const parts: Parts = { components: new Map(), inputs: new Map() };
  for (const step of steps) addStep(parts, step);
  return { components: [...parts.components.values()], inputs: [] };
}

async function lineageOf(tx: Tx, assets: AssetRepository, assetId: string): Promise<AssetWithParents[]> {
  try {
    return await assets.lineage(tx, assetId);
  } catch (error) {
    if (error instanceof ColophonError && error.code === 'not_found') {
      throw new ColophonError('invalid_request', 'inputs: there is no asset with one of the given ids');
    }
    throw error;
  }
}

/**
 * Pictures must be still ones that a decoder reads; words are no input. Which kind a step takes, its definition says
 * (input-media.ts), and which of them its provider. Found here, before anything is spent.
 */
function refuseOtherMedia(asset: AssetWithParents | undefined): void {
  if (asset === undefined || isStillImageType(asset.mediaType)) return;
  const kind = mediaKindOf(asset.mediaType);
  if (kind !== undefined && kind !== 'image') return;
  throw new ColophonError(
    'not_a_picture',
    `inputs: ${publicId('asset', asset.id)} is of the type ${asset.mediaType}; steps work on still pictures.`,
  );
}

/** @returns the listing that made the asset */
async function addStepOf(tx: Tx, parts: Parts, stepRunId: string | undefined): Promise<string | undefined> {
  if (stepRunId === undefined) return undefined;
  const [step] = await tx.query<{
    listing_id: string;
    operation: Operation;
    key: string;
    components: OfferedComponent[] | null;
  }>('SELECT listing_id, operation, key, components FROM step_run WHERE organization_id = $1 AND id = $2', [
    tx.organizationId,
    stepRunId,
  ]);
  // What made it is not known, so nothing could be said about it.
  if (!step) throw new Error(`the step ${stepRunId} of an asset does not exist`);
  addStep(parts, {
    listingId: step.listing_id,
    operation: step.operation,
    stepKey: definitionKeyOf(step.key),
    components: step.components ?? [],
  });
  return step.listing_id;
}

/** The listing itself, and every weight that runs with it. */
function addStep(
  { components }: Parts,
  { listingId, operation, stepKey, components: along }: UsedStep,
): void {
  for (const used of [{ listingId, role: OPERATION_FACTS[operation].role }, ...along])
    components.set(`${used.listingId} ${used.role} ${stepKey}`, { ...used, stepKey });
}

/** An ancestor that came in twice, on two ways, goes into the listings of both. */
function addInput({ inputs }: Parts, asset: AssetWithParents, goesInto: readonly string[]): void {
  const input = inputOf(asset);
  if (input === undefined) return;
  const known = inputs.get(asset.id)?.goesInto ?? [];
  inputs.set(asset.id, { ...input, goesInto: [...new Set([...known, ...goesInto])] });
}

function inputOf(asset: AssetWithParents): LineageInput | undefined {
  const reading = readingOf(asset);
  const found =
    reading === undefined ? {} : { fileSignals: reading.signals, unreadPlaces: reading.unreadPlaces };
  const assetId = publicId('asset', asset.id);
  if (asset.rights) return { ...asset.rights, ...found, assetId };
  return reading !== undefined && speaks(reading) ? { ...MADE_HERE, ...found, assetId } : undefined;
}

/** Whether a file reserves something, or holds what could not be read. */
export function speaks({ signals, unreadPlaces }: SignalReading): boolean {
  return unreadPlaces.length > 0 || signals.some(({ use }) => use !== 'allowed');
}

/** A person's edit: its rights are those of what it was made from. Its file may reserve something of its own. */
const MADE_HERE = {
  rightsBasis: 'produced-here',
  allowedUses: [...PURPOSES],
  aiInput: 'yes',
  territory: 'worldwide',
  expiresAt: null,
  releases: [],
} satisfies LineageInput;
