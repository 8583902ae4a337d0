import { describe, expect, it } from '@jest/globals';
import {
  type Attempt,
  type DeliverySchedule,
  ENDPOINT_SCHEDULE,
  JOB_SCHEDULE,
  outcomeOf,
} from './delivery-schedule.js';

const MAX_ATTEMPTS = ENDPOINT_SCHEDULE.length + 1;

/** Pauses until it is given up, when the receiver always answers so. */
function pausesOf(attempt: Attempt, schedule: DeliverySchedule = ENDPOINT_SCHEDULE): number[] {
  const pauses: number[] = [];
  for (let made = 1; ; made += 1) {
    const outcome = outcomeOf(attempt, made, schedule);
    if (outcome.state !== 'due') return pauses;
    pauses.push(outcome.pauseSeconds);
  }
}

describe('a delivery', () => {
  it.each([200, 202, 204, 299])(
    'is done with the answer %i, at the first attempt and at the last',
    (status) => {
      for (const made of [1, MAX_ATTEMPTS])
        expect(outcomeOf({ status }, made, ENDPOINT_SCHEDULE)).toEqual({ state: 'delivered' });
    },
  );

  it.each<[Attempt]>([
    [{ status: 400 }],
    [{ status: 500 }],
    [{ status: 429 }],
    [{ error: 'upstream_timeout' }],
  ])('is tried again after %j, at growing pauses, for three days', (attempt) => {
    const pauses = pausesOf(attempt);
    expect(pauses[0]).toBe(5);
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(pauses).toHaveLength(MAX_ATTEMPTS - 1);
    const days = pauses.reduce((sum, pause) => sum + pause, 0) / 86_400;
    expect(days).toBeGreaterThan(3);
    expect(days).toBeLessThan(4);
    expect(outcomeOf(attempt, MAX_ATTEMPTS, ENDPOINT_SCHEDULE)).toEqual({ state: 'given_up', isGone: false });
  });

  it('is given up at once when the receiver is gone', () => {
    expect(outcomeOf({ status: 410 }, 1, ENDPOINT_SCHEDULE)).toEqual({ state: 'given_up', isGone: true });
  });

  it('to the client of a job is tried ten times in about two hours, unless it is hopeless', () => {
    const pauses = pausesOf({ status: 500 }, JOB_SCHEDULE);
    expect(pauses).toHaveLength(9);
    const hours = pauses.reduce((sum, pause) => sum + pause, 0) / 3_600;
    expect(hours).toBeGreaterThan(1.9);
    expect(hours).toBeLessThan(2.2);
    expect(pausesOf({ error: 'key_revoked', isHopeless: true }, JOB_SCHEDULE)).toEqual([]);
  });
});
