import { type ReportEntity } from '../adapters/report.entity.js';
import { type ReportSignature } from '../domain/report-signature.js';
import { type ShownPeople } from './collect-dossier.js';

/** A report that is being made. */
export interface ReportOrder {
  readonly organizationId: string;
  readonly report: ReportEntity;
  /** Where its bytes go; must not exist, or be empty. */
  readonly path: string;
  /** How far it is, 0 to 1, for whoever waits. */
  readonly progress: (share: number) => Promise<void>;
}

export interface MadeReport {
  readonly mediaType: string;
  /** Whose erasure withdraws it. */
  readonly shown: ShownPeople;
  /** `undefined` for forms that carry none. */
  readonly signature: ReportSignature | undefined;
}

/** Makes reports of one kind, in all its formats. Repeatable: a crash leaves nothing but a staged file. */
export interface MakesReports {
  make(order: ReportOrder): Promise<MadeReport>;
}
