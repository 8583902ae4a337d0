import { z } from 'zod';
import { ENTRY_DATA_SCHEMAS } from '../../audit/core/entry-types.js';

const TYPES = Object.keys(ENTRY_DATA_SCHEMAS);
const GROUPS = new Set(TYPES.map((type) => `${type.slice(0, type.indexOf('.'))}.*`));
const SUBSCRIBABLE = new Set<string>(['*', ...TYPES, ...GROUPS]);

/** What no entry has: the message by which an endpoint is tried. */
export const TRIAL_EVENT = 'webhook_endpoint.trial';

/** About what an endpoint is told: types of entries, all of one kind (`asset.*`), or everything (`*`). */
export const eventsSchema = z
  .array(
    z
      .string()
      .max(60)
      .refine(
        (event) => SUBSCRIBABLE.has(event),
        'a type of entry (docs/spec/audit-log.md), a kind such as "asset.*", or "*"',
      ),
  )
  .min(1)
  .max(50)
  .refine((events) => new Set(events).size === events.length, 'names an event twice');
