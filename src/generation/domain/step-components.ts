import { type LineageComponent } from '../../licenses/domain/lineage.js';
import { type OfferedComponent } from './offering.js';
import { type Operation, OPERATION_FACTS } from './operation.js';

/** A step as far as its lineage is concerned. */
export interface UsedStep {
  readonly stepKey: string;
  readonly operation: Operation;
  readonly listingId: string;
  readonly components: readonly OfferedComponent[];
}

/** The listing itself, and every weight that runs with it. */
export function componentsOfStep({
  listingId,
  operation,
  stepKey,
  components,
}: UsedStep): LineageComponent[] {
  return [{ listingId, role: OPERATION_FACTS[operation].role }, ...components].map((used) => ({
    ...used,
    stepKey,
  }));
}
