import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { WebhookAddress } from './webhook-address.js';

const key = randomBytes(32);
const addresses = new WebhookAddress(key, 'fal');
const step = randomUUID();

describe('the address of the webhook of a step', () => {
  it('names the step to whoever made it', () => {
    expect(addresses.stepRunIdOf(addresses.of(step))).toBe(step);
  });

  it('is not made from the id of the step, from that of another, for another vendor, or with another key', () => {
    const tag = addresses.of(step).slice(step.length);
    for (const made of [
      step,
      `${step}.`,
      `${randomUUID()}${tag}`,
      `${step}${tag}A`,
      `${step}.${'A'.repeat(43)}`,
      addresses.of(step).toUpperCase(),
      new WebhookAddress(key, 'replicate').of(step),
      new WebhookAddress(randomBytes(32), 'fal').of(step),
    ])
      expect(addresses.stepRunIdOf(made)).toBeUndefined();
  });
});
