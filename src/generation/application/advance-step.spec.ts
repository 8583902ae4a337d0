import { describe, expect, it } from '@jest/globals';
import { ColophonError, type ErrorCode } from '../../shared/errors.js';
import { AdvanceStep } from './advance-step.js';

const CAPTURED_AT = new Date('2026-11-30T12:00:00Z');
const step = { id: 'step', runId: 'run', state: 'CAPTURED', updatedAt: CAPTURED_AT };

/** A captured step whose signing ends so, at a number of seconds after the capture. */
async function advance(error: ErrorCode | Error, heldSeconds = 1) {
  const did: unknown[] = [];
  const tx = { run: (_organization: string, work: (tx: unknown) => unknown) => Promise.resolve(work({})) };
  const runs = {
    acquireLease: () => Promise.resolve(step),
    ofStep: () => Promise.resolve({ id: 'run', state: 'RUNNING' }),
    releaseLease: () => Promise.resolve(),
  };
  const never = {} as never;
  const advanceStep = new AdvanceStep(
    tx as never,
    runs as never,
    never,
    never,
    never,
    {
      complete: () =>
        Promise.reject(typeof error === 'string' ? new ColophonError(error, 'so it is') : error),
    } as never,
    {
      fail: (_work: unknown, failure: unknown) => {
        did.push(failure);
        return Promise.resolve('ended');
      },
    } as never,
    never,
    {
      wakeStep: (_tx: unknown, _id: string, seconds: number) => {
        did.push({ wakeInSeconds: seconds });
        return Promise.resolve();
      },
    },
    {
      leaseSeconds: 60,
      holdSeconds: 5,
      longestHoldSeconds: 60,
      held: (stepRunId, { code }) => did.push({ stepRunId, told: code }),
    },
    { now: () => new Date(CAPTURED_AT.getTime() + heldSeconds * 1000) },
  );
  await advanceStep.advance('organization', 'step');
  return did;
}

describe('an output that is captured and cannot be signed', () => {
  it.each(['internal', 'signer_unavailable', 'storage_unavailable', 'log_damaged'] as const)(
    'is held, told and tried again while the reason is on this side: %s',
    async (code) => {
      expect(await advance(code)).toEqual([{ stepRunId: 'step', told: code }, { wakeInSeconds: 5 }]);
    },
  );

  it('is tried ever more rarely, and at least each minute, also when the clock was set back', async () => {
    const pause = async (heldSeconds: number) => (await advance('internal', heldSeconds)).at(-1);
    expect(await pause(100)).toEqual({ wakeInSeconds: 25 });
    expect(await pause(1_000_000)).toEqual({ wakeInSeconds: 60 });
    expect(await pause(-31_000_000)).toEqual({ wakeInSeconds: 5 });
  });

  it('is held while a disk is full', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    expect(await advance(full)).toEqual([
      { stepRunId: 'step', told: 'storage_unavailable' },
      { wakeInSeconds: 5 },
    ]);
  });

  it('has failed and is paid when the file itself cannot be signed', async () => {
    expect(await advance('media_corrupt')).toEqual([
      { code: 'media_corrupt', reason: 'so it is', charged: true },
    ]);
  });
});
