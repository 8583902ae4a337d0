import { type Tx } from '../../database/organization-tx.js';
import { type PipelineChoice } from '../../licenses/application/pipeline-lineage.js';
import { type Lineage } from '../../licenses/domain/lineage.js';
import { ColophonError } from '../../shared/errors.js';
import { type Offerings } from '../domain/offering.js';
import { isHuman } from '../domain/pipeline-definition.js';
import { lineageOfSteps } from './build-lineage.js';
import { FindPipeline } from './find-pipeline.js';

/**
 * The listings that the steps of a pipeline name, or their defaults, or what is chosen instead, with what comes along
 * with the way in which they are run here.
 */
export async function pipelineLineage(
  offerings: Offerings,
  tx: Tx,
  { pipeline, models }: PipelineChoice,
): Promise<Lineage> {
  const [name = '', version] = pipeline.split('@');
  const { definition } = await new FindPipeline().byName(
    tx,
    name,
    version === undefined ? undefined : Number(version),
  );
  const keys = definition.steps.map(({ key }) => key);
  const unknown = Object.keys(models).find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    throw new ColophonError('invalid_request', `models: the pipeline has no step "${unknown}"`, {
      extensions: { steps: keys },
    });
  }
  return lineageOfSteps(
    definition.steps.flatMap((step) => {
      if (isHuman(step)) return [];
      const { key, operation, model, fallbacks = [] } = step;
      const used = (listingId: string, endpoint: string | undefined) => {
        const components = offerings.find({ listingId, operation, endpoint })?.components ?? [];
        return { stepKey: key, operation, listingId, components };
      };
      const listingId = models[key] ?? (typeof model === 'string' ? model : model.default);
      return [used(listingId, step.endpoint), ...fallbacks.map((other) => used(other.model, other.endpoint))];
    }),
  );
}
