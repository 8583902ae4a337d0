import { describe, expect, it } from '@jest/globals';
import { TurnQueue } from './turn-queue.js';

describe('a queue of several organizations', () => {
  it('takes one of each by turns, one at a time', async () => {
    const queue = new TurnQueue(10);
    const order: string[] = [];
    let atOnce = 0;
    const add = (who: string, what: string) =>
      queue.run(who, async () => {
        expect(++atOnce).toBe(1);
        await Promise.resolve();
        order.push(who + what);
        atOnce -= 1;
      });
    await Promise.all([
      ...['1', '2', '3', '4'].map((what) => add('greedy', what)),
      add('late', '1'),
      add('last', '1'),
      add('late', '2'),
    ]);
    expect(order).toEqual(['greedy1', 'greedy2', 'late1', 'last1', 'greedy3', 'late2', 'greedy4']);
  });

  it('sends away who has too much in it, and nobody else; a failure is told to whom it concerns', async () => {
    const queue = new TurnQueue(2);
    const fail = () => Promise.reject(new Error('broken'));
    const greedy = [queue.run('greedy', fail), queue.run('greedy', () => Promise.resolve(2))];
    await expect(queue.run('greedy', () => Promise.resolve(3))).rejects.toMatchObject({ code: 'conflict' });
    expect(await queue.run('other', () => Promise.resolve(4))).toBe(4);
    await expect(greedy[0]).rejects.toThrow('broken');
    expect(await greedy[1]).toBe(2);
    expect(await queue.run('greedy', () => Promise.resolve(5))).toBe(5);
  });
});
