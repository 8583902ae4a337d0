import { describe, expect, it } from '@jest/globals';
import { Health, type HealthCheck } from './health.js';
import { type LogFigures, Metrics } from './metrics.js';

const LIMIT_MS = 50;
const well: HealthCheck = { name: 'well', run: () => Promise.resolve('all is well') };

describe('health', () => {
  it('is told within a limit when a check never answers, which is asked once however often it is wanted', async () => {
    let asked = 0;
    const frozen: HealthCheck = {
      name: 'frozen',
      run: () => {
        asked += 1;
        return new Promise(() => undefined);
      },
    };
    const health = new Health([well, frozen], LIMIT_MS);
    const [first, second] = await Promise.all([health.check(), health.check()]);
    expect(first).toEqual({
      ready: false,
      checks: [
        { name: 'well', ok: true, detail: 'all is well' },
        { name: 'frozen', ok: false, detail: 'There is no answer within 0.05 seconds.' },
      ],
    });
    expect(second).toEqual(first);
    await health.check();
    expect(asked).toBe(1);
  });

  it('is asked anew after an answer, good or bad', async () => {
    let asked = 0;
    const failing: HealthCheck = {
      name: 'failing',
      run: () => Promise.reject(new Error(`failed ${++asked}`)),
    };
    const health = new Health([failing], LIMIT_MS);
    await health.check();
    expect((await health.check()).checks).toEqual([{ name: 'failing', ok: false, detail: 'failed 2' }]);
  });
});

describe('metrics', () => {
  const FIGURES: LogFigures = {
    pendingEntries: 7,
    logsWithUnmetPolicy: 0,
    logsInConflict: 0,
    parties: [],
  };

  it('are told within a limit, without the figures that nobody gives', async () => {
    const metrics = new Metrics(LIMIT_MS);
    let answer: Promise<LogFigures> = Promise.resolve(FIGURES);
    metrics.watchLogs(() => answer);
    metrics.watchKeys(() => new Promise(() => undefined));
    expect(await metrics.text()).toContain('colophon_log_pending_entries 7');
    answer = new Promise(() => undefined);
    const text = await metrics.text();
    expect(text).not.toContain('colophon_log_pending_entries 7');
    expect(text).toContain('process_cpu_seconds_total');
  });
});
