import { type Case, onPlan, variant } from '../case.js';

const until = (endsOn: string, outputsSurviveEnd?: 'yes' | 'no') => {
  const listing = variant('flux-1-schnell', 'bought-model', {});
  return {
    ...listing,
    license: { ...listing.license, endsOn, ...(outputsSurviveEnd && { outputsSurviveEnd }) },
  };
};
const status = (is: 'ended' | 'superseded') => {
  const listing = variant('flux-1-schnell', 'bought-model', {});
  return { ...listing, license: { ...listing.license, status: is, statusReason: 'changed' } };
};
const SOURCE = 'a purchased license with an expiration (CycloneDX 1.7 licensing.expiration)';
const MUSIC = { ...onPlan('eleven-music-v1@elevenlabs', 'business'), fieldsOfUse: ['games' as const] };

/** Licenses that end or are superseded on a day. */
export const DATE_CASES: readonly Case[] = [
  {
    what: 'ends during the campaign, and outputs with it',
    source: SOURCE,
    use: ['bought-model'],
    listings: [until('2026-12-15', 'no')],
    decision: 'deny',
    rules: ['license-status'],
  },
  {
    what: 'ends on the last day of the campaign',
    source: SOURCE,
    use: ['bought-model'],
    listings: [until('2026-12-31', 'no')],
    decision: 'allow',
    rules: [],
  },
  {
    what: 'ends during the campaign, outputs stay',
    source: SOURCE,
    use: ['bought-model'],
    listings: [until('2026-12-15', 'yes')],
    decision: 'allow',
    rules: [],
  },
  {
    what: 'ends during the campaign, silent on outputs',
    source: SOURCE,
    use: ['bought-model'],
    listings: [until('2026-12-15')],
    decision: 'review',
    rules: ['license-status'],
  },
  {
    what: 'ended before the models run',
    source: SOURCE,
    use: ['bought-model'],
    listings: [until('2026-11-24', 'yes')],
    decision: 'deny',
    rules: ['license-status'],
  },
  {
    what: 'ends on the day on which the models run',
    source: SOURCE,
    use: ['bought-model'],
    listings: [until('2026-11-25', 'yes')],
    decision: 'allow',
    rules: [],
  },
  {
    what: 'has an end, and nobody said when the models run',
    source: SOURCE,
    use: ['bought-model'],
    listings: [until('2027-12-31', 'yes')],
    facts: { generatedOn: null },
    decision: 'review',
    rules: ['license-status'],
  },
  {
    what: 'has an end, and the campaign has none',
    source: SOURCE,
    use: ['bought-model'],
    listings: [until('2027-12-31', 'no')],
    facts: { campaignEnd: 'open-ended' },
    decision: 'deny',
    rules: ['license-status'],
  },
  {
    what: 'has ended',
    source: SOURCE,
    use: ['bought-model'],
    listings: [status('ended')],
    decision: 'deny',
    rules: ['license-status'],
  },
  {
    what: 'was superseded on an unknown day',
    source: SOURCE,
    use: ['bought-model'],
    listings: [status('superseded')],
    decision: 'review',
    rules: ['license-status'],
  },
  {
    what: 'Eleven Music made under the text that was read',
    source: 'Eleven Music v1 terms 2025-08-14, superseded 2025-11-21',
    use: ['eleven-music-v1@elevenlabs'],
    facts: { ...MUSIC, generatedOn: '2025-11-20' },
    decision: 'review',
    rules: ['commercial-outputs', 'commercial-channel'],
  },
  {
    what: 'Eleven Music made on the day of the later text',
    source: 'Eleven Music v1 terms 2025-08-14, superseded 2025-11-21',
    use: ['eleven-music-v1@elevenlabs'],
    facts: { ...MUSIC, generatedOn: '2025-11-21' },
    decision: 'review',
    rules: ['commercial-outputs', 'commercial-channel', 'license-status'],
  },
  {
    what: 'Eleven Music, day not stated',
    source: 'Eleven Music v1 terms 2025-08-14, superseded 2025-11-21',
    use: ['eleven-music-v1@elevenlabs'],
    facts: { ...MUSIC, generatedOn: null },
    decision: 'review',
    rules: ['commercial-outputs', 'commercial-channel', 'license-status'],
  },
];
