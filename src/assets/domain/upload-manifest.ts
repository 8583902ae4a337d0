import { type ManifestPlan } from '../../provenance/domain/manifest-plan.js';
import { recordAssertion } from '../../provenance/domain/record-assertion.js';
import { type RightsDeclaration } from './asset.js';
import { signalAssertions, type SignalReading, statedSourceType } from './signal-reading.js';

/**
 * The manifest of a file from outside says that we received it and what was declared; it never says who made it or how,
 * because nobody here knows (promises P9, P10). What its metadata says of generative models is repeated, because metadata is
 * lost easily. Nothing is written into the file, and nobody is named in it.
 */
export function uploadManifest(upload: {
  readonly assetId: string;
  readonly title: string;
  readonly file: { readonly path: string; readonly mediaType: string };
  readonly rights: RightsDeclaration;
  readonly signalReading: SignalReading;
  readonly logOrigin: string;
  readonly mode: string;
}): ManifestPlan {
  const { assetId, title, file, rights, signalReading, logOrigin, mode } = upload;
  return {
    title,
    actions: [],
    // Opened, and nothing else.
    allActionsIncluded: true,
    ingredients: [
      { ...file, title, relationship: 'parentOf', digitalSourceType: typeInMetadata(signalReading) },
    ],
    assertions: [
      recordAssertion({ log: logOrigin, mode, asset: assetId }),
      { label: 'org.colophon.rights-declaration', kind: 'gathered', data: { ...rights } },
      ...signalAssertions(signalReading),
    ],
    identities: [],
    embeddedMetadata: undefined,
    thumbnail: true,
  };
}

/** `undefined` where a manifest in the file says it, which stays in the chain. */
function typeInMetadata(reading: SignalReading): ReturnType<typeof statedSourceType> {
  const isInManifest = reading.sourceStatements?.some(({ place }) => place === 'c2pa') === true;
  return isInManifest ? undefined : statedSourceType(reading);
}
