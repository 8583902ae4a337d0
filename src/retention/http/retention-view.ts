import { type IdKind, publicId } from '../../shared/ids.js';
import { type RemovedKind } from '../../audit/core/entries/retention-entries.js';
import { type RetentionForecast } from '../application/preview-retention.js';
import { type RetentionRule } from '../domain/retention-rule.js';

const ID_OF = {
  asset: 'asset',
  captured: 'stepRun',
  attachment: 'attachment',
  report: 'report',
  prompts: 'run',
} as const satisfies Record<RemovedKind, IdKind>;

export function retentionRuleView(rule: RetentionRule) {
  const { does, scope } = rule;
  const terms = does.action === 'remove' ? does : undefined;
  return {
    kind: rule.kind,
    projectId: scope.projectId === undefined ? null : publicId('project', scope.projectId),
    version: rule.version,
    action: does.action,
    days: terms?.days ?? null,
    since: terms?.since ?? null,
    campaignEndsOn: terms?.campaignEndsOn ?? null,
    evidence: terms?.evidence ?? null,
    setBy: publicId('principal', rule.setBy),
    setAt: rule.createdAt.toISOString(),
    effectiveFrom: rule.effectiveFrom.toISOString(),
    entryId: publicId('entry', rule.entryId),
  };
}

/** `remove` says what the next round does; the reasons are all that stand against it, not only the first. */
export function forecastView(organizationId: string) {
  return (forecast: RetentionForecast) => ({
    kind: forecast.thing.kind,
    id: publicId(ID_OF[forecast.thing.kind], forecast.thing.id),
    subject: forecast.subjectId,
    projectId: forecast.projectId === undefined ? null : publicId('project', forecast.projectId),
    remove: forecast.keptBecause.length === 0,
    keptBecause: forecast.keptBecause,
    holdIds: forecast.holdIds.map((id) => publicId('legalHold', id)),
    dueAt: forecast.dueAt?.toISOString() ?? null,
    rule: forecast.rule && {
      scopeId:
        forecast.rule.scopeId === organizationId
          ? publicId('organization', organizationId)
          : publicId('project', forecast.rule.scopeId),
      version: forecast.rule.version,
    },
    sha256: forecast.hashes,
    sizeBytes: forecast.sizeBytes ?? null,
  });
}
