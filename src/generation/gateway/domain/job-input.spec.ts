import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { textsIn } from '../../domain/definition-words.js';
import { readJobInput, sandboxValuesOf } from './job-input.js';

describe('the input of a job', () => {
  it('is values, sizes, and files by name and place in their list', () => {
    const input = {
      prompt: 'https://is.only/a/word/here',
      image_size: { width: 512, height: 768 },
      steps: 4,
      safe: true,
      colors: ['red', 'blue'],
      nothing: null,
      mask_url: ' https://a.example/mask.png ',
      image_urls: ['data:image/png;base64,AAAA', 'https://a.example/2.png'],
    };
    expect(readJobInput(input)).toEqual({
      values: {
        prompt: 'https://is.only/a/word/here',
        image_size: { width: 512, height: 768 },
        steps: 4,
        safe: true,
        colors: ['red', 'blue'],
      },
      files: {
        mask_url: 'https://a.example/mask.png',
        image_urls__1: 'data:image/png;base64,AAAA',
        image_urls__2: 'https://a.example/2.png',
      },
    });
  });

  it.each([
    [{ image: { url: 'https://x.example/1.png' } }, 'image.url'],
    [{ elements: [{ name: 'a' }, { refs: ['www.x.example/1.png'] }] }, 'elements.1.refs.0'],
    [{ points: [1, null] }, 'points.1'],
    [{ image_urls: ['https://x.example/1.png', 'red'] }, 'image_urls.1'],
  ])('says where in it something is refused: %j', (input, path) => {
    const extensions = { errors: [expect.objectContaining({ path })] };
    expect(() => readJobInput(input)).toThrow(expect.objectContaining({ extensions }));
  });

  it.each([
    ['a text', 'x'],
    ['a list', []],
    ['nothing', null],
    ['files inside of objects', { elements: [{ image_url: 'https://x.example/1.png' }] }],
    ['files inside of lists of lists', { a: [['https://x.example/1.png']] }],
    ['too many levels', { a: [[[[[1]]]]] }],
    ['too many members', { a: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`a${i}`, 1])) }],
    ['a member with a path in its name', { a: { '../a': 1 } }],
    ['NUL deep inside', { a: { b: ['x\0'] } }],
    ['empty values in lists', { a: [null] }],
    ['files beside words', { a: ['https://x.example/1.png', 'red'] }],
    ['a name with a path in it', { '../a': 1 }],
    ['a name that looks like a place in a list', { image__1: 'x' }],
    ['NUL', { prompt: 'a\0b' }],
    ['half a character', { prompt: 'a\ud800' }],
    ['a text that is too long', { prompt: 'x'.repeat(32_001) }],
    ['an address behind something else', { style_images: 'x.png,https://x.example/1.png' }],
    ['a list of addresses as a text', { image_urls: '["https://x.example/1.png"]' }],
    ['an address without its scheme', { image_url: 'www.x.example/1.png' }],
    [
      'a picture in bare base64',
      { image: Buffer.from(`\u0089PNG${'x'.repeat(90)}`, 'latin1').toString('base64') },
    ],
    ['an address behind something else in an object', { a: { ref: 'x,https://x.example/1.png' } }],
    ['too many files', { a: Array.from({ length: 9 }, () => 'https://x.example/1.png') }],
    ['too many parameters', Object.fromEntries(Array.from({ length: 41 }, (_, i) => [`a${i}`, 1]))],
  ])('is refused when it is or holds %s', (_, input) => {
    expect(() => readJobInput(input)).toThrow();
  });

  it('passes on words with addresses, also inside of objects', () => {
    const input = { prompt: 'a sign: https://a.example', shots: [{ prompt: 'https://a.example' }] };
    expect(readJobInput(input)).toEqual({ values: input, files: {} });
  });

  it('passes on objects with words, whose words the policies read', () => {
    const voice_setting = { voice_id: 'calm', speed: 1.2, pauses: [0.1, 0.2] };
    const shots = [
      { prompt: 'a red bottle', seconds: 2 },
      { prompt: 'a blue one', seconds: 3 },
    ];
    const { values } = readJobInput({ voice_setting, shots: [...shots], gone: null });
    expect(values).toEqual({ voice_setting, shots });
    expect(Object.values(values).flatMap(textsIn)).toEqual(['calm', 'a red bottle', 'a blue one']);
  });

  it('never lets an address through as a value, except in words for the model', () => {
    const address = fc.oneof(fc.webUrl(), fc.constant('data:image/png;base64,AAAA'));
    const name = fc.stringMatching(/^[a-z][a-z_]{0,20}$/).filter((text) => !text.includes('__'));
    fc.assert(
      fc.property(name, address, fc.boolean(), (key, url, listed) => {
        fc.pre(!['prompt', 'negative_prompt', 'text', 'lyrics'].includes(key));
        const { values } = readJobInput({ [key]: listed ? [url] : url });
        expect(JSON.stringify(values)).toBe('{}');
      }),
    );
  });

  it('becomes a picture of the same shape in the sandbox', () => {
    const of = (input: object) => sandboxValuesOf(readJobInput(input).values);
    expect(of({ prompt: 'x', image_size: 'portrait_4_3', seed: 3 })).toEqual({
      prompt: 'x',
      width: 768,
      height: 1024,
      seed: 3,
    });
    expect(of({ prompt: 'x', output_format: 'webp' })).toEqual({ prompt: 'x', output_format: 'webp' });
    expect(of({ image_size: { width: 64, height: 4096 } })).toEqual({ prompt: '', width: 256, height: 2048 });
    expect(of({ prompt: 'x', aspect_ratio: '1:4', guidance: 2 })).toEqual({
      prompt: 'x',
      width: 512,
      height: 2048,
    });
    expect(of({ text: 'x', seed: -1 })).toEqual({ text: 'x' });
  });
});
