import { afterAll, beforeAll, describe } from '@jest/globals';
import { JobWorld } from '../support/job-world.js';
import { fileCases } from './gateway-jobs/file-cases.js';
import { falCases } from './gateway-jobs/fal-cases.js';
import { lostAnswerCases } from './gateway-jobs/lost-answer-cases.js';
import { replicateCases } from './gateway-jobs/replicate-cases.js';

/** SDKs that submit now and ask later, against one started product. */

let world: JobWorld;

beforeAll(async () => {
  world = await JobWorld.start();
});
afterAll(() => world.close());

describe('the client of fal', () => falCases(() => world));
describe('files of clients', () => fileCases(() => world));
describe('the client of Replicate', () => replicateCases(() => world));
describe('answers that are lost on their way', () => lostAnswerCases(() => world));
