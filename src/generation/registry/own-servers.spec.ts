import { describe, expect, it } from '@jest/globals';
import { ownServersSchema } from './own-servers.js';

const RUNS = { model: 'brand/shop', version: 'ab'.repeat(32) };
const DEPLOYMENT = {
  listingId: 'brand-shop.v1@replicate',
  provider: 'replicate',
  endpoint: 'deployments/brand/shop',
  operations: ['generate'],
  runs: RUNS,
};
const isTaken = (...offerings: object[]) => ownServersSchema.safeParse({ offerings }).success;

describe('a deployment among the offerings', () => {
  it('says which model and version it runs', () => {
    expect(isTaken(DEPLOYMENT)).toBe(true);
    expect(isTaken({ ...DEPLOYMENT, runs: undefined })).toBe(false);
    expect(isTaken({ ...DEPLOYMENT, runs: { ...RUNS, version: 'hidden' } })).toBe(false);
  });

  it('is of one model, whatever rows there are', () => {
    const other = { ...DEPLOYMENT, listingId: 'brand-shop.v2@replicate' };
    expect(isTaken(DEPLOYMENT, other)).toBe(true);
    expect(isTaken(DEPLOYMENT, { ...other, runs: { ...RUNS, version: 'cd'.repeat(32) } })).toBe(false);
  });

  it('is the only thing that says so', () => {
    expect(isTaken({ ...DEPLOYMENT, endpoint: 'brand/shop' })).toBe(false);
    expect(isTaken({ ...DEPLOYMENT, endpoint: 'brand/shop', runs: undefined })).toBe(true);
  });
});
