import { createFalClient } from '@fal-ai/client';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import Replicate from 'replicate';
import { addPerson } from '../../support/api.js';
import { eventually } from '../../support/eventually.js';
import { CuttingRelay } from '../../support/cutting-relay.js';
import { JOB_MODELS, type JobWorld } from '../../support/job-world.js';

/** Unmodified clients whose connection breaks while an answer is on its way; their own repetition is all that is done. */

let world: JobWorld;
let relay: CuttingRelay;
let key: string;
let testKey: string;
let begunAt: Date;

const throughRelay: typeof fetch = (input, init) => {
  const url = input instanceof Request ? input.url : String(input);
  return world.fetch(url.replace(world.app.url, relay.origin), init);
};
const replicate = (auth = key) =>
  new Replicate({ auth, baseUrl: `${world.root('replicate')}/v1`, fetch: throughRelay });
const fal = (credentials = key) =>
  createFalClient({
    credentials,
    proxyUrl: { url: `${world.root('fal')}/proxy`, when: 'always' },
    fetch: throughRelay,
  });

let serial = 0;
const prompt = (): string => `an answer that is lost, number ${++serial}`;
const charges = (): number => world.replicate.ledger.charges.length + world.fal.ledger().length;
const runs = async (): Promise<number> => {
  const [row] = await world.inspector.query<{ count: number }>('SELECT count(*)::int AS count FROM run');
  return row?.count ?? 0;
};

/** Of the runs of these cases: those of others may go on, at a vendor that does not end them. */
const atRest = (): Promise<true> =>
  eventually('every run of these cases is at rest', async () => {
    const [row] = await world.inspector.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM run WHERE state = 'RUNNING' AND created_at >= $1`,
      [begunAt],
    );
    return row?.count === 0 || undefined;
  });

/** @param started the product, once it runs */
export function lostAnswerCases(started: () => JobWorld): void {
  beforeAll(async () => {
    world = started();
    begunAt = new Date();
    relay = await CuttingRelay.start(world.app.url);
    ({ key } = await addPerson(world.app, ['creator']));
    ({ key: testKey } = await addPerson(world.app, ['creator'], { mode: 'test' }));
  });
  afterAll(() => relay.stop());

  const MODEL = JOB_MODELS.replicate;
  const calls: readonly (readonly [string, (text: string) => Promise<unknown>])[] = [
    ['replicate.run', (text) => replicate().run(MODEL, { input: { prompt: text } })],
    [
      'replicate.predictions.create',
      (text) => replicate().predictions.create({ model: MODEL, input: { prompt: text } }),
    ],
    ['fal.run', (text) => fal().run(JOB_MODELS.fal, { input: { prompt: text } })],
    ['fal.subscribe', (text) => fal().subscribe(JOB_MODELS.fal, { input: { prompt: text } })],
    ['fal.queue.submit', (text) => fal().queue.submit(JOB_MODELS.fal, { input: { prompt: text } })],
  ];
  it.each(calls)('%s is charged once, by itself or when the caller asks again', async (_, call) => {
    const [before, runsBefore] = [charges(), await runs()];
    const text = prompt();
    const posts = relay.posts;
    relay.cutNext();
    await call(text).catch(() => call(text));
    expect(relay.posts).toBeGreaterThan(posts + 1);
    await atRest();
    expect([charges() - before, (await runs()) - runsBefore]).toEqual([1, 1]);
  });

  it.each(calls)('%s twice on one connection is two', async (_, call) => {
    const before = await runs();
    const text = prompt();
    await call(text);
    await call(text);
    await atRest();
    expect((await runs()) - before).toBe(2);
  });

  it('with a test key it is one run, too', async () => {
    const before = await runs();
    const input = { prompt: prompt() };
    const call = () => replicate(testKey).run('colophon/sandbox-generator', { input });
    relay.cutNext();
    await call().catch(call);
    await call();
    expect((await runs()) - before).toBe(2);
  });
}
