import { Worker } from 'node:worker_threads';
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs';
import { type ParsedText, type PolicyReader } from '../domain/policies/policy-engine.port.js';
import { CEDAR_FILE } from './cedar-module.js';
import { toProblem } from './cedar-policy-engine.js';
import { TurnQueue } from './turn-queue.js';

/** With the start of the thread. The largest valid text takes a twentieth of it on an idle machine. */
const TIME_LIMIT_MS = 45_000;

/** What {@link READ} answers: the engine's own words, and each policy with its effect and annotations. */
export interface ReadAnswer {
  readonly errors: readonly Cedar.DetailedError[];
  readonly warnings: readonly Cedar.DetailedError[];
  readonly policies: readonly {
    readonly text: string;
    readonly effect: 'permit' | 'forbid';
    readonly annotations: Readonly<Record<string, string | null>>;
  }[];
}

/** JavaScript of a function. Given as text: a thread needs nothing else of ours, so it is the same compiled and in tests. */
export const READ = `(cedar, schema, text) => {
  const refused = (errors) => ({ errors, warnings: [], policies: [] });
  const answer = cedar.validate({ schema, policies: { staticPolicies: text } });
  if (answer.type === 'failure') return refused(answer.errors);
  if (answer.validationErrors.length > 0) return refused(answer.validationErrors.map(({ error }) => error));
  const parts = cedar.policySetTextToParts(text);
  if (parts.type === 'failure') return refused(parts.errors);
  const policies = parts.policies.map((part) => {
    const json = cedar.policyToJson(part);
    if (json.type === 'failure') throw new Error('a part of a valid text is not valid');
    return { text: part, effect: json.json.effect, annotations: json.json.annotations ?? {} };
  });
  const warnings = [...answer.validationWarnings.map(({ error }) => error), ...answer.otherWarnings];
  return { errors: [], warnings, policies };
}`;

const THREAD = `
const { parentPort, workerData: { module, schema, text } } = require('node:worker_threads');
parentPort.postMessage((${READ})(require(module), schema, text));
`;

/**
 * Reads texts beside the event loop: Cedar takes seconds for the largest, and its parser tries to go on after each error.
 * One after the other, the organizations by turns; a thread that takes too long is ended.
 */
export class CedarReader implements PolicyReader {
  readonly #queue: TurnQueue;

  /** @param maxWaiting texts of one organization that wait for their turn, or are being read */
  constructor(
    maxWaiting: number,
    private readonly timeLimitMs: number = TIME_LIMIT_MS,
  ) {
    this.#queue = new TurnQueue(maxWaiting);
  }

  /** @throws ColophonError `conflict` when too many texts of the organization are being read */
  read(text: string, schema: string, organizationId: string): Promise<ParsedText> {
    return this.#queue.run(organizationId, () => this.once(text, schema));
  }

  private async once(text: string, schema: string): Promise<ParsedText> {
    const workerData = { module: CEDAR_FILE, schema, text };
    const thread = new Worker(THREAD, { eval: true, workerData, env: {} });
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<ParsedText>((resolve) => {
        const refuse = (message: string) => () =>
          resolve({ problems: [{ message, help: null, offset: null }], warnings: [], policies: [] });
        timer = setTimeout(
          refuse(`takes longer than ${this.timeLimitMs / 1000} seconds to read`),
          this.timeLimitMs,
        );
        thread.once('message', (answer: ReadAnswer) => resolve(toParsedText(answer)));
        thread.once('error', refuse('cannot be read: write it in simpler policies'));
        thread.once('exit', refuse('cannot be read: write it in simpler policies'));
      });
    } finally {
      clearTimeout(timer);
      await thread.terminate();
    }
  }
}

export function toParsedText({ errors, warnings, policies }: ReadAnswer): ParsedText {
  return {
    problems: errors.map(toProblem),
    warnings: warnings.map(toProblem),
    policies: policies.map(({ text, effect, annotations }) => ({
      text,
      effect,
      annotations: new Map(Object.entries(annotations).map(([name, value]) => [name, value ?? ''])),
    })),
  };
}
