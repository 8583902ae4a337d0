import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { markingDutiesSchema } from '../domain/marking-duty.js';
import content from './marking-duties.json' with { type: 'json' };
import { withCalendar } from './marking-duties-document.js';
import { markingDuties, parseMarkingDuties } from './marking-duties.js';

const { duties, readOn } = markingDuties();

describe('docs/licenses/marking-duties.md', () => {
  const words = (text: string): string => text.replaceAll(/[\s|*_-]+/g, ' ');

  it('is what the data says; when it is not: node dist/src/main.js --marking-duties docs/licenses/marking-duties.md', async () => {
    const document = await readFile('docs/licenses/marking-duties.md', 'utf8');
    expect(words(document)).toBe(words(withCalendar(document, markingDuties())));
  });

  it('says that it is no legal advice, and marks all that was not verified', async () => {
    const document = await readFile('docs/licenses/marking-duties.md', 'utf8');
    expect(document).toContain('no legal advice');
    const marks = duties.flatMap(({ verified, inForce, transition }) => [
      verified,
      inForce.verified,
      ...(transition ? [transition.verified] : []),
    ]);
    expect(document.split('NOT VERIFIED')).toHaveLength(1 + marks.filter((verified) => !verified).length);
  });

  it('needs a place for the calendar', () => {
    expect(() => withCalendar('# Nothing', markingDuties())).toThrow(RangeError);
  });
});

describe('the calendar of marking duties', () => {
  it('covers the jurisdictions that the product speaks of', () => {
    const codes = new Set(duties.map(({ jurisdiction }) => jurisdiction.code));
    expect([...codes].sort()).toEqual(['CN', 'ES', 'EU', 'IN', 'KR', 'US-CA', 'US-NY']);
  });

  it.each(duties.map((duty) => [duty.id, duty] as const))(
    '%s says where and when it was read, since when it counts, and what is not verified',
    (_id, duty) => {
      expect(duty.source.title).not.toBe('');
      expect(duty.source.section).not.toBe('');
      expect(duty.source.dateRead <= readOn).toBe(true);
      expect(duty.inForce).toMatchObject({
        verified: expect.any(Boolean),
        note: expect.stringMatching(/\w/),
      });
      expect(duty.inForce.date === null || /^\d{4}-\d{2}-\d{2}$/.test(duty.inForce.date)).toBe(true);
      expect(duty.verified).toBe(duty.notVerified === null);
    },
  );

  it('never calls verified what was left open: the transition of the Union, its dates, the bill, the size of a label', () => {
    const unverified = duties.filter(({ jurisdiction }) =>
      ['EU', 'ES', 'CN', 'KR'].includes(jurisdiction.code),
    );
    expect(unverified.every(({ verified, inForce }) => !verified && !inForce.verified)).toBe(true);
    expect(duties.flatMap(({ transition }) => transition?.verified ?? [])).toEqual([false, false]);
    expect(duties.find(({ id }) => id === 'in-it-rules-label')?.notVerified).toContain('size of the label');
    expect(duties.find(({ status }) => status === 'bill')?.inForce).toMatchObject({
      date: null,
      verified: false,
    });
  });

  it('holds back no release by itself, and lets the program prove one demand only as a whole', () => {
    expect(duties.filter(({ blocking }) => blocking)).toEqual([]);
    const whole = duties.filter(({ systemProof }) => systemProof?.extent === 'whole');
    expect(whole.map(({ id }) => id)).toEqual(['eu-ai-act-50-2-marking']);
  });

  it('is named by its hash: the same content, the same name; another content, another', () => {
    expect(markingDuties().sha256).toMatch(/^[0-9a-f]{64}$/);
    const reordered = { duties: content.duties, readOn: content.readOn, v: content.v };
    expect(parseMarkingDuties(reordered).sha256).toBe(markingDuties().sha256);
    const changed = { ...content, readOn: '2026-12-01' };
    expect(parseMarkingDuties(changed).sha256).not.toBe(markingDuties().sha256);
  });

  const first = duties[0];
  it.each([
    ['without a source', { source: undefined }],
    ['without a section', { source: { ...first?.source, section: '' } }],
    [
      'with a source that was read after the calendar',
      { source: { ...first?.source, dateRead: '2099-01-01' } },
    ],
    ['with a source that is no https address', { source: { ...first?.source, url: 'javascript:alert(1)' } }],
    ['that is verified and says what is not', { verified: true }],
    ['that is verified by a report', { verified: true, notVerified: null }],
    ['with a verified unknown day', { inForce: { date: null, verified: true, note: 'x' } }],
    ['that is a bill in force', { status: 'bill' }],
    ['that blocks what is due later', { blocking: true }],
    ['of a place that is none', { jurisdiction: { code: 'XX', name: 'x', possiblyAlso: [] } }],
    ['with a day that is none', { inForce: { date: '2026-02-30', verified: false, note: 'x' } }],
    ['with a member that nobody knows', { surprise: 1 }],
  ])('is refused as a whole when it has a duty %s', (_what, change) => {
    const file = { ...content, duties: [{ ...first, ...change }] };
    expect(markingDutiesSchema.safeParse(file).success).toBe(false);
  });

  it('is refused with one id twice', () => {
    expect(markingDutiesSchema.safeParse({ ...content, duties: [first, first] }).success).toBe(false);
  });
});
