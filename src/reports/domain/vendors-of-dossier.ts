import { type AssetDossier, type DossierModel } from './dossier.js';

/** Channels on which nobody but the operator sees what is sent and made. */
const OWN_CHANNELS: readonly string[] = ['studio', 'sandbox', 'self-hosted', 'comfyui'];
/** Providers on machines of the operator, and people. Every other one is a vendor. */
const OWN_PROVIDERS: readonly string[] = ['studio', 'sandbox', 'people', 'openai-compatible', 'comfyui'];

/** Of the models behind the file, those that a vendor ran. What a test key does is played here, whatever the model. */
export function vendorModels({ models, chain }: Pick<AssetDossier, 'models' | 'chain'>): DossierModel[] {
  const steps = chain.flatMap(({ step }) => step ?? []);
  if (steps.length > 0 && !steps.some(({ provider }) => isVendor(provider))) return [];
  return models.filter(({ channel }) => !OWN_CHANNELS.includes(channel));
}

/**
 * To whom requests of the runs behind the file went, successful or not: also those of steps that failed, of models that
 * another one stood in for, and of files that were not taken.
 */
export function sentTo({ runs, models, chain }: Pick<AssetDossier, 'runs' | 'models' | 'chain'>): string[] {
  const sent = runs.flatMap((run) => run.sentTo ?? []).filter(({ provider }) => isVendor(provider));
  // Reports of before the requests were looked up know the models of the result alone.
  const known = runs.every((run) => run.sentTo !== undefined)
    ? []
    : vendorModels({ models, chain }).map(({ vendor, channel }) => `${vendor} through ${channel}`);
  const vendorOf = (listingId: string): string =>
    models.find((model) => model.listingId === listingId)?.vendor ?? listingId;
  return [
    ...new Set([
      ...known,
      ...sent.map(({ provider, listingId }) => `${vendorOf(listingId)} through ${provider}`),
    ]),
  ];
}

function isVendor(provider: string): boolean {
  return !OWN_PROVIDERS.includes(provider);
}
