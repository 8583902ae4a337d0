import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ColophonError } from '../../../shared/errors.js';
import { SigningWorkshop } from '../../testing/signing-workshop.js';
import { type ActiveKey } from './active-keys.js';
import { SigningProbe } from './signing-probe.js';

let workshop: SigningWorkshop;
let now = 0;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
});
afterAll(() => workshop.close());

const LIMITS = { goodForMs: 1000, badForMs: 100, deadlineMs: 50 };
type Sign = (bytes: Uint8Array) => Promise<Buffer>;

/** A key whose service can be stopped, slowed down or replaced. */
function keyThat(sign: Sign, id = 'one') {
  const asked: Buffer[] = [];
  const key = {
    ...workshop.keystore.claimKey,
    sign: (bytes: Uint8Array) => (asked.push(Buffer.from(bytes)), sign(bytes)),
  };
  const active = { generation: { id }, key } as unknown as ActiveKey;
  const probe = new SigningProbe(() => Promise.resolve(active), { now: () => new Date(now) }, LIMITS);
  return { asked, probe };
}
const honest: Sign = (bytes) => workshop.keystore.claimKey.sign(bytes);

describe('the question whether the key can sign', () => {
  it('is put to the key once for a while, however many ask', async () => {
    const { asked, probe } = keyThat(honest);
    const answers = await Promise.all(Array.from({ length: 20 }, () => probe.prove('one')));
    await probe.prove('one');
    expect([answers[0]?.id, asked.length]).toEqual(['one', 1]);
    now += LIMITS.goodForMs;
    await probe.prove('one');
    expect(asked.length).toBe(2);
    // The database names another key: what is known of the old one says nothing.
    await probe.prove('two');
    expect(asked.length).toBe(3);
  });

  it('signs what can never pass for a claim', async () => {
    const { asked, probe } = keyThat(honest);
    await probe.prove('one');
    expect(asked[0]?.includes('Signature1')).toBe(false);
  });

  it('is no when the signature is another one, and asked again soon', async () => {
    let good = false;
    const { asked, probe } = keyThat((bytes) => honest(good ? bytes : Buffer.from('something else')));
    await expect(probe.prove('one')).rejects.toThrow(/do not verify/);
    await expect(probe.prove('one')).rejects.toThrow(/do not verify/);
    expect(asked.length).toBe(1);
    good = true;
    now += LIMITS.badForMs;
    await expect(probe.prove('one')).resolves.toMatchObject({ id: 'one' });
  });

  it('is answered in time by a service that hangs, which is not asked a second time meanwhile', async () => {
    const { asked, probe } = keyThat(() => new Promise(() => undefined));
    await expect(probe.prove('one')).rejects.toMatchObject({ code: 'signer_unavailable' });
    await expect(probe.prove('one')).rejects.toThrow(/in time/);
    expect(asked.length).toBe(1);
  });

  it('passes on what an operator can do, and nothing else that a service said', async () => {
    const disabled = keyThat(() =>
      Promise.reject(new ColophonError('signer_unavailable', 'The key is disabled.')),
    );
    await expect(disabled.probe.prove('one')).rejects.toThrow('The key is disabled.');
    const talkative = keyThat(() => Promise.reject(new Error('account 1234 at 10.0.0.1')));
    const error = await talkative.probe.prove('one').catch((thrown: Error) => thrown);
    expect((error as Error).message).not.toContain('10.0.0.1');
  });
});
