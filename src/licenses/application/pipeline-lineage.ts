import { type Tx } from '../../database/organization-tx.js';
import { type Lineage } from '../domain/lineage.js';
import { type ListingId } from '../domain/listing.js';

export interface PipelineChoice {
  /** `name`, or `name@version`. */
  readonly pipeline: string;
  /** Another model in place of the one that the pipeline names, by step key. */
  readonly models: Readonly<Record<string, ListingId>>;
}

/**
 * What a pipeline would use, without inputs. The composition root fills it: licenses know nothing of pipelines.
 */
export class PipelineLineage {
  /** @throws ColophonError `unknown_pipeline`; `invalid_request` for a step that the pipeline does not have */
  constructor(readonly of: (tx: Tx, choice: PipelineChoice) => Promise<Lineage>) {}
}
