import { describe, expect, it } from '@jest/globals';
import { askUntil } from './ask-until.js';

/** Answers 1, 2, 3, ... */
function counting(): () => Promise<number> {
  let asked = 0;
  return () => Promise.resolve(++asked);
}

describe('askUntil', () => {
  it('gives the first answer that will do', async () => {
    const wait = { timeoutMs: 60_000, stepMs: 1 };
    await expect(askUntil(counting(), (answer) => answer >= 4, wait)).resolves.toBe(4);
  });

  it('asks once when there is no time', async () => {
    await expect(askUntil(counting(), () => false, { timeoutMs: 0, stepMs: 1 })).resolves.toBe(1);
  });

  it('gives the last answer when the time is over, and asks once more then', async () => {
    const answer = await askUntil(counting(), () => false, { timeoutMs: 5, stepMs: 1_000 });
    expect(answer).toBe(2);
  });

  it('asks nothing before the first pause where nothing can be there yet, and is told of an answer all the same', async () => {
    let tell = (): void => undefined;
    let asked = 0;
    const waiting = askUntil(
      () => Promise.resolve(++asked),
      () => true,
      {
        timeoutMs: 60_000,
        stepMs: 60_000,
        pausesFirst: true,
        follow: (changed) => {
          tell = changed;
          return () => undefined;
        },
      },
    );
    expect(asked).toBe(0);
    tell();
    await expect(waiting).resolves.toBe(1);
  });

  it('ends when nobody needs the answer any more', async () => {
    const gone = new AbortController();
    const ask = counting();
    const answer = askUntil(
      async () => {
        const answer = await ask();
        if (answer === 3) gone.abort();
        return answer;
      },
      () => false,
      { timeoutMs: 60_000, stepMs: 1, signal: gone.signal },
    );
    await expect(answer).resolves.toBe(3);
  });

  it('passes on what goes wrong', async () => {
    const broken = (): Promise<never> => Promise.reject(new Error('no database'));
    await expect(askUntil(broken, () => true, { timeoutMs: 5, stepMs: 1 })).rejects.toThrow('no database');
  });

  it('asks again at once when it is told that something changed, also while an answer was on its way', async () => {
    let changed: () => void = () => undefined;
    let stopped = 0;
    const ask = counting();
    const answer = askUntil(
      async () => {
        const answer = await ask();
        // Told before the pause begins, and then during it.
        if (answer === 1) changed();
        if (answer === 2) setImmediate(() => changed());
        return answer;
      },
      (answer) => answer === 3,
      {
        timeoutMs: 3_600_000,
        stepMs: 3_600_000,
        follow: (tell) => {
          changed = tell;
          return () => stopped++;
        },
      },
    );
    await expect(answer).resolves.toBe(3);
    expect(stopped).toBe(1);
  });
});
