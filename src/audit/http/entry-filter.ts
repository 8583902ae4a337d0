import { z } from 'zod';
import { parsePublicId } from '../../shared/ids.js';
import { type EntryFilter } from '../application/read-log.js';

const reference = z.string().regex(/^[\x20-\x7e]{1,128}$/);

/** Query parameters by which entries are chosen: for lists and for exports alike. */
export const entryFilterFields = {
  type: z
    .string()
    .regex(/^[a-z0-9._]{1,80}$/)
    .optional()
    .describe('type of entry, e.g. asset.signed'),
  subject: reference.optional().describe('id of what the entry is about'),
  actor: reference.optional().describe('id of who acted: an API key, a user or "colophon"'),
  project: z
    .string()
    .refine((text) => parsePublicId('project', text) !== undefined, 'expected an id like prj_...')
    .optional()
    .describe('id of the project'),
  from: z.iso.datetime({ offset: true }).optional().describe('entries recorded at or after this time'),
  until: z.iso.datetime({ offset: true }).optional().describe('entries recorded before this time'),
};

type EntryFilterQuery = z.infer<z.ZodObject<typeof entryFilterFields>>;

export function toEntryFilter(query: EntryFilterQuery): EntryFilter {
  return {
    type: query.type,
    subjectId: query.subject,
    actorId: query.actor,
    projectId: query.project === undefined ? undefined : parsePublicId('project', query.project),
    recordedFrom: query.from === undefined ? undefined : new Date(query.from),
    recordedUntil: query.until === undefined ? undefined : new Date(query.until),
  };
}
