import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { OBLIGATION_KINDS, RULE_IDS } from './finding.js';
import { INDEMNITY_VOIDED_BY } from './listing.js';

/** docs/licenses/rules.md is what counsel reads: a rule that is not explained there is not finished. */
const page = readFileSync(new URL('../../../docs/licenses/rules.md', import.meta.url), 'utf8');
/** Heading and text of each section of the third level. */
const sections = page.split(/^### /m).slice(1);
const explains = (id: string) => sections.filter((section) => section.split('\n')[0]?.includes(`\`${id}\``));

describe('docs/licenses/rules.md', () => {
  it.each(RULE_IDS)('explains %s in one section of its own, with an example', (id) => {
    const [section, ...others] = explains(id);
    expect(others).toEqual([]);
    expect(section).toMatch(/_Examples?:/);
    // Words, not only a name and an example.
    expect(section?.replace(/^.*\n/, '').length).toBeGreaterThan(200);
  });

  it('explains no rule that the engine does not have', () => {
    const named = sections.flatMap((section) =>
      [...(section.split('\n')[0] ?? '').matchAll(/`([a-z-]+)`/g)].map(([, id]) => id),
    );
    expect([...named].sort()).toEqual([...RULE_IDS].sort());
  });

  it.each(OBLIGATION_KINDS)('says what the obligation %s asks for', (kind) => {
    expect(page).toContain(`\`${kind}\``);
  });

  it.each(INDEMNITY_VOIDED_BY)('says when %s ends an indemnity', (cause) => {
    expect(page).toContain(`\`${cause}\``);
  });
});
