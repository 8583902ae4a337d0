import { METADATA_ACTION } from '../../domain/manifest-rules.js';
import { type PlannedAction, type PlannedAssertion } from '../../domain/manifest-plan.js';
import { type SignMediaRequest } from '../../domain/media-signer.port.js';
import { type ManifestPlacement } from '../../domain/media-types.js';
import { type MediaContent } from '../media-content.js';
import { type ContentWithMetadata, withMetadata, type WrittenMetadata } from '../xmp/write-metadata.js';

/** The captured bytes were compared with their hash before; what is added here stands in the plan. */
export async function addMetadata(
  { source, plan }: SignMediaRequest,
  content: MediaContent,
  targetPath: string,
  placement: ManifestPlacement,
): Promise<ContentWithMetadata | undefined> {
  // A file with its manifest beside it stays as it came, to the byte.
  if (placement === 'sidecar' || plan.embeddedMetadata === undefined) return undefined;
  return withMetadata({ mediaType: source.mediaType, content }, plan.embeddedMetadata, targetPath);
}

/** What was written into the file itself, so that the change can be told from one that somebody else made. */
export function embeddedMetadataAssertion({ properties, replaced }: WrittenMetadata): PlannedAssertion {
  const listed = (texts: WrittenMetadata['properties']) =>
    texts.map(({ namespace, name, value }) => ({ namespace, name, value }));
  return {
    label: 'org.colophon.embedded-metadata',
    kind: 'created',
    data: { format: 'xmp', properties: listed(properties), replaced: listed(replaced) },
  };
}

export function metadataAction(
  when: string,
  softwareAgent: { readonly name: string; readonly version: string },
): PlannedAction {
  return {
    action: METADATA_ACTION,
    digitalSourceType: undefined,
    when,
    softwareAgent,
    description: 'Metadata written into the file; the picture itself is unchanged',
  };
}
