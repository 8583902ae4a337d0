import { afterAll, beforeAll, describe } from '@jest/globals';
import { JobWorld } from '../support/job-world.js';
import { falCases } from './gateway-jobs/fal-cases.js';
import { replicateCases } from './gateway-jobs/replicate-cases.js';

/** SDKs that submit now and ask later, against one started product. */

let world: JobWorld;

beforeAll(async () => {
  world = await JobWorld.start();
});
afterAll(() => world.close());

describe('the client of fal', () => falCases(() => world));
describe('the client of Replicate', () => replicateCases(() => world));
