import { describe, expect, it } from '@jest/globals';
import { ColophonError } from '../../shared/errors.js';
import { PollStep } from './poll-step.js';
import { WaitedTime } from './waited-time.js';

const LONG_AGO = new Date('2026-01-01T00:00:00Z');

/** A job that was accepted long ago and is done, whose output cannot be captured for this reason. */
async function poll(error: Error, waited = new WaitedTime(), updatedAt = LONG_AGO) {
  const failures: unknown[] = [];
  const never = {} as never;
  const step = new PollStep(
    { run: (_organization: string, work: (tx: unknown) => unknown) => Promise.resolve(work({})) } as never,
    { get: () => Promise.resolve({ poll: () => Promise.resolve({ kind: 'completed' }) }) } as never,
    { capture: () => Promise.reject(error) } as never,
    {
      fail: (_work: unknown, failure: unknown) => {
        failures.push(failure);
        return Promise.resolve('ended');
      },
    } as never,
    { pollSeconds: 1, holdSeconds: 5, giveUpAfterSeconds: 3600 },
    waited,
  );
  const next = await step.poll({
    organizationId: 'organization',
    run: never,
    step: { id: 'step', upstreamId: 'job', endpoint: 'e', updatedAt } as never,
    lease: { token: 'token' },
    signal: new AbortController().signal,
  });
  return { next, failures };
}

describe('a job that is done', () => {
  it('is not given up while there is no room for what it made', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    for (const error of [full, new ColophonError('storage_unavailable', 'full')])
      expect(await poll(error)).toEqual({ next: { wakeInSeconds: 5 }, failures: [] });
  });

  it('is given up after its time when its answer cannot be had', async () => {
    const { failures } = await poll(new Error('the address does not answer'));
    expect(failures).toEqual([expect.objectContaining({ code: 'upstream_timeout', charged: true })]);
  });

  it('is given up by the time that passes, not by what the clock on the wall is set to', async () => {
    let [wallMs, monotonicMs] = [Date.parse('2026-12-01T12:00:00Z'), 500];
    const waited = new WaitedTime({ now: () => new Date(wallMs) }, () => monotonicMs);
    const since = new Date(wallMs);
    const ask = async () => (await poll(new Error('the address does not answer'), waited, since)).failures;
    expect(await ask()).toEqual([]);
    wallMs += 24 * 3_600_000;
    expect(await ask()).toEqual([]);
    wallMs -= 48 * 3_600_000;
    monotonicMs += 3_599_000;
    expect(await ask()).toEqual([]);
    monotonicMs += 2_000;
    expect(await ask()).toHaveLength(1);
  });
});
