import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type CompletedStep,
  type FailedStep,
  OutcomeUnknownError,
  type Provider,
  PROVIDER_NAMES,
  type ProviderRequest,
} from '../../src/generation/domain/provider.port.js';

/** What a provider's own spec supplies so that the contract can be tried on it. */
export interface ProviderContractHarness {
  readonly provider: Provider;
  /** A request that succeeds. The contract sets the step's id. */
  readonly validRequest: ProviderRequest;
  /** A request that the provider must refuse, definitely and without spending. Its parameters hold `secretText`. */
  readonly refusedRequest: ProviderRequest;
  /** Must not show up in the reason of a failure. */
  readonly secretText: string;
  /** How many submits the vendor accepted and charged. Work on this machine: always 0. */
  charges(): number;
  /** The next submit is accepted, but its answer is lost. Only where `resubmission` is `charges_again`. */
  loseNextAnswer?(): void;
  stop(): Promise<void>;
}

const MAX_POLLS = 100;

/** What the step worker relies on, whichever provider it talks to. Call it at the top level of a spec. */
export function describeProviderContract(name: string, start: () => Promise<ProviderContractHarness>): void {
  describe(`provider contract: ${name}`, () => {
    let harness: ProviderContractHarness;
    beforeEach(async () => {
      harness = await start();
    });
    afterEach(() => harness.stop());

    const signal = (): AbortSignal => new AbortController().signal;
    const fresh = (request: ProviderRequest): ProviderRequest => ({ ...request, stepRunId: randomUUID() });

    async function finish(request: ProviderRequest): Promise<CompletedStep | FailedStep> {
      const submitted = await harness.provider.submit(request, signal());
      if (submitted.kind !== 'accepted') return submitted;
      expect(submitted.upstreamId).not.toBe('');
      return pollToTheEnd({ endpoint: request.endpoint, upstreamId: submitted.upstreamId });
    }

    async function pollToTheEnd(job: {
      endpoint: string;
      upstreamId: string;
    }): Promise<CompletedStep | FailedStep> {
      for (let poll = 0; poll < MAX_POLLS; poll += 1) {
        const state = await harness.provider.poll(job, signal());
        if (state.kind !== 'running') return state;
        expect(state.progress === undefined || (state.progress >= 0 && state.progress <= 1)).toBe(true);
      }
      throw new Error('the job did not end');
    }

    it('says who it is and what a second submit would cost', () => {
      expect(PROVIDER_NAMES).toContain(harness.provider.name);
      expect(['charges_again', 'harmless']).toContain(harness.provider.resubmission);
      expect(harness.provider.channel).toMatch(/^[a-z0-9-]+$/);
    });

    it('judges a request beforehand without repeating its values', () => {
      expect(harness.provider.problemWith(harness.validRequest)).toBeUndefined();
      const { refusedRequest } = harness;
      const endpoint = `https://${harness.secretText}.example/`;
      const problems = [
        harness.provider.problemWith(refusedRequest),
        harness.provider.problemWith({ ...refusedRequest, endpoint }),
      ];
      expect(problems[1]).toBeDefined();
      expect(problems.join()).not.toContain(harness.secretText);
      expect(harness.charges()).toBe(0);
    });

    it('completes a valid request with at least one output, and charges it once', async () => {
      const outcome = await finish(fresh(harness.validRequest));
      expect(outcome.kind).toBe('completed');
      if (outcome.kind !== 'completed') return;
      expect(outcome.outputs.length).toBeGreaterThan(0);
      for (const output of outcome.outputs) {
        if (output.kind === 'bytes') expect(output.bytes.byteLength).toBeGreaterThan(0);
        else expect(URL.canParse(output.url)).toBe(true);
      }
      const units = outcome.billedUnits;
      expect(units === undefined || (Number.isFinite(units) && units > 0)).toBe(true);
      const types = Object.values(outcome.claims).map((claim) => typeof claim);
      expect(types.filter((type) => !['string', 'number', 'boolean'].includes(type))).toEqual([]);
      expect(harness.charges()).toBe(harness.provider.resubmission === 'charges_again' ? 1 : 0);
    });

    it('may be polled again after the end, with the same answer and no charge', async () => {
      const request = fresh(harness.validRequest);
      const submitted = await harness.provider.submit(request, signal());
      if (submitted.kind !== 'accepted') return;
      const job = { endpoint: request.endpoint, upstreamId: submitted.upstreamId };
      const first = await pollToTheEnd(job);
      const chargesThen = harness.charges();
      expect(await harness.provider.poll(job, signal())).toEqual(first);
      expect(harness.charges()).toBe(chargesThen);
    });

    it('refuses with a short reason that repeats nothing of the request', async () => {
      const outcome = await finish(fresh(harness.refusedRequest));
      expect(outcome.kind).toBe('failed');
      if (outcome.kind !== 'failed') return;
      expect(outcome.reason.length).toBeGreaterThan(0);
      expect(outcome.reason.length).toBeLessThanOrEqual(500);
      expect(outcome.reason).not.toContain(harness.secretText);
      expect(harness.charges()).toBe(0);
    });

    it('spends nothing when it is canceled before it starts', async () => {
      const submit = harness.provider.submit(fresh(harness.validRequest), AbortSignal.abort());
      const outcome = await submit.catch((error: unknown) => error);
      expect(outcome).not.toBeInstanceOf(OutcomeUnknownError);
      expect(outcome).not.toMatchObject({ kind: 'accepted' });
      expect(harness.charges()).toBe(0);
    });

    it('lets a job be canceled that does not exist', async () => {
      const job = { endpoint: harness.validRequest.endpoint, upstreamId: randomUUID() };
      await expect(harness.provider.cancel(job, signal())).resolves.toBeUndefined();
    });

    it('repeats harmless work exactly, and never repeats paid work whose answer was lost', async () => {
      const request = fresh(harness.validRequest);
      if (harness.provider.resubmission === 'harmless') {
        expect(await finish(request)).toEqual(await finish(request));
        return;
      }
      if (harness.loseNextAnswer === undefined) throw new Error('the harness must be able to lose an answer');
      harness.loseNextAnswer();
      await expect(harness.provider.submit(request, signal())).rejects.toBeInstanceOf(OutcomeUnknownError);
      expect(harness.charges()).toBe(1);
    });
  });
}
