import { type OrganizationTx } from '../../database/organization-tx.js';
import { ColophonError, type ErrorCode } from '../../shared/errors.js';
import { type RunRepository } from '../adapters/run.repository.js';
import { OPERATION_FACTS } from '../domain/operation.js';
import { type CompletedStep } from '../domain/provider.port.js';
import { machineOperation } from '../domain/run.js';
import { type CaptureOutput } from './capture-output.js';
import { type FailStep } from './fail-step.js';
import { type RunEvents } from './run-events.js';
import { type Next, type StepWork } from './step-work.js';

/** Errors that do not go away by trying again. */
const DEFINITE: readonly ErrorCode[] = [
  'upstream_invalid',
  'upstream_error',
  'url_blocked',
  'unsupported_media',
  'media_corrupt',
  'media_too_large',
];

/** Step 5 of the way of a run: the provider has answered; its bytes are stored, then CAPTURED is committed. */
export class CaptureStep {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly runs: RunRepository,
    private readonly captureOutput: CaptureOutput,
    private readonly failStep: FailStep,
    private readonly events: RunEvents,
  ) {}

  async capture(work: StepWork, answer: CompletedStep): Promise<Next> {
    const { organizationId, step, lease } = work;
    const billed = answer.usage === undefined ? {} : { usage: answer.usage };
    try {
      const { makes } = OPERATION_FACTS[machineOperation(step)];
      const captured = await this.captureOutput.capture(organizationId, answer.outputs, makes);
      return await this.organizationTx.run(organizationId, async (tx) => {
        const [run, changed] = await Promise.all([
          this.runs.lock(tx, step.runId),
          this.runs.changeStep(tx, step.id, lease, step.state, 'CAPTURED', {
            ...billed,
            claims: { ...answer.claims, ...filesOf(answer, captured.number) },
            originalSha256: captured.sha256,
            originalMediaType: captured.mediaType,
            ...(captured.preparation === undefined ? {} : { preparation: captured.preparation }),
          }),
        ]);
        await this.events.add(tx, step.runId, { type: 'step', stepKey: step.key, state: 'CAPTURED' });
        return { run, step: changed };
      });
    } catch (error) {
      if (!(error instanceof ColophonError) || !DEFINITE.includes(error.code)) throw error;
      // The provider did its work and is paid for it, although what it sent cannot be used.
      return this.failStep.fail(
        { ...work, step: { ...step, ...billed } },
        { code: error.code, reason: error.message, charged: true },
      );
    }
  }
}

/** A step makes one file. Of an answer that names more, their number stays on record, and which of them was taken. */
function filesOf({ outputs }: CompletedStep, fileTaken: number): Readonly<Record<string, number>> {
  return outputs.length > 1 ? { filesInAnswer: outputs.length, fileTaken } : {};
}
