import { describe, expect, it } from '@jest/globals';
import { type Tx } from '../../database/organization-tx.js';
import { type AssetObligation } from '../domain/asset-obligation.js';
import { type MarkingDuties } from '../domain/marking-duty.js';
import { markingDuties } from '../registry/marking-duties.js';
import { type OwedObligation } from './read-obligations.js';
import { type ObligedWork, RecordObligations } from './record-obligations.js';

const today = markingDuties();
const ADDED = 'us-ny-synthetic-performer';
const before: MarkingDuties = {
  readOn: '2026-01-01',
  sha256: 'a'.repeat(64),
  duties: today.duties.filter(({ id }) => id !== ADDED),
};
/** An upload without runs and parents: nothing is asked of the database. */
const WORK: ObligedWork = {
  own: { origin: 'upload', digitalSourceType: null, runId: undefined },
  ancestors: [],
  parentIds: [],
  madeAt: new Date('2026-11-25T00:00:00Z'),
};
const tx = {} as Tx;

async function signedBy(calendar: MarkingDuties) {
  const { rows } = await new RecordObligations(calendar).plan(tx, WORK);
  const items = rows.map(({ bytes }) => {
    const obligation = JSON.parse(bytes.toString('utf8')) as AssetObligation;
    return { obligation } as OwedObligation;
  });
  return { calendarSha256: calendar.sha256, items };
}

describe('a calendar that gained a duty since a file was signed', () => {
  it('shows the duty, and nothing that was listed before', async () => {
    const found = await new RecordObligations(today).newSince(tx, WORK, await signedBy(before));
    expect(found?.calendar).toEqual({ sha256: today.sha256, readOn: today.readOn });
    expect(found?.duties.map(({ key }) => key)).toEqual([`law:${ADDED}`]);
  });

  it('is not asked again where the list was made by it; another one without more says that nothing is new', async () => {
    const record = new RecordObligations(today);
    expect(await record.newSince(tx, WORK, await signedBy(today))).toBeUndefined();
    const reworded = { ...(await signedBy(today)), calendarSha256: 'b'.repeat(64) };
    expect((await record.newSince(tx, WORK, reworded))?.duties).toEqual([]);
  });

  it('does not ask what a stated fact rules out', async () => {
    const nobody = { ...WORK, own: { ...WORK.own, showsPeople: 'no' as const } };
    expect((await new RecordObligations(today).newSince(tx, nobody, await signedBy(before)))?.duties).toEqual(
      [],
    );
  });
});
