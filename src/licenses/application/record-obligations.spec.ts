import { describe, expect, it } from '@jest/globals';
import { type Tx } from '../../database/organization-tx.js';
import { type AssetObligation } from '../domain/asset-obligation.js';
import { type MarkingDuties, type MarkingDuty } from '../domain/marking-duty.js';
import { markingDuties } from '../registry/marking-duties.js';
import { type ObligedWork } from './obligation-basis.js';
import { type OwedObligation } from './read-obligations.js';
import { RecordObligations } from './record-obligations.js';

const today = markingDuties();
const ADDED = 'us-ny-synthetic-performer';
const NOBODY = { of: () => Promise.resolve(new Map()) };
const calendarOf = (duties: readonly MarkingDuty[], name = 'a'): MarkingDuties => ({
  readOn: '2026-01-01',
  sha256: name.repeat(64),
  duties,
});
const before = calendarOf(today.duties.filter(({ id }) => id !== ADDED));
const SIGNED = new Date('2026-11-25T00:00:00Z');
/** An upload without runs and parents: nothing is asked of the database. */
const WORK: ObligedWork = {
  own: { origin: 'upload', digitalSourceType: null, runId: undefined },
  ancestors: [],
  parentIds: [],
  madeAt: SIGNED,
};
const tx = {} as Tx;

async function signedBy(calendar: MarkingDuties) {
  const { rows } = await new RecordObligations(calendar, NOBODY).plan(tx, WORK);
  const items = rows.map(({ bytes }) => {
    const obligation = JSON.parse(bytes.toString('utf8')) as AssetObligation;
    return { obligation } as OwedObligation;
  });
  return { items };
}
async function seen(calendar: MarkingDuties, list: { items: OwedObligation[] }, now = SIGNED, work = WORK) {
  const [found] = await new RecordObligations(calendar, NOBODY).today(tx, [{ work, list }], now);
  if (found === undefined) throw new Error('an answer expected');
  return found;
}
const duty = (id: string): MarkingDuty => {
  const found = today.duties.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
};

describe('a calendar that is another one than on the day of signing', () => {
  it('shows what was added, and nothing that was listed before', async () => {
    const found = await seen(today, await signedBy(before));
    expect(found).toMatchObject({
      asOf: '2026-11-25',
      calendar: { sha256: today.sha256, readOn: today.readOn },
      changed: [],
      gone: [],
    });
    expect(found.added.map(({ key }) => key)).toEqual([`law:${ADDED}`]);
  });

  it('shows what it says otherwise, by name, also under the same key', async () => {
    const corrected = {
      ...duty(ADDED),
      what: 'Say it twice.',
      inForce: { date: '2026-12-24', verified: true, note: 'read' },
    };
    const calendar = calendarOf(
      today.duties.map((one) => (one.id === ADDED ? corrected : one)),
      'b',
    );
    const { added, changed, gone } = await seen(calendar, await signedBy(today));
    expect([added, gone]).toEqual([[], []]);
    expect(changed).toMatchObject([{ key: `law:${ADDED}`, today: { text: 'Say it twice.' } }]);
    expect(changed[0]?.members).toEqual(expect.arrayContaining(['inForceOn', 'dateVerified', 'text']));
  });

  it('names what it does not ask any more, and takes nothing off the list', async () => {
    expect(await seen(before, await signedBy(today))).toMatchObject({ added: [], gone: [`law:${ADDED}`] });
  });

  it('with other words about itself and the same duties changes nothing', async () => {
    const same = await seen(calendarOf(today.duties, 'c'), await signedBy(today));
    expect([same.added, same.changed, same.gone]).toEqual([[], [], []]);
  });

  it('does not ask what a stated fact rules out', async () => {
    const nobody = { ...WORK, own: { ...WORK.own, showsPeople: 'no' as const } };
    expect((await seen(today, await signedBy(before), SIGNED, nobody)).added).toEqual([]);
  });
});

describe('a duty that comes into force after the day of signing', () => {
  const later = calendarOf([
    { ...duty(ADDED), inForce: { date: '2027-03-01', verified: true, note: 'read in the text' } },
  ]);

  it('is a question on that day, and an answer from the day on which it binds', async () => {
    const list = await signedBy(later);
    const [listed] = list.items;
    expect(listed?.obligation.findOut.join(' ')).toContain('still shown on 2027-03-01');
    const on = (day: string) => seen(later, list, new Date(`${day}T12:00:00Z`));
    expect((await on('2027-02-28')).changed).toEqual([]);
    const [change] = (await on('2027-03-01')).changed;
    expect(change?.members).toEqual(['findOut']);
    expect(change?.today.findOut.join(' ')).not.toContain('still shown');
  });
});
