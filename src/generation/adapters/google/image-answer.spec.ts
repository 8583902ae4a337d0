import { describe, expect, it } from '@jest/globals';
import { type Usage } from '../../domain/usage.js';
import { ImageAnswer, imageOutcome } from './image-answer.js';

const PICTURE = { inlineData: { data: 'iVBORw0KGgo=' } };
const text = (tokenCount: number) => ({ modality: 'TEXT', tokenCount });
const image = (tokenCount: number) => ({ modality: 'IMAGE', tokenCount });

function usageOf(usageMetadata: object, parts: readonly object[] = [PICTURE]): Usage | undefined {
  const candidates = [{ content: { parts }, finishReason: 'STOP' }];
  const outcome = imageOutcome(ImageAnswer.parse({ candidates, usageMetadata }));
  return outcome.usage;
}

describe('the tokens of an answer of Google', () => {
  it.each([
    ['details of text alone', { candidatesTokenCount: 1320, candidatesTokensDetails: [text(30)] }],
    ['details of text alone, without a total', { candidatesTokensDetails: [text(30)] }],
    [
      'a kind that is not known',
      {
        candidatesTokenCount: 1320,
        candidatesTokensDetails: [{ modality: 'OTHER', tokenCount: 1290 }, text(30)],
      },
    ],
    [
      'an input picture that is left out',
      {
        promptTokenCount: 1300,
        promptTokensDetails: [text(10)],
        candidatesTokenCount: 1290,
        candidatesTokensDetails: [image(1290)],
      },
    ],
    ['thoughts alone', { promptTokenCount: 10, thoughtsTokenCount: 40 }],
  ])('tell no price with %s', (_, usageMetadata) => {
    expect(usageOf(usageMetadata)).toBeUndefined();
  });

  it.each([
    [
      'a total that holds more than its parts',
      { promptTokenCount: 10, candidatesTokenCount: 1290, totalTokenCount: 1340 },
    ],
    ['fewer thoughts than none', { candidatesTokenCount: 1290, thoughtsTokenCount: -40 }],
  ])('tell no price with %s', (_, usageMetadata) => {
    expect(usageOf(usageMetadata)).toBeUndefined();
  });

  it('of thoughts are text that was put out, and are told apart from the rest of it', () => {
    const usage = usageOf({
      promptTokenCount: 10,
      candidatesTokenCount: 1300,
      thoughtsTokenCount: 40,
      totalTokenCount: 1350,
      candidatesTokensDetails: [image(1290), text(10)],
    });
    expect(usage).toEqual({
      'input-text-token': 10,
      'output-image-token': 1290,
      'output-text-token': 50,
      'output-thinking-token': 40,
    });
  });

  it.each([
    [{ candidatesTokenCount: 1290 }, { 'output-image-token': 1290 }],
    [{ candidatesTokenCount: 1290, candidatesTokensDetails: [] }, { 'output-image-token': 1290 }],
    [
      { promptTokenCount: 10, candidatesTokenCount: 1320, candidatesTokensDetails: [image(1290), text(30)] },
      { 'input-text-token': 10, 'output-image-token': 1290, 'output-text-token': 30 },
    ],
  ])('tell the price where they are whole: %j', (usageMetadata, usage) => {
    expect(usageOf(usageMetadata)).toEqual(usage);
  });

  it('of an answer without a picture may be text', () => {
    const words = { candidatesTokenCount: 30, candidatesTokensDetails: [text(30)] };
    expect(usageOf(words, [{ text: 'no' }])).toEqual({ 'output-text-token': 30 });
  });
});
