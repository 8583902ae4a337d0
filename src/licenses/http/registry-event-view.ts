import { publicId } from '../../shared/ids.js';
import { type DescribedEvent, type RegistryEvent } from '../application/registry-changes.js';

/** A change of the registry as the API shows it, with what it did. */
export function describedView({ event, details }: DescribedEvent) {
  if (details === undefined || !('version' in event)) return eventView(event);
  const { changes, moreChanges, reopened } = details;
  const opened = reopened && {
    clearances: reopened.clearances,
    clearanceIds: reopened.clearanceIds.map((id) => publicId('clearance', id)),
  };
  return { ...eventView(event), changes, moreChanges, reopened: opened };
}

function eventView(event: RegistryEvent) {
  const at = event.at.toISOString();
  switch (event.kind) {
    case 'listing':
      return { ...event, at, id: publicId('listing', event.id) };
    case 'curation':
      return { ...event, at, id: publicId('curation', event.id) };
    case 'license-text':
      return { ...event, at, id: publicId('licenseText', event.id) };
    case 'waiver-approved':
    case 'waiver-ended':
      return {
        ...event,
        at,
        id: publicId('waiver', event.id),
        clearanceId: event.clearanceId === null ? null : publicId('clearance', event.clearanceId),
        expiresAt: event.expiresAt.toISOString(),
      };
    case 'product-listings':
      return { ...event, at };
  }
}
