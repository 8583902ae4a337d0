import { describe, expect, it } from '@jest/globals';
import { ColophonError } from '../../shared/errors.js';
import { type ProbedMedia } from '../domain/media-probe/media-probe.port.js';
import { StoredMedia } from './stored-media.js';

const picture: ProbedMedia = {
  mediaType: 'image/png',
  kind: 'image',
  width: 8,
  height: 8,
  frames: 1,
  sizeBytes: 99,
};

const looks = { trimmed: new Uint8Array(1024), whole: new Uint8Array(1024) };

describe('StoredMedia', () => {
  it('looks at the same bytes once, and asks for no file when it knows them', async () => {
    const looked: string[] = [];
    const media = new StoredMedia({
      probe: ({ path }) => {
        looked.push(path);
        return Promise.resolve(picture);
      },
    });
    await expect(media.probe('aa', () => '/first')).resolves.toEqual(picture);
    const neverAsked = (): string => {
      throw new Error('the file was asked for');
    };
    await expect(media.probe('aa', neverAsked)).resolves.toEqual(picture);
    await media.probe('bb', () => Promise.resolve('/second'));
    expect(looked).toEqual(['/first', '/second']);
  });

  it('keeps what the last pictures look like, and what all of them are', async () => {
    const media = new StoredMedia({
      probe: ({ path }) =>
        Promise.resolve({ ...picture, picture: { ...looks, thumbnail: Buffer.from(path) } }),
    });
    for (let i = 0; i < 65; i++) await media.probe(`${i}`, () => `/file ${i}`);
    const neverAsked = (): string => {
      throw new Error('the file was asked for');
    };
    expect((await media.probe('64', neverAsked)).picture?.thumbnail).toEqual(Buffer.from('/file 64'));
    expect(await media.probe('0', neverAsked)).toEqual(picture);
  });

  it('remembers no refusal: it may have been our own trouble', async () => {
    let answers = 0;
    const media = new StoredMedia({
      probe: () =>
        answers++ === 0
          ? Promise.reject(new ColophonError('rate_limited', 'Too many files are being verified now.'))
          : Promise.resolve(picture),
    });
    await expect(media.probe('aa', () => '/file')).rejects.toMatchObject({ code: 'rate_limited' });
    await expect(media.probe('aa', () => '/file')).resolves.toEqual(picture);
  });
});
