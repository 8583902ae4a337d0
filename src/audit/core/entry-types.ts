import { type z } from 'zod';
import { ACCOUNT_ENTRIES } from './entries/account-entries.js';
import { ASSET_ENTRIES } from './entries/asset-entries.js';
import { HUMAN_WORK_ENTRIES } from './entries/human-work-entries.js';
import { KEY_ENTRIES } from './entries/key-entries.js';
import { LICENSE_ENTRIES } from './entries/license-entries.js';
import { LOG_ENTRIES } from './entries/log-entries.js';
import { MONEY_ENTRIES } from './entries/money-entries.js';
import { REPORT_ENTRIES } from './entries/report-entries.js';
import { RETENTION_ENTRIES } from './entries/retention-entries.js';
import { RUN_ENTRIES } from './entries/run-entries.js';

/**
 * What the log can say: the closed union of entry types, each with the schema of its `data`. This list is the
 * documentation of the log (docs/spec/audit-log.md repeats it for outsiders). A type never changes its meaning;
 * a new fact gets a new type or a new optional field.
 */
export const ENTRY_DATA_SCHEMAS = {
  ...ACCOUNT_ENTRIES,
  ...MONEY_ENTRIES,
  ...LICENSE_ENTRIES,
  ...RUN_ENTRIES,
  ...ASSET_ENTRIES,
  ...HUMAN_WORK_ENTRIES,
  ...REPORT_ENTRIES,
  ...RETENTION_ENTRIES,
  ...LOG_ENTRIES,
  ...KEY_ENTRIES,
};

export type EntryType = keyof typeof ENTRY_DATA_SCHEMAS;

export type EntryData<T extends EntryType> = z.input<(typeof ENTRY_DATA_SCHEMAS)[T]>;

/** Who acted: an API key, a user, this program itself, or whoever holds a share link. */
export const ACTOR_KINDS = ['api_key', 'user', 'system', 'share_link'] as const;
export type ActorKind = (typeof ACTOR_KINDS)[number];

/** What an entry is about. */
export const SUBJECT_KINDS = [
  'organization',
  'principal',
  'api_key',
  'project',
  'use_case',
  'pipeline',
  'clearance',
  'clearance_matrix',
  'waiver',
  'run',
  'step_run',
  'asset',
  'contribution',
  'review',
  'report',
  'share_link',
  'report_schedule',
  'legal_hold',
  'listing',
  'license_text',
  'curation',
  'obligation_proof',
  'policy',
  'signing_key',
  'budget',
  'price',
  'signature_key',
  'storyboard',
  'webhook_endpoint',
  'removal',
] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

export function isEntryType(type: string): type is EntryType {
  return Object.hasOwn(ENTRY_DATA_SCHEMAS, type);
}
