import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { PipelineEntity } from '../adapters/run.entity.js';
import { BUILTIN_PIPELINES, GATEWAY_PIPELINE_NAMES } from '../domain/builtin-pipelines.js';
import { checkPipeline } from '../domain/check-pipeline.js';
import { type PipelineDefinition } from '../domain/pipeline-definition.js';

/** A pipeline is never changed: the same name again makes its next version. */
export class CreatePipeline {
  constructor(
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `conflict` for a built-in name; `wrong_mode`; as {@link checkPipeline} says */
  async create(
    tx: Tx,
    principal: Principal,
    name: string,
    definition: PipelineDefinition,
  ): Promise<{ id: string; version: number }> {
    checkPipeline(definition);
    const reserved: readonly string[] = GATEWAY_PIPELINE_NAMES;
    if (reserved.includes(name) || BUILTIN_PIPELINES.some((pipeline) => pipeline.name === name)) {
      throw new ColophonError('conflict', `"${name}" is a built-in pipeline. Choose another name.`);
    }
    // Live runs that name it without a version would do from now on what this one says.
    if (principal.mode === 'test' && (await hasLiveRuns(tx, name)))
      refuseTestKeyOnLive(principal.mode, 'live', `What runs as "${name}"`);
    const bytes = canonicalJson(definition as unknown as JsonValue);
    // Two requests at once: the second waits here and gets the next version.
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `${tx.organizationId} pipeline ${name}`,
    ]);
    const [row] = await tx.query<{ version: number }>(
      'SELECT coalesce(max(version), 0)::int + 1 AS version FROM pipeline WHERE organization_id = $1 AND name = $2',
      [tx.organizationId, name],
    );
    const created = { id: newId(), version: row?.version ?? 1 };
    await tx.manager.insert(PipelineEntity, {
      ...created,
      organizationId: tx.organizationId,
      name,
      definition: bytes,
      createdBy: principal.principalId,
      createdAt: this.clock.now(),
    });
    await this.appendEntry.append(tx, {
      type: 'pipeline.created',
      actor: actorOf(principal),
      subject: { kind: 'pipeline', id: publicId('pipeline', created.id) },
      data: { name, version: created.version, definitionSha256: sha256Hex(bytes) },
    });
    return created;
  }
}

async function hasLiveRuns(tx: Tx, pipelineName: string): Promise<boolean> {
  const runs = await tx.query(
    `SELECT 1 FROM run WHERE organization_id = $1 AND pipeline_name = $2 AND mode = 'live' LIMIT 1`,
    [tx.organizationId, pipelineName],
  );
  return runs.length > 0;
}
