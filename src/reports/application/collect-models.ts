import { factChanges } from '../../licenses/domain/listing-changes.js';
import { type Listing } from '../../licenses/domain/listing.js';
import { indexListing, type ListingIndex } from '../../licenses/domain/listing-index.js';
import { mergedComponents, type SupplyChainComponent } from '../../licenses/formats/supply-chain.js';
import { publicId } from '../../shared/ids.js';
import { type DossierAsset, type DossierModel } from '../domain/dossier.js';
import { type Used } from './used-under-decisions.js';

/**
 * The models of the steps that made the chain, in order of first use, as the decisions knew them under which they ran; and
 * what has changed about them since.
 */
export function collectModels(
  used: readonly Used[],
  chain: readonly DossierAsset[],
  today: ListingIndex,
): DossierModel[] {
  const stepKeys = new Map<string, Set<string>>();
  for (const { step } of chain) {
    if (step) stepKeys.set(step.listingId, (stepKeys.get(step.listingId) ?? new Set()).add(step.stepKey));
  }
  const { components } = mergedComponents([...used].reverse().map(({ parts }) => parts));
  const byId = new Map(components.map((component) => [component.listing.id, component]));
  return [...stepKeys].flatMap(([listingId, keys]) => {
    const component = byId.get(listingId);
    if (component === undefined) return [];
    const decidedBy = used.filter(({ parts }) =>
      parts.components.some(({ listing }) => listing.id === listingId),
    );
    return [
      {
        ...factsOf(component),
        decidedBy: decidedBy.map(({ decision }) => publicId('clearance', decision.id)).reverse(),
        changedSince: changesOf(component, today),
        stepKeys: [...keys],
      },
    ];
  });
}

/**
 * The listings behind a chain, with everything that they load by themselves. A decision covers all models of its run, also
 * those of which no file of this chain came.
 * @returns `undefined` where it is not known of every step: then nothing may be said of any
 */
export function listingsBehind(
  used: readonly Used[],
  chain: readonly DossierAsset[],
): ReadonlySet<string> | undefined {
  const steps = chain.flatMap(({ step }) => step ?? []);
  const found = new Set(used.flatMap(({ parts }) => parts.components.map(({ listing }) => listing.id)));
  return steps.every(({ listingId }) => found.has(listingId)) ? found : undefined;
}

function factsOf({ listing, listingSha256 }: SupplyChainComponent) {
  const { id: listingId, name, vendor, channel, license, trainingData, indemnity } = listing;
  return {
    listingId,
    listingSha256,
    name,
    vendor,
    channel,
    license: {
      name: license.name,
      reference: license.spdxOrRef,
      url: license.url ?? undefined,
      textSha256: license.textSha256 ?? undefined,
      dateRead: license.dateRead,
    },
    trainingData: { disclosure: trainingData.disclosure, summary: trainingData.summary },
    indemnity: [`Offered: ${indemnity.offered}.`, ...indemnity.conditions].join(' '),
    access: listing.access,
    adaptation: adaptationOf(listing),
  };
}

function adaptationOf({ base, datasetManifestSha256, datasetManifest }: Listing): DossierModel['adaptation'] {
  if (base === null) return undefined;
  const rights = datasetManifest?.rights ?? [];
  return {
    base: base.listingId,
    relation: base.relation,
    datasetManifestSha256: datasetManifestSha256 ?? undefined,
    images: datasetManifest?.images,
    releases: datasetManifest?.releases.length ?? 0,
    untrainable: rights
      .filter(({ trainingAllowed }) => trainingAllowed !== 'yes')
      .reduce((sum, { images }) => sum + images, 0),
  };
}

/** In sentences, for people. */
function changesOf({ listing, earlierSha256 = [] }: SupplyChainComponent, today: ListingIndex): string[] {
  const now = today.get(listing.id);
  const said =
    earlierSha256.length === 0
      ? []
      : ['Runs of this chain were decided with different versions of these facts; the last one is shown.'];
  if (now === undefined) return [...said, 'The registry has no listing of this model any more.'];
  const change = { version: 0, listingId: listing.id, textChanged: false };
  const facts = factChanges({ ...change, before: indexListing(listing), after: now }).map(({ fact }) => fact);
  if (facts.length === 0) return said;
  const [then, since] = [listing.license.status, now.listing.license.status];
  const status = then === since ? '' : ` The license was ${then} and is ${since}.`;
  return [...said, `Recorded otherwise since the decision: ${facts.join(', ')}.${status}`];
}
