import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { markingDuties } from '../registry/marking-duties.js';
import { dueDuties } from './due-duties.js';
import { runFactsSchema } from './run-facts.js';
import { THREE_VALUES, type ThreeValued } from './three-valued.js';
import { dutyQuestion, type WorkOrigin } from './work-facts.js';

const NY = 'us-ny-synthetic-performer';
const run = (showsPeople: ThreeValued | undefined) =>
  runFactsSchema.parse({
    purpose: 'commercial',
    audienceCountries: ['US-NY'],
    organizationRevenueUsd: 1,
    fieldsOfUse: ['online-advertising'],
    ...(showsPeople === undefined ? {} : { showsPeople }),
  });
const STEP: WorkOrigin = { origin: 'step', digitalSourceType: 'trainedAlgorithmicMedia' };
const EDIT: WorkOrigin = { origin: 'edit', digitalSourceType: null };
const upload = (showsPeople?: ThreeValued): WorkOrigin => ({
  origin: 'upload',
  digitalSourceType: 'digitalCapture',
  showsPeople,
});
const asks = (lineage: readonly WorkOrigin[], runs: readonly (ThreeValued | undefined)[]): boolean =>
  dueDuties(markingDuties().duties, dutyQuestion(lineage, runs.map(run), '2027-01-01')).some(
    ({ duty }) => duty.id === NY,
  );

describe('whether a work shows people decides about performers who do not exist', () => {
  it.each<[string, readonly WorkOrigin[], readonly (ThreeValued | undefined)[], boolean]>([
    ['nobody said', [STEP], [undefined], true],
    ['unknown is not no', [STEP], ['unknown'], true],
    ['it shows people', [STEP], ['yes'], true],
    ['it shows nobody', [STEP], ['no'], false],
    ['one of two runs shows people', [STEP], ['no', 'yes'], true],
    ['one of two runs does not say', [STEP], ['no', undefined], true],
    ['it shows nobody, and neither does what went in', [STEP, upload('no')], ['no'], false],
    ['it shows nobody, and nobody said it of what went in', [STEP, upload()], ['no'], false],
    ['it shows nobody, and what went in does', [STEP, upload('yes')], ['no'], true],
    ['it showed nobody before a person edited it', [STEP, EDIT], ['no'], true],
  ])('%s', (_what, lineage, runs, expected) => {
    expect(asks(lineage, runs)).toBe(expected);
  });

  it('and neither another run nor another file, nor less knowledge, removes the duty', () => {
    const value = fc.constantFrom(...THREE_VALUES);
    const origin = fc.oneof(fc.constant(STEP), fc.constant(EDIT), value.map(upload));
    const runs = fc.array(value, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(origin, { maxLength: 3 }), runs, origin, value, (files, said, file, more) => {
        const lineage = [STEP, ...files];
        if (!asks(lineage, said)) return;
        expect(asks([...lineage, file], said)).toBe(true);
        expect(asks(lineage, [...said, more])).toBe(true);
        expect(
          asks(
            lineage,
            said.map(() => undefined),
          ),
        ).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
