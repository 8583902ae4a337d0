import { describe, expect, it } from '@jest/globals';
import { type Asset, readingOf } from './asset.js';
import { loggedReading, NEVER_READ, type SignalReading, signalAssertions } from './signal-reading.js';

const READING: SignalReading = {
  signals: [
    { origin: 'cawg.training-mining', act: 'ai-inference', use: 'constrained', constraint: 'ask Jane Doe' },
    {
      origin: 'c2pa.training-mining',
      act: 'ai-inference',
      use: 'notAllowed',
      constraint: null,
      manifestBroken: true,
    },
    { origin: 'tdmrep', act: 'data-mining', use: 'allowed', constraint: null },
  ],
  unreadPlaces: ['xmp'],
};
const asset = (origin: string, signalReading?: SignalReading) => ({ origin, signalReading }) as Asset;

describe('what was read in a file', () => {
  it('of a file that came in before anything was read is unknown', () => {
    expect(readingOf(asset('upload'))).toBe(NEVER_READ);
    expect(readingOf(asset('edit'))?.unreadPlaces).toEqual(['c2pa', 'xmp', 'iptc-iim', 'exif']);
    expect(readingOf(asset('upload', READING))).toBe(READING);
    expect(readingOf(asset('step'))).toBeUndefined();
  });

  it('is logged without the words of conditions, which may name people', () => {
    const logged = loggedReading(READING);
    expect(JSON.stringify(logged)).not.toContain('Jane');
    expect(logged).toEqual({
      fileSignals: [
        { origin: 'cawg.training-mining', act: 'ai-inference', use: 'constrained', conditionStated: true },
        { origin: 'c2pa.training-mining', act: 'ai-inference', use: 'notAllowed', manifestBroken: true },
        { origin: 'tdmrep', act: 'data-mining', use: 'allowed' },
      ],
      unreadPlaces: ['xmp'],
    });
  });

  it('goes into the manifest where it restricts, and only there', () => {
    expect(signalAssertions({ signals: [], unreadPlaces: [] })).toEqual([]);
    const [assertion] = signalAssertions(READING);
    expect(assertion).toMatchObject({ kind: 'gathered', data: { unreadPlaces: ['xmp'] } });
    expect((assertion?.data.signals as unknown[]).length).toBe(2);
  });
});
