import { type Cadence, previousBoundary } from './cadence.js';
import { type ReportKind } from './report-kinds.js';
import { type ReportParameters } from './report-subject.js';

/** What a schedule makes reports about. Ids are UUIDs; a listing is named by its own id. */
export type ScheduledSubject =
  | { readonly kind: 'asset'; readonly assetId: string }
  | { readonly kind: 'campaign'; readonly projectId: string; readonly useCase: string | undefined }
  | { readonly kind: 'model'; readonly listingId: string }
  | { readonly kind: 'period' };

/**
 * So many missed reports are made up for, newest times first to be kept. A dossier and a model file say how things are
 * when they are made, so one of them is enough.
 */
export function madeUpFor(kind: ReportKind): number {
  return kind === 'campaign' || kind === 'period' ? 7 : 1;
}

/** What is asked of the report that is due at `dueAt`: the time that ends there, where the kind has one. */
export function scheduledParameters(
  subject: ScheduledSubject,
  schedule: { readonly scheduleId: string; readonly cadence: Cadence; readonly dueAt: Date },
): ReportParameters {
  const { scheduleId, cadence, dueAt } = schedule;
  const made = { scheduleId, scheduledFor: dueAt.toISOString() };
  const span = { from: previousBoundary(cadence, dueAt).toISOString(), until: dueAt.toISOString() };
  switch (subject.kind) {
    case 'asset':
      return made;
    case 'campaign':
      return { ...(subject.useCase !== undefined && { useCase: subject.useCase }), ...span, ...made };
    case 'model':
      return { listingId: subject.listingId, ...made };
    case 'period':
      return { ...span, ...made };
  }
}
