import { describe, expect, it } from '@jest/globals';
import { type Usage } from '../../domain/usage.js';
import { ImagesAnswer, imagesOutcome } from './images-answer.js';

function usageOf(usage: object): Usage | undefined {
  const answer = ImagesAnswer.parse({ data: [{ b64_json: 'iVBORw0KGgo=' }], usage });
  return imagesOutcome(answer, 'never').usage;
}

describe('the tokens of an answer of OpenAI', () => {
  it.each([
    ['details of text alone', { output_tokens: 1090, output_tokens_details: { text_tokens: 34 } }],
    ['details of text alone, without a total', { output_tokens_details: { text_tokens: 34 } }],
    ['no image tokens', { output_tokens: 34, output_tokens_details: { text_tokens: 34, image_tokens: 0 } }],
    [
      'an input picture that is left out',
      { input_tokens: 5000, input_tokens_details: { text_tokens: 12 }, output_tokens: 1056 },
    ],
  ])('tell no price with %s', (_, usage) => {
    expect(usageOf(usage)).toBeUndefined();
  });

  it.each([
    [
      { input_tokens: 12, output_tokens: 1056, output_tokens_details: {} },
      { 'input-text-token': 12, 'output-image-token': 1056 },
    ],
    [
      { input_tokens_details: { text_tokens: 12, image_tokens: 300 }, output_tokens: 1056 },
      { 'input-text-token': 12, 'input-image-token': 300, 'output-image-token': 1056 },
    ],
    [
      {
        input_tokens: 12,
        output_tokens: 1090,
        output_tokens_details: { text_tokens: 34, image_tokens: 1056 },
      },
      { 'input-text-token': 12, 'output-text-token': 34, 'output-image-token': 1056 },
    ],
  ])('tell the price where they are whole: %j', (usage, readings) => {
    expect(usageOf(usage)).toEqual(readings);
  });
});
