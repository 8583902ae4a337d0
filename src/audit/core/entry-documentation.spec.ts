import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { ACTOR_KINDS, ENTRY_DATA_SCHEMAS, SUBJECT_KINDS } from './entry-types.js';

const page = readFileSync(new URL('../../../docs/spec/audit-log.md', import.meta.url), 'utf8');

describe('docs/spec/audit-log.md', () => {
  it('names every entry type with every field of its data', () => {
    for (const [type, schema] of Object.entries(ENTRY_DATA_SCHEMAS)) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${type}\``));
      const fields = Object.keys((schema as z.ZodObject).shape);
      expect({ type, missing: fields.filter((field) => !row?.includes(`\`${field}\``)) }).toEqual({
        type,
        missing: [],
      });
    }
  });

  it('names every kind of actor and subject', () => {
    for (const kind of [...ACTOR_KINDS, ...SUBJECT_KINDS]) expect(page).toContain(`\`${kind}\``);
  });
});
