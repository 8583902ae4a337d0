import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ContractFault, EXPECTED } from './provider-contract-faults.js';
import {
  type CompletedStep,
  type FailedStep,
  OutcomeUnknownError,
  type Provider,
  PROVIDER_NAMES,
  type ProviderJob,
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
  /** The vendor's key; must show up nowhere. */
  readonly secretKey?: string;
  /** How many submits the vendor accepted and charged. Work on this machine: always 0. */
  charges(): number;
  /** The next submit is accepted, but its answer is lost. Not where `resubmission` is `harmless`. */
  readonly loseNextAnswer?: () => void;
  /** What the vendor can be made to do wrong, in the next submit. Providers on this machine have no vendor. */
  readonly faults?: {
    readonly names: readonly ContractFault[];
    plan(fault: ContractFault): void;
    /** How many submits reached the vendor, accepted or not. */
    attempts(): number;
  };
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
      return pollToTheEnd(jobOf(request, submitted.upstreamId));
    }

    const jobOf = ({ stepRunId, endpoint }: ProviderRequest, upstreamId: string): ProviderJob => ({
      stepRunId,
      endpoint,
      upstreamId,
    });

    async function pollToTheEnd(job: ProviderJob): Promise<CompletedStep | FailedStep> {
      for (let poll = 0; poll < MAX_POLLS; poll += 1) {
        const state = await harness.provider.poll(job, signal());
        if (state.kind !== 'running') return state;
        expect(state.progress === undefined || (state.progress >= 0 && state.progress <= 1)).toBe(true);
      }
      throw new Error('the job did not end');
    }

    it('says who it is and what a second submit would cost', () => {
      expect(PROVIDER_NAMES).toContain(harness.provider.name);
      expect(['charges_again', 'harmless', 'identified']).toContain(harness.provider.resubmission);
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
      const readings = Object.values(outcome.usage ?? {});
      expect(readings.filter((reading) => !(Number.isFinite(reading) && reading > 0))).toEqual([]);
      const types = Object.values(outcome.claims).map((claim) => typeof claim);
      expect(types.filter((type) => !['string', 'number', 'boolean'].includes(type))).toEqual([]);
      expect(harness.charges()).toBe(harness.provider.resubmission === 'harmless' ? 0 : 1);
    });

    it('may be polled again after the end, with the same answer and no charge', async () => {
      const request = fresh(harness.validRequest);
      const submitted = await harness.provider.submit(request, signal());
      if (submitted.kind !== 'accepted') return;
      const job = jobOf(request, submitted.upstreamId);
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
      const job = jobOf(harness.validRequest, randomUUID());
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
      if (harness.provider.resubmission !== 'identified') return;
      // Sent again, it finds what was sent before.
      expect((await harness.provider.submit(request, signal())).kind).toBe('accepted');
      expect(harness.charges()).toBe(1);
    });

    it('finds a job whose answer was lost, where the vendor shows its jobs; and no other', async () => {
      const { provider, loseNextAnswer } = harness;
      if (provider.findLost === undefined || loseNextAnswer === undefined) return;
      loseNextAnswer();
      const request = fresh(harness.validRequest);
      await expect(provider.submit(request, signal())).rejects.toBeInstanceOf(OutcomeUnknownError);
      const found = await provider.findLost(request, signal());
      if (found.kind !== 'found') throw new Error('the lost job was not found');
      const job = jobOf(request, found.upstreamId);
      expect((await pollToTheEnd(job)).kind).toBe('completed');
      expect(await provider.findLost(fresh(request), signal())).toEqual({ kind: 'not-found' });
      expect(harness.charges()).toBe(1);
    });

    it('stands whatever goes wrong at the vendor or on the way, after a single request', async () => {
      const seen: Record<string, unknown> = {};
      const expected: Record<string, unknown> = {};
      for (const fault of harness.faults?.names ?? []) {
        const [chargesBefore, attemptsBefore] = [harness.charges(), harness.faults?.attempts() ?? 0];
        harness.faults?.plan(fault);
        const outcome = await finish(fresh(harness.validRequest)).catch((error: unknown) => error);
        seen[fault] = {
          outcome: outcome instanceof OutcomeUnknownError ? 'unknown' : (outcome as { kind?: string }).kind,
          charges: harness.charges() - chargesBefore,
          attempts: (harness.faults?.attempts() ?? 0) - attemptsBefore,
        };
        expected[fault] = { ...EXPECTED[fault], attempts: 1 };
        const told = outcome instanceof Error ? outcome : { ...(outcome as object), outputs: [] };
        // Whatever a logger could write, with all causes: neither the prompt nor the key.
        const written = inspect(told, { depth: 20, showHidden: true, getters: false });
        expect(written).not.toContain(harness.secretText);
        if (harness.secretKey !== undefined) expect(written).not.toContain(harness.secretKey);
      }
      expect(seen).toEqual(expected);
    });
  });
}
