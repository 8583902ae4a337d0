import { wordsOf } from '../../domain/name-words.js';

const COUNTERS = setOf('n num nums number numbers count counts quantity qty');
/** Count only together with what is made: `max_images`, but `max_shift`. */
const BOUNDS = setOf('max maximum min minimum total amount per');
/** Say alone that they count. */
const BARE = setOf('n num count quantity qty samples');
/** What a step makes, or does again. */
const MADE = setOf(
  `image images img imgs picture pictures pic pics photo photos output outputs sample samples video videos clip clips
   result results generation generations variation variations variant variants candidate candidates take takes
   completion completions sequence sequences file files render renders alternative alternatives copy copies
   iter iters iteration iterations repeat repeats repetition repetitions`,
);
/** What else is counted or measured, so that no file more comes of it. What is not here is taken for a number of files. */
const HARMLESS = setOf(
  `step steps frame frames fps beam beams token tokens color colors colour colours speaker speakers head heads
   thread threads worker workers word words character characters char chars line lines person persons people face faces
   object objects point points keypoint keypoints bin bins level levels block blocks size width height pixel pixels px
   resolution megapixel megapixels mp length quality format bytes mb kb second seconds duration strength scale weight
   guidance ratio dimension dimensions side edge area index id ids type seed shift bpm beats bars`,
);
const RUN_TOGETHER = /^(n|num|number|max|total)(images?|outputs?|samples?|videos?|results?)$/;

function setOf(words: string): ReadonlySet<string> {
  return new Set(words.split(/\s+/));
}

/**
 * More than one file is refused, wherever it is asked for: a step leaves one, and the others would be paid for and lost.
 * Vendors have many names for it, so a name that says that something is counted is one of them, unless it says that
 * something else is.
 */
export function countProblem(name: string, value: unknown): string | undefined {
  if (value === 1 || value === undefined || !countsFiles(name, value)) return undefined;
  const shown = /^[A-Za-z0-9_]{1,64}$/.test(name) ? name : 'a parameter';
  return `${shown} must be 1: a step makes one file`;
}

function countsFiles(name: string, value: unknown): boolean {
  const words = wordsOf(name).flatMap((word) => RUN_TOGETHER.exec(word)?.slice(1) ?? [word]);
  const has = (set: ReadonlySet<string>) => words.some((word) => set.has(word));
  if (has(BATCH)) return true;
  if (words.length === 0 || has(HARMLESS)) return false;
  if (has(MADE) && (has(COUNTERS) || has(BOUNDS))) return true;
  if (words.length === 1 && has(BARE)) return true;
  // A list or an object under such a name holds something else, and is looked into.
  const isCount = has(COUNTERS) || words.every((word) => MADE.has(word) || BOUNDS.has(word));
  return isCount && isMany(value);
}

const BATCH = setOf('batch batches batchsize');

/** Between 0 and 1 it is a share (`variation: 0.3`). Vendors read numbers in texts. */
function isMany(value: unknown): boolean {
  const isText = typeof value === 'string' && value.trim() !== '';
  const number = isText ? Number(value) : value;
  return typeof number === 'number' && !Number.isNaN(number) && !(number >= 0 && number <= 1);
}
