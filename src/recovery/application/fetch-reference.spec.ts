import { describe, expect, it } from '@jest/globals';
import { OutboundError } from '../../outbound/outbound-error.js';
import { type DownloadFile, FetchReference } from './fetch-reference.js';

const URL = 'https://example.org/a.png';
const failing =
  (code: 'url_blocked' | 'upstream_error' | 'upstream_timeout' | 'upstream_invalid'): DownloadFile =>
  () =>
    Promise.reject(new OutboundError(code, 'refused by 10.0.0.1', { mayHaveBeenSent: false }));
const fetched = (download: DownloadFile | undefined, lengthBytes = 10) =>
  new FetchReference(download, 100).fetch({ url: URL, lengthBytes }, '/nowhere');

describe('a picture that somebody refers to', () => {
  it('is not fetched unless the operator allows it', async () => {
    await expect(fetched(undefined)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is fetched with the length that was told as limit', async () => {
    const asked: unknown[] = [];
    await fetched((request) => {
      asked.push(request);
      return Promise.resolve({ sizeBytes: 10 });
    });
    expect(asked).toEqual([
      { url: URL, destinationPath: '/nowhere', maxResponseBytes: 10, deadlineMs: 30_000 },
    ]);
  });

  it('is refused when it is too large, before anything is fetched', async () => {
    await expect(fetched(failing('upstream_error'), 101)).rejects.toMatchObject({
      code: 'payload_too_large',
    });
  });

  it('does not tell why it could not be had, so that nobody looks around in our network', async () => {
    const anotherSize = await fetched(() => Promise.resolve({ sizeBytes: 9 })).catch(
      (thrown: Error) => thrown,
    );
    expect(anotherSize).toMatchObject({ code: 'upstream_error' });
    const messages = new Set<string>([(anotherSize as Error).message]);
    for (const code of ['upstream_error', 'upstream_timeout', 'upstream_invalid'] as const) {
      const error = await fetched(failing(code)).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ code: 'upstream_error' });
      messages.add((error as Error).message);
    }
    expect(messages.size).toBe(1);
    await expect(fetched(failing('url_blocked'))).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.not.stringContaining('10.0.0.1'),
    });
  });
});
