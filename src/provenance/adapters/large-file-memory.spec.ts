import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LargeFileMemory } from './large-file-memory.js';

const MIB = 1024 * 1024;
const FILM = 2048 * MIB;

/** Work that lasts until it is told to end. */
function work(log: string[], name: string) {
  let end: (error?: Error) => void = () => undefined;
  const done = new Promise<string>((resolve, reject) => {
    end = (error) => (error === undefined ? resolve(name) : reject(error));
  });
  const run = (): Promise<string> => {
    log.push(name);
    return done;
  };
  return { run, end: (error?: Error) => end(error) };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the memory of large files', () => {
  it('holds as many at once as fit, in their order; what is half done goes first, and small ones never wait', async () => {
    const memory = new LargeFileMemory(1024 * MIB);
    const log: string[] = [];
    const works = ['a', 'b', 'c', 'd'].map((name) => work(log, name));
    const films = works.map(({ run }) => memory.run(FILM, run));
    const half = work(log, 'half done');
    const halfDone = memory.run(FILM, half.run, { isBegun: true });
    expect(await memory.run(20 * MIB, () => Promise.resolve('picture'))).toBe('picture');
    await settled();
    expect(log).toEqual(['a', 'b']);
    works[0]?.end();
    await settled();
    expect(log).toEqual(['a', 'b', 'half done']);
    works[1]?.end(new Error('broken'));
    await expect(films[1]).rejects.toThrow('broken');
    await settled();
    expect(log).toEqual(['a', 'b', 'half done', 'c']);
    half.end();
    for (const { end } of works) end();
    expect([await halfDone, await films[3]]).toEqual(['half done', 'd']);
  });

  it('is left by whoever waits no longer, and not by whoever is at work', async () => {
    const memory = new LargeFileMemory(512 * MIB);
    const log: string[] = [];
    const [a, b, c] = [work(log, 'a'), work(log, 'b'), work(log, 'c')];
    const stop = new AbortController();
    const atWork = memory.run(FILM, a.run, { signal: stop.signal });
    const givenUp = memory.run(FILM, b.run, { signal: stop.signal });
    const waiting = memory.run(30 * MIB, c.run);
    stop.abort(new Error('closed'));
    await expect(givenUp).rejects.toThrow('closed');
    await expect(memory.run(FILM, b.run, { signal: stop.signal })).rejects.toThrow('closed');
    await settled();
    expect(log).toEqual(['a']);
    a.end();
    c.end();
    expect([await atWork, await waiting]).toEqual(['a', 'c']);
  });

  it('is passed on when the one at the head gives up, to those behind it that fit', async () => {
    const memory = new LargeFileMemory(600 * MIB);
    const log: string[] = [];
    const [a, b, c] = [work(log, 'a'), work(log, 'b'), work(log, 'c')];
    const stop = new AbortController();
    const atWork = memory.run(FILM, a.run);
    const givenUp = memory.run(FILM, b.run, { signal: stop.signal });
    const small = memory.run(30 * MIB, c.run);
    await settled();
    expect(log).toEqual(['a']);
    stop.abort(new Error('closed'));
    await expect(givenUp).rejects.toThrow('closed');
    await settled();
    expect(log).toEqual(['a', 'c']);
    a.end();
    c.end();
    expect([await atWork, await small]).toEqual(['a', 'c']);
  });

  it('never goes beyond the limit but for one file alone, and serves all, whatever comes', async () => {
    const file = fc.record({
      sizeMib: fc.integer({ min: 1, max: 4096 }),
      isBegun: fc.boolean(),
      givesUp: fc.boolean(),
      fails: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2048 }),
        fc.array(file, { maxLength: 30 }),
        async (limitMib, files) => {
          const memory = new LargeFileMemory(limitMib * MIB);
          let held = 0;
          let atOnce = 0;
          const outcomes = await Promise.allSettled(
            files.map(({ sizeMib, isBegun, givesUp, fails }) => {
              const stop = new AbortController();
              if (givesUp) setImmediate(() => stop.abort(new Error('gave up')));
              const own = sizeMib <= 20 ? 0 : Math.min(2 * sizeMib, 512);
              const run = async (): Promise<void> => {
                held += own;
                atOnce += own > 0 ? 1 : 0;
                expect(held <= limitMib || atOnce <= 1).toBe(true);
                await settled();
                held -= own;
                atOnce -= own > 0 ? 1 : 0;
                if (fails) throw new Error('failed');
              };
              return memory.run(sizeMib * MIB, run, { isBegun, signal: stop.signal });
            }),
          );
          for (const [i, outcome] of outcomes.entries())
            if (outcome.status === 'rejected')
              expect((files[i]?.fails ? /failed|gave up/ : /gave up/).test(String(outcome.reason))).toBe(
                true,
              );
          expect(held).toBe(0);
          expect(await memory.run(FILM, () => Promise.resolve('free'))).toBe('free');
        },
      ),
    );
  });
});
