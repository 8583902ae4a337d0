import { describe, expect, it } from '@jest/globals';
import { QualityScores } from './quality-scores.js';

const BOARD = 'lmarena-text-to-image';
const scores = new QualityScores();
const scoreOf = (listingId: string, parameters = {}, board = BOARD) =>
  scores.find(board, listingId, parameters)?.score;

describe('the score of a model on a board', () => {
  it('counts only for the setting under which the board saw it', () => {
    expect(scoreOf('gpt-image-2@openai', { quality: 'medium' })).toBe(1512);
    for (const parameters of [{ quality: 'low' }, { quality: 'high' }, { quality: 'auto' }, {}])
      expect(scoreOf('gpt-image-2@openai', parameters)).toBeUndefined();
  });

  it('is not known where the question names a grade and the board does not', () => {
    const board = 'artificial-analysis-text-to-image';
    expect(scoreOf('gpt-image-1.5@openai', {}, board)).toBe(1272);
    expect(scoreOf('gpt-image-1.5@openai', { quality: 'low' }, board)).toBeUndefined();
  });

  it('is of the newest snapshot: those of two days or sources are not ranked together', () => {
    expect(scoreOf('flux-2-max@fal')).toBe(1165);
    expect(scoreOf('flux-2-pro@fal')).toBeUndefined();
  });
});
