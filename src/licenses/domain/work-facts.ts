import { type DutyQuestion, OPEN_END, type ShownDays, type ShownIn, type WorkContent } from './due-duties.js';
import { type RunFacts } from './run-facts.js';
import { and, type ThreeValued } from './three-valued.js';

/** What is recorded of one file of a lineage, as far as it tells how the file was made. */
export interface WorkOrigin {
  readonly origin: 'step' | 'upload' | 'edit';
  /** Short name of the digital source type; null where there is none or nobody declared one. */
  readonly digitalSourceType: string | null;
  /** As declared for an upload; absent means `unknown`. */
  readonly showsPeople?: ThreeValued | undefined;
}

const TRAINED: readonly string[] = ['trainedAlgorithmicMedia', 'compositeWithTrainedAlgorithmicMedia'];
const ALGORITHMIC: readonly string[] = ['algorithmicMedia', 'algorithmicallyEnhanced'];

/** Whether a digital source type says that a trained model took part. */
export function saysTrained(digitalSourceType: string | null | undefined): boolean {
  return TRAINED.includes(digitalSourceType ?? '');
}

/**
 * The question about the duties of a work, from everything that was said of the runs behind it and everything that is
 * recorded of the files behind it. Adding a run or a file never rules out a duty.
 *
 * @param madeOn the day on which it was signed: it is not shown before, and at the earliest that day
 * @param today for a question that is asked later: as long as its campaign has not ended, it counts as shown
 */
export function dutyQuestion(
  lineage: readonly WorkOrigin[],
  runs: readonly RunFacts[],
  madeOn: string,
  today: string = madeOn,
): DutyQuestion {
  return {
    shownIn: shownIn(runs),
    days: shownDays(runs, madeOn, today),
    content: contentOf(lineage, runs),
    // Who runs a model on its own account uses it. Whether it is a provider or a platform as well nobody was asked.
    roles: { provider: 'unknown', deployer: 'yes', platform: 'unknown' },
  };
}

function shownIn(runs: readonly RunFacts[]): ShownIn {
  if (runs.length === 0) return 'unknown';
  const all: string[] = [];
  for (const { audienceCountries } of runs) {
    if (audienceCountries === 'worldwide') return 'worldwide';
    all.push(...audienceCountries);
  }
  return [...new Set(all)].sort();
}

function shownDays(runs: readonly RunFacts[], madeOn: string, today: string): ShownDays {
  const ends = runs.length === 0 ? [null] : runs.map(({ campaignEnd }) => campaignEnd);
  const known = ends.map((end) => (end === 'open-ended' ? OPEN_END : (end ?? madeOn)));
  const unbounded = ends.some((end) => end === null || end === 'open-ended');
  const last = [...known, madeOn].reduce((a, b) => (a > b ? a : b));
  const stillShown = unbounded || last >= today;
  return {
    untilAtLeast: stillShown && today > last ? today : last,
    untilAtMost: unbounded ? null : last,
  };
}

function contentOf(lineage: readonly WorkOrigin[], runs: readonly RunFacts[]): WorkContent {
  const aiMade = someOf(lineage.map(madeByAi));
  return {
    medium: 'image',
    aiMade,
    algorithmMade: someOf(lineage.map(madeByAlgorithm)),
    // Beside people nobody is asked what the picture shows: a person finds out and proves it.
    realistic: 'unknown',
    resemblesExisting: 'unknown',
    syntheticPerformer: and(showsPeople(lineage, runs), 'unknown'),
    advertising: someOf(runs.map(isAdvertising)),
  };
}

/**
 * Whether the work shows people or figures that can be taken for some. Who asked for a run said it of what comes out;
 * a person may have drawn somebody afterwards, and a picture of people that went in may still show them.
 */
function showsPeople(lineage: readonly WorkOrigin[], runs: readonly RunFacts[]): ThreeValued {
  const uploads = lineage.filter(({ origin }) => origin === 'upload');
  const said = runs.map((run) => run.showsPeople ?? 'unknown');
  const declared = uploads.map((upload) => upload.showsPeople ?? 'unknown');
  const isEdited = lineage.some(({ origin }) => origin === 'edit');
  if (said.includes('yes')) return 'yes';
  if (isEdited || declared.includes('yes')) return 'unknown';
  return someOf(said.length > 0 ? said : declared);
}

/**
 * A step without a type (a plain resize) adds nothing. An upload without one, and the file of a person's edit, may have
 * come out of any program: that is unknown.
 */
function madeByAi({ origin, digitalSourceType }: WorkOrigin): ThreeValued {
  if (saysTrained(digitalSourceType)) return 'yes';
  if (origin === 'edit' || (origin === 'upload' && digitalSourceType !== 'digitalCapture')) return 'unknown';
  return 'no';
}

function madeByAlgorithm(work: WorkOrigin): ThreeValued {
  if (ALGORITHMIC.includes(work.digitalSourceType ?? '')) return 'yes';
  return madeByAi(work);
}

function isAdvertising({ fieldsOfUse }: RunFacts): ThreeValued {
  if (fieldsOfUse === 'unknown') return 'unknown';
  return fieldsOfUse.some((field) => field === 'online-advertising' || field === 'offline-advertising')
    ? 'yes'
    : 'unknown';
}

/** `yes` if one is, `no` only if all are not. None at all says nothing. */
function someOf(values: readonly ThreeValued[]): ThreeValued {
  if (values.includes('yes')) return 'yes';
  return values.length === 0 || values.includes('unknown') ? 'unknown' : 'no';
}
