import { type ManifestSettingsOfProject } from '../../assets/application/manifest-settings.js';
import { type NamedActors } from '../../assets/application/named-actors.js';
import { type PictureHistory } from '../../assets/application/picture-history.js';
import { type Asset } from '../../assets/domain/asset.js';
import { findEntry, type FoundEntry, sealedValueIs } from '../../audit/application/find-entry.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type Tx } from '../../database/organization-tx.js';
import { archivedListings } from '../../licenses/application/archived-listings.js';
import { readLastDecision, type StoredClearance } from '../../licenses/application/read-clearance.js';
import { type Listing } from '../../licenses/domain/listing.js';
import { type PromptCommitment, type RequestedModel } from '../../provenance/domain/model-statements.js';
import { type ClearanceReference, type EntryReference } from '../../provenance/domain/record-assertion.js';
import { publicId } from '../../shared/ids.js';
import { type RunRepository } from '../adapters/run.repository.js';
import { definitionKeyOf } from '../domain/definition-words.js';
import { type Run, type SealedStepInputs, type StepRun } from '../domain/run.js';
import { type StepFacts, type StepImage } from '../domain/step-manifest.js';
import { type StepInputs } from './step-inputs.js';

/** An image of a step, before its file is at hand. */
export interface InputAsset extends Pick<StepImage, 'sourceTypes' | 'reserves'> {
  readonly asset: Asset;
}

export type LoadedFacts = Omit<StepFacts, 'images' | 'now' | 'trainedModel'> & {
  readonly images: Readonly<Record<string, InputAsset>>;
};

/** Collects what the manifest of a step's output says, from our own records. */
export class LoadStepFacts {
  constructor(
    private readonly runs: RunRepository,
    private readonly stepInputs: StepInputs,
    private readonly settings: ManifestSettingsOfProject,
    private readonly namedActors: NamedActors,
    private readonly history: PictureHistory,
    private readonly vault: SubjectVault,
  ) {}

  /** @throws ColophonError `inputs_erased`, `signer_unavailable` */
  async load(tx: Tx, run: Run, step: StepRun): Promise<LoadedFacts> {
    // Questions that need nothing of each other go to the database together.
    const [context, decision, inputs, isDependedOn, submitted] = await Promise.all([
      this.settings.context(tx, run.projectId),
      readLastDecision(tx, run.clearanceId),
      this.stepInputs.open(tx, run, step),
      this.runs.isDependedOn(tx, run.id, step.key),
      findEntry(tx, 'step.submitted', publicId('stepRun', step.id), 'last'),
    ]);
    const [images, clearance, models, prompt, promptWriter, organization] = await Promise.all([
      this.images(tx, run, step, inputs),
      clearanceReference(tx, decision),
      requestedModels(tx, decision, step),
      this.prompt(tx, run, step, inputs),
      context.settings.namePromptWriters ? this.namedActors.displayName(tx, run.createdBy) : undefined,
      this.namedActors.organization(tx, context.organizationName),
    ]);
    return {
      run,
      step,
      context,
      isFinal: !isDependedOn,
      images,
      clearance,
      submitted: entryReference(submitted),
      models,
      prompt,
      promptWriter,
      organization,
    };
  }

  private async images(
    tx: Tx,
    run: Run,
    step: StepRun,
    inputs: SealedStepInputs,
  ): Promise<Record<string, InputAsset>> {
    const found: Record<string, InputAsset> = {};
    for (const [name, asset] of Object.entries(await this.stepInputs.images(tx, run, step, inputs)))
      found[name] = { asset, ...(await this.history.of(tx, asset.id)) };
    return found;
  }

  /** The log holds a commitment to the prompt of the run; a step may have another one, which only its request fixes. */
  private async prompt(
    tx: Tx,
    run: Run,
    step: StepRun,
    { parameters: { prompt } }: SealedStepInputs,
  ): Promise<PromptCommitment | undefined> {
    if (typeof prompt !== 'string') return undefined;
    const { requestSha256 } = step;
    const accepted = await findEntry(tx, 'run.accepted', publicId('run', run.id));
    const commitment = accepted?.sealed.prompt;
    if (accepted === undefined || commitment === undefined) return { inLog: undefined, requestSha256 };
    const { entryId } = accepted;
    const isSame = await sealedValueIs(tx, this.vault, { entryId, field: 'prompt', value: prompt });
    return {
      inLog: isSame ? { commitment, entryId: publicId('entry', entryId) } : undefined,
      requestSha256,
    };
  }
}

async function clearanceReference(tx: Tx, decision: StoredClearance): Promise<ClearanceReference> {
  const id = publicId('clearance', decision.id);
  const { engineVersion, termsSha256 } = decision;
  const entry = await findEntry(tx, 'clearance.decided', id);
  const inputCommitment = entry?.sealed.input;
  const logged = entryReference(entry);
  return {
    id,
    decision: decision.decision,
    rulesVersion: engineVersion,
    inputCommitment,
    termsSha256,
    logged,
  };
}

function entryReference(found: FoundEntry | undefined): EntryReference | undefined {
  return found && { entry: publicId('entry', found.entryId), leafHash: found.leafHash };
}

/** The model of the step as it was cleared, then what it was made from and what always comes along with it. */
async function requestedModels(tx: Tx, { input }: StoredClearance, step: StepRun): Promise<RequestedModel[]> {
  const hashes = new Map(input.listings);
  const archive = await archivedListings(
    tx,
    input.listings.flatMap(([, sha256]) => sha256 ?? []),
  );
  const roles = new Map<string, string>();
  // Of the lineage of a step, what really ran: other instances, and fallbacks that were not needed, have their own models.
  for (const { listingId, role } of step.components)
    if (listingId !== step.listingId) roles.set(listingId, role);
  const own = archive.get(hashes.get(step.listingId) ?? '');
  if (own?.base) roles.set(own.base.listingId, `base model (${own.base.relation})`);
  for (const { listingId, role, use } of own?.components ?? [])
    if (listingId !== null && use === 'always') roles.set(listingId, role);
  const ownRole = input.lineage.components.find(
    ({ listingId, stepKey }) => listingId === step.listingId && stepKey === definitionKeyOf(step.key),
  )?.role;
  const model = (listingId: string, role: string, endpoint: string | undefined): RequestedModel => {
    const sha256 = hashes.get(listingId) ?? undefined;
    const listing = archive.get(sha256 ?? '');
    return {
      listingId,
      listingSha256: sha256,
      name: listing?.name ?? listingId,
      revision: listing && revisionOf(listing),
      channel: listingId.split('@')[1] ?? step.provider,
      endpoint,
      role,
    };
  };
  return [
    model(step.listingId, ownRole ?? 'generator', step.endpoint),
    ...[...roles].map(([listingId, role]) => model(listingId, role, undefined)),
  ];
}

function revisionOf({ revision }: Listing): string | undefined {
  if (revision === undefined) return undefined;
  if ('weightsSha256' in revision) return `sha256:${revision.weightsSha256}`;
  return 'commit' in revision ? revision.commit : revision.name;
}
