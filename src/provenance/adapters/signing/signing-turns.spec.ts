import { describe, expect, it } from '@jest/globals';
import { SigningTurns } from './signing-turns.js';

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

describe('turns of signing', () => {
  it('are so many at once, and what is half done goes before what is not begun', async () => {
    const turns = new SigningTurns(2);
    const log: string[] = [];
    const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((name) => work(log, name)) as [
      ReturnType<typeof work>,
      ReturnType<typeof work>,
      ReturnType<typeof work>,
      ReturnType<typeof work>,
      ReturnType<typeof work>,
    ];
    const all = [a, b, c, d].map(({ run }) => turns.run(run));
    const readBack = turns.run(e.run, true);
    await settled();
    expect(log).toEqual(['a', 'b']);
    a.end();
    await settled();
    expect(log).toEqual(['a', 'b', 'e']);
    b.end();
    e.end();
    await settled();
    expect(log).toEqual(['a', 'b', 'e', 'c', 'd']);
    c.end();
    d.end();
    expect(await Promise.all([...all, readBack])).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('are passed on by work that fails', async () => {
    const turns = new SigningTurns(1);
    const log: string[] = [];
    const [bad, good] = [work(log, 'bad'), work(log, 'good')];
    const failing = turns.run(bad.run);
    const waiting = turns.run(good.run);
    bad.end(new Error('broken'));
    await expect(failing).rejects.toThrow('broken');
    good.end();
    expect(await waiting).toBe('good');
    await expect(
      turns.run(() => {
        throw new Error('at once');
      }),
    ).rejects.toThrow('at once');
    expect(await turns.run(() => Promise.resolve(1))).toBe(1);
  });
});
