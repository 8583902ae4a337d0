import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { PipelineEntity } from '../adapters/run.entity.js';
import { BUILTIN_PIPELINES, type NamedPipeline } from '../domain/builtin-pipelines.js';
import { type PipelineDefinition } from '../domain/pipeline-definition.js';

export type FoundPipeline = Pick<NamedPipeline, 'name' | 'version' | 'definition'>;

export class FindPipeline {
  /** @param version `undefined` means the newest. @throws ColophonError `unknown_pipeline` */
  async byName(tx: Tx, name: string, version: number | undefined): Promise<FoundPipeline> {
    const builtin = BUILTIN_PIPELINES.find(
      (pipeline) => pipeline.name === name && (version === undefined || pipeline.version === version),
    );
    if (builtin) return builtin;
    const stored = await tx.manager.findOne(PipelineEntity, {
      where: { organizationId: tx.organizationId, name, ...(version === undefined ? {} : { version }) },
      order: { version: 'DESC' },
    });
    if (!stored) {
      const which = version === undefined ? `"${name}"` : `"${name}" in version ${version}`;
      throw new ColophonError('unknown_pipeline', `There is no pipeline ${which}.`);
    }
    return {
      name,
      version: stored.version,
      definition: JSON.parse(stored.definition.toString('utf8')) as PipelineDefinition,
    };
  }
}
