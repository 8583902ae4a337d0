import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs';
import { ColophonError } from '../../shared/errors.js';
import { type PolicyTrial, type TextProblem } from '../domain/policies/policy-engine.port.js';
import { CEDAR_MODULE, toProblem } from './cedar-policy-engine.js';

/** With the start of the thread. The largest valid text takes a twentieth of it on an idle machine. */
const TIME_LIMIT_MS = 10_000;
/** Texts that wait for their turn; the next one is sent away. */
const MAX_WAITING = 8;

/** Runs in a thread of its own. Given as text: it needs nothing of ours, so it is the same compiled and in tests. */
const THREAD = `
const { parentPort, workerData: { module, schema, text } } = require('node:worker_threads');
const answer = require(module).validate({ schema, policies: { staticPolicies: text } });
parentPort.postMessage(answer.type === 'failure' ? answer.errors : answer.validationErrors.map(({ error }) => error));
`;

/**
 * Reads a text for the first time, beside the event loop: Cedar's parser tries to go on after each error, and a text
 * of nothing but errors takes it many seconds. One after the other; a thread that takes too long is ended.
 */
export class CedarTrial implements PolicyTrial {
  readonly #module = createRequire(import.meta.url).resolve(CEDAR_MODULE);
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(private readonly timeLimitMs: number = TIME_LIMIT_MS) {}

  /** @throws ColophonError `conflict` when too many texts are being read */
  async problems(text: string, schema: string): Promise<readonly TextProblem[]> {
    if (this.#waiting >= MAX_WAITING)
      throw new ColophonError(
        'conflict',
        'Many policies are being read at the moment. Try again in a minute.',
      );
    this.#waiting += 1;
    const mine = this.#last.then(() => this.once(text, schema));
    this.#last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#waiting -= 1;
    }
  }

  private async once(text: string, schema: string): Promise<readonly TextProblem[]> {
    const workerData = { module: this.#module, schema, text };
    const thread = new Worker(THREAD, { eval: true, workerData, env: {} });
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<readonly TextProblem[]>((resolve) => {
        const refuse = (message: string) => () => resolve([{ message, help: null, offset: null }]);
        timer = setTimeout(
          refuse(`takes longer than ${this.timeLimitMs / 1000} seconds to read`),
          this.timeLimitMs,
        );
        thread.once('message', (errors: Cedar.DetailedError[]) => resolve(errors.map(toProblem)));
        thread.once('error', refuse('cannot be read: write it in simpler policies'));
        thread.once('exit', refuse('cannot be read: write it in simpler policies'));
      });
    } finally {
      clearTimeout(timer);
      await thread.terminate();
    }
  }
}
