import { z } from 'zod';
import seed from './quality-scores.json' with { type: 'json' };

const scoreSchema = z.strictObject({
  board: z.string().max(60),
  /** As the board calls it, with its setting: a score of "high" says nothing of "low". */
  entry: z.string().max(100),
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
      .array(z.strictObject({ id: z.string().max(60), name: z.string().max(100), scale: z.string().max(40) }))
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

  /** The newest score of a listing's model on one board. */
  find(board: string, listingId: string): QualityScore | undefined {
    const model = listingId.slice(0, listingId.indexOf('@'));
    return this.data.scores
      .filter((score) => score.board === board && score.model === model)
      .sort((one, other) => other.date.localeCompare(one.date))[0];
  }
}
