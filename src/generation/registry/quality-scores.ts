import { z } from 'zod';
import { OPERATIONS } from '../domain/operation.js';
import seed from './quality-scores.json' with { type: 'json' };

const scoreSchema = z.strictObject({
  board: z.string().max(60),
  /** As the board calls it. */
  entry: z.string().max(100),
  /** Parameters under which the board saw the model, as far as it says so: a score of "high" says nothing of "low". */
  setting: z.record(z.string().max(40), z.string().max(40)).default({}),
  /** The part of our listing ids before the "@"; several listings may run one model. */
  model: z.string().max(80),
  /** The day of the snapshot. */
  date: z.iso.date(),
  score: z.number(),
  /** Half of the confidence interval as the board states it; `null` where the source gave none. */
  plusMinus: z.number().positive().nullable(),
  source: z.string().min(1).max(200),
  /** Whether the board itself was read. */
  verified: z.boolean(),
});
export type QualityScore = z.output<typeof scoreSchema>;

export const qualityScoresSchema = z
  .strictObject({
    boards: z
      .array(
        z.strictObject({
          id: z.string().max(60),
          name: z.string().max(100),
          /** What its models were compared by: it says nothing of how they do anything else. */
          operation: z.enum(OPERATIONS),
          scale: z.string().max(40),
        }),
      )
      .min(1),
    scores: z.array(scoreSchema),
  })
  .refine(
    ({ boards, scores }) => scores.every(({ board }) => boards.some(({ id }) => id === board)),
    'every score is of a board',
  );

/** Scores of public boards. Boards differ by hundreds of points on the same model, so they are never mixed. */
export class QualityScores {
  private readonly data = qualityScoresSchema.parse(seed);

  get boards() {
    return this.data.boards;
  }

  get scores(): readonly QualityScore[] {
    return this.data.scores;
  }

  /**
   * The score of a listing's model in the newest snapshot of a board. Ratings move with whom a model is compared to, so
   * those of two snapshots are no more mixed than those of two boards.
   * @returns `undefined` where the snapshot has no such model, or saw it under another setting than the one asked for
   */
  find(
    board: string,
    listingId: string,
    parameters: Readonly<Record<string, unknown>>,
  ): QualityScore | undefined {
    const model = listingId.slice(0, listingId.indexOf('@'));
    const scores = this.data.scores.filter((score) => score.board === board);
    const [newest] = scores.toSorted((one, other) => other.date.localeCompare(one.date));
    return scores.find(
      (score) =>
        score.model === model &&
        score.date === newest?.date &&
        score.source === newest.source &&
        isOfSetting(score, parameters),
    );
  }
}

/** What vendors sell under one name in several grades. */
const GRADE = 'quality';

/** A grade that the board does not state, or that the question leaves open, is no match: its price would be of another one. */
function isOfSetting({ setting }: QualityScore, parameters: Readonly<Record<string, unknown>>): boolean {
  const asked = Object.keys(setting).concat(parameters[GRADE] === undefined ? [] : [GRADE]);
  return asked.every((name) => setting[name] === parameters[name]);
}
