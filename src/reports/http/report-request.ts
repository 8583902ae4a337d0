import { z } from 'zod';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId } from '../../shared/ids.js';
import { type ReportRequest } from '../application/request-report.js';
import { CADENCES } from '../domain/cadence.js';
import { FORMATS_OF } from '../domain/report-kinds.js';
import { type ScheduledSubject } from '../domain/report-schedule.js';
import { type ReportParameters } from '../domain/report-subject.js';

const projectId = z.string().regex(/^prj_[0-9a-f]{32}$/, 'a project id such as prj_018f...');
const time = z.iso.datetime().describe('RFC 3339, UTC');
const span = {
  from: time.exactOptional().describe('from this time on; without it from the beginning'),
  until: time.exactOptional().describe('before this time; without it up to now'),
};
/** As names of use cases are written when they are created. */
const useCase = z.string().min(1).max(200);

const campaignFields = { projectId, useCase: useCase.exactOptional() };
const assetId = z.string().regex(/^ast_[0-9a-f]{32}$/, 'an asset id such as ast_018f...');
const listingId = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,79}@[a-z0-9-]{1,40}$/, 'a model listing id');
const cadence = z.enum(CADENCES).describe('the day, week from Monday, or month in UTC that has ended');

export const reportSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('asset'),
      format: z.enum(FORMATS_OF.asset),
      assetId,
      attachments: z
        .array(z.string().regex(/^att_[0-9a-f]{32}$/, 'an attachment id such as att_018f...'))
        .max(100)
        .exactOptional()
        .describe(
          'files of contributions that go into the bundle, which shows them to whoever gets it; of the others it has the hash',
        ),
    }),
    z.strictObject({
      kind: z.literal('campaign'),
      format: z.enum(FORMATS_OF.campaign),
      ...campaignFields,
      ...span,
    }),
    z.strictObject({
      kind: z.literal('model'),
      format: z.enum(FORMATS_OF.model),
      listingId,
    }),
    z.strictObject({ kind: z.literal('period'), format: z.enum(FORMATS_OF.period), ...span }),
  ])
  .meta({ id: 'RequestReport' });
export type ReportBody = z.infer<typeof reportSchema>;

export const scheduleSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('asset'), format: z.enum(FORMATS_OF.asset), assetId, cadence }),
    z.strictObject({
      kind: z.literal('campaign'),
      format: z.enum(FORMATS_OF.campaign),
      ...campaignFields,
      cadence,
    }),
    z.strictObject({ kind: z.literal('model'), format: z.enum(FORMATS_OF.model), listingId, cadence }),
    z.strictObject({ kind: z.literal('period'), format: z.enum(FORMATS_OF.period), cadence }),
  ])
  .meta({ id: 'CreateReportSchedule' });
export type ScheduleBody = z.infer<typeof scheduleSchema>;

/** @throws ColophonError `not_found` */
export function toScheduledSubject(body: ScheduleBody): ScheduledSubject {
  const { kind } = body;
  switch (kind) {
    case 'asset':
      return { kind, assetId: required('asset', body.assetId) };
    case 'campaign':
      return { kind, projectId: required('project', body.projectId), useCase: body.useCase };
    case 'model':
      return { kind, listingId: body.listingId };
    case 'period':
      return { kind };
  }
}

/** @throws ColophonError `not_found`, `invalid_request` */
export function toReportRequest(body: ReportBody): ReportRequest {
  const { kind, format } = body;
  switch (kind) {
    case 'asset':
      return { kind, format, subjectId: required('asset', body.assetId), parameters: attachmentsOf(body) };
    case 'campaign': {
      const parameters = { ...(body.useCase !== undefined && { useCase: body.useCase }), ...spanOf(body) };
      return { kind, format, subjectId: required('project', body.projectId), parameters };
    }
    case 'model':
      return { kind, format, parameters: { listingId: body.listingId } };
    case 'period':
      return { kind, format, parameters: spanOf(body) };
  }
}

/** Only a bundle holds files. @throws ColophonError `invalid_request` */
function attachmentsOf({
  format,
  attachments = [],
}: Extract<ReportBody, { kind: 'asset' }>): Pick<ReportParameters, 'attachments'> {
  if (attachments.length === 0) return {};
  if (format !== 'bundle')
    throw new ColophonError('invalid_request', 'attachments: only a bundle holds files');
  return { attachments: [...new Set(attachments)].sort() };
}

function required(kind: 'asset' | 'project', id: string): string {
  const uuid = parsePublicId(kind, id);
  if (uuid === undefined) throw new ColophonError('not_found', `There is no ${kind} with this id.`);
  return uuid;
}

function spanOf({
  from,
  until,
}: {
  from?: string;
  until?: string;
}): Pick<ReportParameters, 'from' | 'until'> {
  const iso = (text: string): string => new Date(text).toISOString();
  if (from !== undefined && until !== undefined && new Date(from) >= new Date(until))
    throw new ColophonError('invalid_request', '"from" must be before "until".');
  return {
    ...(from !== undefined && { from: iso(from) }),
    ...(until !== undefined && { until: iso(until) }),
  };
}
