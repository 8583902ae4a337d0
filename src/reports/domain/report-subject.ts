import { publicId } from '../../shared/ids.js';
import { type ReportKind } from './report-kinds.js';

/** What was asked for, beside the subject. Fixed when it is requested. */
export interface ReportParameters {
  /** Campaign: a use case of the project, by its name. */
  readonly useCase?: string;
  /** RFC 3339; campaign and period: what is looked at. `until` is exclusive. */
  readonly from?: string;
  readonly until?: string;
  /** Model: the listing. */
  readonly listingId?: string;
  /** Bundle of an asset: attachments whose files go into it, by their public ids; of the others there is the hash. */
  readonly attachments?: readonly string[];
  /** Made by this schedule, for this due time (RFC 3339). */
  readonly scheduleId?: string;
  readonly scheduledFor?: string;
}

interface Subject {
  readonly organizationId: string;
  readonly kind: ReportKind;
  /** UUID of the asset or project; of the organization where there is no other. */
  readonly subjectId: string;
}

/**
 * The public id of what a report is about: an asset, a project, or the organization itself, whose listing or log it is
 * about.
 */
export function reportSubject({ organizationId, kind, subjectId }: Subject): string {
  switch (kind) {
    case 'asset':
      return publicId('asset', subjectId);
    case 'campaign':
      return publicId('project', subjectId);
    case 'model':
    case 'period':
      return publicId('organization', organizationId);
  }
}
