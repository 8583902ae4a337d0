import { type OrganizationTx } from '../../../database/organization-tx.js';
import { askUntil } from '../../../shared/ask-until.js';
import { ColophonError } from '../../../shared/errors.js';
import { publicId } from '../../../shared/ids.js';
import { type RunRepository } from '../../adapters/run.repository.js';
import { type RunEvents } from '../../application/run-events.js';
import { contentRefusalIn } from '../../domain/content-refusal.js';
import { type Run, type StepRun, TERMINAL_STEP_STATES } from '../../domain/run.js';
import { type RequestedRun } from './gateway-requests.js';

/** A run that has made everything it was asked for. */
export interface FinishedRun {
  readonly run: Run;
  /** In the order in which they were asked for; each has an output. */
  readonly steps: readonly StepRun[];
  /** UUIDs, in the same order. */
  readonly assetIds: readonly string[];
}

// The end of a run of this process is told; what is looked for are the ends that another process brought.
const FIRST_LOOK_MS = 300;
const LONGEST_PAUSE_MS = 500;

/**
 * Waits for the end of a run that other processes may be working on: its rows are read, at once when this
 * process changes them and otherwise with growing pauses. Whether anybody waits makes no difference to the run.
 */
export class AwaitRun {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly runs: RunRepository,
    private readonly events: Pick<RunEvents, 'follow'>,
    private readonly options: { readonly waitMs: number },
  ) {}

  /**
   * @param signal aborted when nobody waits any more
   * @throws ColophonError `generation_failed`, `outcome_unknown`, `run_unfinished`: none of them is to be repeated by
   *   an SDK, for the provider may have been paid. All of them name the run.
   */
  async end(
    organizationId: string,
    { runId, isNew = false }: Pick<RequestedRun, 'runId' | 'isNew'>,
    signal: AbortSignal,
  ): Promise<FinishedRun> {
    let last: { run: Run; steps: StepRun[] } | undefined;
    const ended = await askUntil(
      async () => {
        last = (await this.look(organizationId, runId)) ?? last;
        return last && endOf(last.run, last.steps);
      },
      (end) => end !== undefined,
      {
        timeoutMs: this.options.waitMs,
        stepMs: FIRST_LOOK_MS,
        longestStepMs: LONGEST_PAUSE_MS,
        pausesFirst: isNew,
        signal,
        follow: (changed) => this.events.follow(runId, ({ type }) => type === 'run' && changed()),
      },
    );
    if (ended === undefined) throw unfinished(runId, last?.run);
    return ended;
  }

  /** `undefined` while the database cannot be reached: the provider may be at work, so the caller is not sent away. */
  private async look(
    organizationId: string,
    runId: string,
  ): Promise<{ run: Run; steps: StepRun[] } | undefined> {
    try {
      const [run, steps] = await this.organizationTx.runAtOnce(organizationId, (tx) =>
        Promise.all([this.runs.get(tx, runId), this.runs.steps(tx, runId)]),
      );
      return { run, steps };
    } catch (error) {
      if (error instanceof ColophonError && error.status === 503) return undefined;
      throw error;
    }
  }
}

/**
 * `undefined` while it may still change by itself.
 * @throws ColophonError `generation_failed`, `outcome_unknown`
 */
export function endOf(run: Run, steps: readonly StepRun[]): FinishedRun | undefined {
  switch (run.state) {
    case 'SUCCEEDED': {
      const assetIds = steps.flatMap(({ outputAssetId }) => outputAssetId ?? []);
      if (assetIds.length !== steps.length)
        throw new Error(`a step of the succeeded run ${run.id} has no output`);
      return { run, steps, assetIds };
    }
    // A call has all of its pictures or an error that names those which were made.
    case 'PARTIALLY_SUCCEEDED':
    case 'FAILED':
    case 'CANCELED':
      throw failed(run, steps);
    case 'NEEDS_RECONCILIATION':
      // Steps beside the lost one may still be at work; what they make is named in the refusal.
      if (steps.some(({ state }) => state !== 'OUTCOME_UNKNOWN' && !TERMINAL_STEP_STATES.includes(state)))
        return undefined;
      throw new ColophonError(
        'outcome_unknown',
        'The answer of the provider was lost. Whether it made anything is not known, and nothing is sent again.',
        { extensions: runExtensions(run, steps) },
      );
    case 'RUNNING':
    case 'WAITING_FOR_WAIVER':
      return undefined;
  }
}

/** All of what was asked for, or an error that names what was made: nobody counts pictures in an answer. */
function failed(run: Run, steps: readonly StepRun[]): ColophonError {
  const reason = steps.find(({ errorDetail }) => errorDetail !== undefined)?.errorDetail;
  const made = steps.filter(({ outputAssetId }) => outputAssetId !== undefined).length;
  const part =
    made === 0
      ? ''
      : ` ${made} of ${steps.length} were made: GET /v1/assets/{id}/content gives them, see "assetIds".`;
  const what = run.state === 'CANCELED' ? 'The run was canceled.' : (reason ?? 'The run failed.');
  // Where some were made, that is what the caller is to hear.
  const refused = made > 0 ? undefined : steps.map(({ claims }) => contentRefusalIn(claims)).find(Boolean);
  return new ColophonError('generation_failed', `${what}${part}`, {
    extensions: {
      ...runExtensions(run, steps),
      ...(refused === undefined ? {} : { contentRefusal: refused }),
    },
  });
}

function unfinished(runId: string, run: Run | undefined): ColophonError {
  return new ColophonError('run_unfinished', 'The run has not ended in the time that an SDK waits.', {
    extensions: run ? runExtensions(run, []) : { runId: publicId('run', runId) },
  });
}

/** What every refusal after the acceptance names; the error forms make headers of it. */
function runExtensions(run: Run, steps: readonly StepRun[]): Record<string, unknown> {
  return {
    runId: publicId('run', run.id),
    clearanceId: publicId('clearance', run.clearanceId),
    ...(steps.length === 0 ? {} : { assetIds: publicAssetIds(steps), steps: steps.map(stepOutcome) }),
  };
}

function publicAssetIds(steps: readonly StepRun[]): string[] {
  return steps.flatMap(({ outputAssetId }) =>
    outputAssetId === undefined ? [] : [publicId('asset', outputAssetId)],
  );
}

function stepOutcome({ key, state, errorCode, errorDetail }: StepRun) {
  return { key, state, ...(errorCode === undefined ? {} : { code: errorCode, detail: errorDetail ?? '' }) };
}
