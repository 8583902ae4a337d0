import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { UnusableResultError } from '../vendor/outputs.js';
import { billedUnitsOf, claimsOf, outputsOf } from './fal-result.js';

const URL_A = 'https://v3.fal.media/files/a.png';
const URL_B = 'https://v3.fal.media/files/b.mp4';
const url = (address: string): { kind: 'url'; url: string } => ({ kind: 'url', url: address });

describe('outputsOf', () => {
  it.each([
    ['a list of images', { images: [{ url: URL_A }, { url: URL_B, width: 1 }] }, [url(URL_A), url(URL_B)]],
    ['one image', { image: { url: URL_A, content_type: 'image/png' } }, [url(URL_A)]],
    ['bare addresses', { images: [URL_A] }, [url(URL_A)]],
    ['a video', { video: { url: URL_B } }, [url(URL_B)]],
    ['audio', { audio: { url: URL_A } }, [url(URL_A)]],
    [
      'a 3D model in two forms, of which the first counts',
      { model_mesh: { url: URL_B }, model_glb: { url: URL_A } },
      [url(URL_A)],
    ],
    ['an audio file beside an empty field', { audio_file: { url: URL_A }, image: null }, [url(URL_A)]],
  ])('finds %s', (_name, data, expected) => {
    expect(outputsOf(data, [])).toEqual(expected);
  });

  it('decodes a data URI', () => {
    const bytes = Buffer.from('picture!');
    const data = { image: { url: `data:image/png;base64,${bytes.toString('base64')}` } };
    expect(outputsOf(data, [])).toEqual([{ kind: 'bytes', bytes }]);
  });

  it.each([
    ['an empty object', {}],
    ['null', null],
    ['text', '<html>'],
    ['a list', [{ url: URL_A }]],
    ['no images', { images: [] }],
    ['another shape', { output: URL_A }],
    ['numbers', { images: [1] }],
    ['a plain http address', { images: [{ url: 'http://example.com/a.png' }] }],
    ['the metadata service', { images: [{ url: 'https://169.254.169.254/latest/' }] }],
    ['a file address', { images: [{ url: 'file:///etc/passwd' }] }],
    ['an address with credentials', { images: [{ url: 'https://a:b@example.com/' }] }],
    ['an empty data URI', { images: [{ url: 'data:image/png;base64,' }] }],
    [
      'a data URI that is not base64',
      { images: [{ url: 'data:image/png;base64,<script>alert(1)</script>' }] },
    ],
    ['a data URI in another encoding', { images: [{ url: 'data:image/svg+xml,<svg/>' }] }],
    ['too many files', { images: Array.from({ length: 33 }, () => URL_A) }],
    ['too many files in sum', { images: Array.from({ length: 32 }, () => URL_A), image: URL_A }],
    ['one bad address among good ones', { images: [URL_A, 'https://127.0.0.1/'] }],
  ])('refuses %s', (_name, data) => {
    expect(() => outputsOf(data, [])).toThrow(UnusableResultError);
  });

  it('answers any JSON with outputs or with the one error', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          expect(outputsOf(value, []).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(UnusableResultError);
        }
      }),
    );
  });
});

describe('billedUnitsOf', () => {
  it.each([
    ['1', 1],
    ['3.008', 3.008],
    [' 2 ', 2],
    ['0', undefined],
    ['-1', undefined],
    ['NaN', undefined],
    ['Infinity', undefined],
    ['1e9', undefined],
    ['0x10', undefined],
    ['1,5', undefined],
    ['', undefined],
    ['9'.repeat(400), undefined],
  ])('reads %j as %s', (text, expected) => {
    expect(billedUnitsOf(new Headers({ 'x-fal-billable-units': text }))).toBe(expected);
  });

  it('knows nothing when fal says nothing', () => {
    expect(billedUnitsOf(new Headers())).toBeUndefined();
  });
});

describe('claimsOf', () => {
  const known = { requestId: 'r1', endpoint: 'fal-ai/flux/dev', inferenceSeconds: 0.5 };

  it('says how the answer is built, so that it can be given on in the same form', () => {
    const shapeOf = (data: unknown) => claimsOf(data, new Headers(), known).resultShape;
    expect(shapeOf({ image: { url: URL_A }, mask_image: null })).toBe('image');
    expect(shapeOf({ images: [], seed: 1, prompt: 'secret', timings: {}, debug: 'secret' })).toBe(
      'images[] seed timings prompt',
    );
    expect(shapeOf({ output: URL_A })).toBeUndefined();
  });

  it('keeps what is well formed and drops the rest', () => {
    const headers = new Headers({ 'x-fal-served-from': 'runner-7' });
    expect(claimsOf({ seed: 42, has_nsfw_concepts: [false, true] }, headers, known)).toEqual({
      ...known,
      seed: 42,
      unsafeContentFlagged: true,
      servedFrom: 'runner-7',
    });
    const odd = new Headers({ 'x-fal-served-from': 'x'.repeat(300) });
    expect(claimsOf({ seed: 'many', has_nsfw_concepts: 'no', prompt: 'secret' }, odd, known)).toEqual(known);
  });
});
