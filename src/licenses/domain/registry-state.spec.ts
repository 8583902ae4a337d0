import { describe, expect, it } from '@jest/globals';
import { hashOf, licenseFact, ownListing } from '../../../test/support/registry-rows.js';
import { sha256Hex } from '../../shared/bytes.js';
import { newId } from '../../shared/ids.js';
import { seedListings } from '../registry/seed.js';
import { correctionSchema, evidenceSchema } from './curation.js';
import { decisiveSha256 } from './decisive-facts.js';
import { decide } from './engine.js';
import { ENGINE_VERSION } from './engine-version.js';
import { listingChanges } from './listing-changes.js';
import { type Listing } from './listing.js';
import { runFactsSchema } from './run-facts.js';
import {
  advance,
  type RecordedCuration,
  type RecordedReading,
  type RegistryState,
  seedState,
  textsOf,
} from './registry-state.js';
import { reopened } from './reopened.js';
import { trainingFacts } from './training-data.js';
import { withoutUnprovenFacts } from './unproven-facts.js';

const by = { createdBy: newId(), createdAt: new Date('2026-11-22T10:00:00Z') };
const KEY = 'LicenseRef-Brand-Training-Contract';
const OLD_TEXT = sha256Hex('training contract, 2026');
const NEW_TEXT = sha256Hex('training contract, 2027');

function withListing(listing: Listing, state: RegistryState = withText()): RegistryState {
  const version = state.version + 1;
  const own = [{ ...by, id: newId(), version, source: 'typed' as const, listing }];
  return advance(state, { version, own, curations: [], readings: [] });
}

/** The registry of somebody who keeps the text from which the terms of the listing were read. */
function withText(): RegistryState {
  const change = { change: 'first', affectedListingIds: [] } as const;
  return withReading(seedState(seedListings()), OLD_TEXT, change);
}

function withReading(
  state: RegistryState,
  sha256: string,
  changes: Partial<RecordedReading> = {},
): RegistryState {
  const version = state.version + 1;
  const reading: RecordedReading = {
    ...by,
    id: newId(),
    version,
    licenseKey: KEY,
    sha256,
    listingIds: [],
    affectedListingIds: ['brand-look.v1@self-hosted'],
    sourceUrl: null,
    readOn: '2026-11-22',
    inForceSince: null,
    termsReadFromThis: false,
    change: 'changed',
    ...changes,
  };
  return advance(state, { version, own: [], curations: [], readings: [reading] });
}

function withCuration(state: RegistryState, correction: unknown, evidence: unknown): RegistryState {
  const version = state.version + 1;
  const curation: RecordedCuration = {
    ...by,
    id: newId(),
    version,
    listingId: 'brand-look.v1@self-hosted',
    correction: correctionSchema.parse(correction),
    evidence: evidenceSchema.parse(evidence),
    sha256: 'x',
  };
  return advance(state, { version, own: [], curations: [curation], readings: [] });
}

const NOTHING_KEPT = { isLicenseKept: () => false, isKept: () => false };
const QUOTE = { title: 'Contract', quote: 'You may sell what it makes.', dateRead: '2026-11-22' };
const TEXT = { title: 'Contract', textSha256: NEW_TEXT, dateRead: '2026-11-22' };
/** A text of somebody else. */
const STRANGE = { ...TEXT, countsAs: 'quotation' };
const OUTPUTS = {
  id: 'commercial-use-of-outputs',
  kind: 'commercial-use-of-outputs',
  clause: '2',
  paraphrase: 'May be sold.',
};
const FACTS = runFactsSchema.parse({
  purpose: 'commercial',
  audienceCountries: ['US'],
  organizationRevenueUsd: 1_000_000,
  generatedOn: '2026-11-25',
});

function decisionOf({ index }: RegistryState, id = 'brand-look.v1@self-hosted') {
  const lineage = { components: [{ listingId: id, role: 'generator' as const, stepKey: 'a' }], inputs: [] };
  return decide({ lineage, facts: FACTS, listings: index, engineVersion: ENGINE_VERSION });
}

function entryOf({ index }: RegistryState, id = 'brand-look.v1@self-hosted') {
  const entry = index.get(id);
  if (entry === undefined) throw new Error(`no ${id}`);
  return entry;
}

function allChanges({ version, own, readings }: RegistryState) {
  return { version, own: [...own.values()], curations: [], readings: [...readings.values()].flat() };
}

function basisOf(state: RegistryState) {
  const entry = entryOf(state);
  const { spdxOrRef, textSha256 } = entry.listing.license;
  return {
    listingId: entry.listing.id,
    decisiveSha256: decisiveSha256(entry),
    licenseKey: spdxOrRef,
    licenseTextSha256: textSha256,
  };
}

describe('a license text', () => {
  const listed = withListing(ownListing());

  it('that is the one the terms were read from changes nothing', () => {
    expect(decisionOf(listed).decision).toBe('allow');
    expect(entryOf(withReading(listed, OLD_TEXT))).toBe(entryOf(listed));
  });

  it('that is another one takes the permission back until somebody has read it', () => {
    const changed = withReading(listed, NEW_TEXT);
    expect(decisionOf(changed).decision).toBe('review');
    const open = decisionOf(changed).findings.filter(({ severity }) => severity === 'review');
    expect(open.map(({ ruleId }) => ruleId)).toEqual(['license-status']);
    const read = licenseFact(entryOf(listed).listing.license, { textSha256: NEW_TEXT });
    const concluded = withCuration(changed, { kind: 'license', license: read }, TEXT);
    expect(decisionOf(concluded).decision).toBe('allow');
    // A third text, and everything is open again.
    expect(decisionOf(withReading(concluded, sha256Hex('2028'))).decision).toBe('review');
  });

  it('that is in force since a day leaves alone what was made before it', () => {
    const later = withReading(listed, NEW_TEXT, { inForceSince: '2026-12-01' });
    expect(decisionOf(later).decision).toBe('allow');
    expect(decisionOf(withReading(listed, NEW_TEXT, { inForceSince: '2026-11-25' })).decision).toBe('review');
  });

  it('changes every listing of which nobody knows from which text its terms were read, unless a person says so', () => {
    const unknown = ownListing();
    const listing = { ...unknown, license: { ...unknown.license, textSha256: null } };
    expect(decisionOf(withReading(withListing(listing), OLD_TEXT)).decision).toBe('review');
    const told = withReading(withListing(listing), OLD_TEXT, { termsReadFromThis: true, change: 'first' });
    expect(decisionOf(told).decision).toBe('allow');
    expect(entryOf(told).listing.license.textSha256).toBe(OLD_TEXT);
    expect(decisionOf(withReading(told, NEW_TEXT)).decision).toBe('review');
  });

  it('concerns only the listings that it names', () => {
    const other = withListing(ownListing({ id: 'brand-look.v2@self-hosted' }), listed);
    const changed = withReading(other, NEW_TEXT, { listingIds: ['brand-look.v2@self-hosted'] });
    expect(decisionOf(changed).decision).toBe('allow');
    expect(decisionOf(changed, 'brand-look.v2@self-hosted').decision).toBe('review');
  });

  it('opens again what rested on the old one, and stays a reason when the old one comes back', () => {
    const basis = [basisOf(listed)];
    expect(reopened(basis, listed.version, listed)).toEqual([]);
    const changed = withReading(listed, NEW_TEXT);
    const because = [{ listingId: 'brand-look.v1@self-hosted', licenseKey: KEY, because: 'license-text' }];
    expect(reopened(basis, listed.version, changed)).toEqual(because);
    const back = withReading(changed, OLD_TEXT);
    expect(decisiveSha256(entryOf(back))).toBe(basis[0]?.decisiveSha256);
    expect(reopened(basis, listed.version, back)).toEqual(because);
    expect(reopened([basisOf(back)], back.version, back)).toEqual([]);
  });
});

describe('a curation', () => {
  const denying = (() => {
    const listing = ownListing();
    const terms = listing.terms.map((term) =>
      term.kind === 'commercial-use-of-outputs' ? { ...term, value: 'no' as const } : term,
    );
    return withListing({ ...listing, terms });
  })();

  it('without a quote or a text is none', () => {
    expect(evidenceSchema.safeParse({ title: 'I know it', dateRead: '2026-11-22' }).success).toBe(false);
  });

  it('cannot say by itself how well a fact is known: a quote makes it secondary, a kept text primary', () => {
    const forged = { ...OUTPUTS, value: 'yes', verified: 'primary', source: 'contract' };
    const quoted = withCuration(denying, { kind: 'term', term: forged }, QUOTE);
    const term = entryOf(quoted).listing.terms.find(({ id }) => id === OUTPUTS.id);
    expect([term?.verified, term?.source.startsWith('cur-')]).toEqual(['secondary', true]);
    expect(decisionOf(quoted).findings.map(({ ruleId }) => ruleId)).toContain('secondary-source');
    const read = withCuration(denying, { kind: 'term', term: { ...OUTPUTS, value: 'yes' } }, TEXT);
    expect(entryOf(read).listing.terms.find(({ id }) => id === OUTPUTS.id)?.verified).toBe('primary');
    expect(decisionOf(denying).decision).toBe('deny');
    expect(decisionOf(read).decision).toBe('allow');
    const strange = withCuration(denying, { kind: 'term', term: { ...OUTPUTS, value: 'yes' } }, STRANGE);
    expect(decisionOf(strange).decision).toBe('review');
  });

  it('is superseded by a later one of the same fact, and ended by a restoration', () => {
    const yes = withCuration(denying, { kind: 'term', term: { ...OUTPUTS, value: 'yes' } }, TEXT);
    const unknown = withCuration(yes, { kind: 'term', term: { ...OUTPUTS, value: 'unknown' } }, TEXT);
    expect(decisionOf(unknown).decision).toBe('review');
    expect(unknown.curations.get('brand-look.v1@self-hosted')).toHaveLength(2);
    const restored = withCuration(unknown, { kind: 'restore', fact: `term:${OUTPUTS.id}` }, TEXT);
    expect(decisionOf(restored).decision).toBe('deny');
    expect(entryOf(restored)).toBe(entryOf(denying));
  });

  it('stays when the listing is recorded anew', () => {
    const yes = withCuration(denying, { kind: 'term', term: { ...OUTPUTS, value: 'unknown' } }, TEXT);
    expect(decisionOf(withListing(ownListing(), yes)).decision).toBe('review');
  });

  it('opens again what rested on the fact, but better words open nothing', () => {
    const basis = [basisOf(denying)];
    const corrected = withCuration(denying, { kind: 'term', term: { ...OUTPUTS, value: 'yes' } }, TEXT);
    expect(reopened(basis, denying.version, corrected).map(({ because }) => because)).toEqual(['facts']);
    const reworded = withCuration(denying, { kind: 'term', term: { ...OUTPUTS, value: 'no' } }, TEXT);
    expect(entryOf(reworded).sha256).not.toBe(entryOf(denying).sha256);
    // The order of the terms is kept: only the place and the words are others.
    expect(reopened(basis, denying.version, reworded)).toEqual([]);
  });

  describe('of what a text forbids or limits', () => {
    const CAP = {
      id: 'cap',
      kind: 'revenue-cap',
      clause: '3',
      paraphrase: 'Up to a hundred thousand.',
      amountUsd: 100_000,
      boundary: 'exclusive',
      scope: 'entity',
      metric: 'annual-revenue',
    } as const;
    const BORDER = {
      id: 'border',
      kind: 'territory-exclusion',
      clause: '5',
      paraphrase: 'Not in the United States.',
      countries: ['US'] as string[],
      appliesTo: 'outputs',
    } as const;
    const known = { source: ownListing().terms[0]?.source ?? '', verified: 'primary' } as const;
    const limiting = (() => {
      const listing = ownListing();
      const limits = [
        { ...CAP, ...known, boundaryDisputed: false, exempts: [] },
        { ...BORDER, ...known },
      ];
      return withListing({ ...listing, terms: [...listing.terms, ...limits] });
    })();
    const swapped = { id: 'cap', kind: 'information', clause: null, paraphrase: 'There is no cap.' };
    const EASED = [
      { kind: 'term-absent', termId: 'cap' },
      { kind: 'term', term: { ...CAP, amountUsd: 9_000_000_000 } },
      { kind: 'term', term: swapped },
    ];
    const withoutBorder = (evidence: unknown, state = limiting) =>
      withCuration(state, { kind: 'term-absent', termId: 'border' }, evidence);

    it.each(EASED)('a quote leaves it to a person, a text of the listing ends it: $kind', (correction) => {
      expect(decisionOf(limiting).decision).toBe('deny');
      for (const quoted of [QUOTE, STRANGE]) {
        expect(decisionOf(withCuration(withoutBorder(TEXT), correction, quoted)).decision).toBe('review');
        const eased = withCuration(limiting, correction, TEXT);
        expect(decisionOf(withoutBorder(quoted, eased)).decision).toBe('review');
      }
      expect(decisionOf(withCuration(withoutBorder(TEXT), correction, TEXT)).decision).toBe('allow');
    });

    it('a quote does not take back what a text made stricter, nor what it made milder', () => {
      const ten = { kind: 'term', term: { ...CAP, amountUsd: 10_000_000 } };
      const asListed = { kind: 'term', term: CAP };
      const milder = withCuration(withoutBorder(TEXT), ten, TEXT);
      expect(decisionOf(milder).decision).toBe('allow');
      const stricter = withCuration(milder, asListed, TEXT);
      expect(decisionOf(withCuration(stricter, ten, QUOTE)).decision).toBe('review');
      expect(decisionOf(withCuration(milder, asListed, QUOTE)).decision).toBe('deny');
    });

    it.each([
      { kind: 'term-absent', termId: 'against' },
      { kind: 'term', term: { id: 'against', kind: 'information', clause: null, paraphrase: 'No ban.' } },
      {
        kind: 'term',
        term: { id: 'against', kind: 'evaluation-use', clause: null, paraphrase: 'No.', value: 'no' },
      },
    ])('a quote does not end what stands beside a permission of its kind: %j', (correction) => {
      const listing = ownListing();
      const against = {
        ...known,
        id: 'against',
        kind: 'commercial-use-of-outputs' as const,
        clause: '6',
        paraphrase: 'Outputs may not be sold.',
        value: 'no' as const,
      };
      const contradicting = withListing({ ...listing, terms: [...listing.terms, against] });
      expect(decisionOf(contradicting).decision).toBe('deny');
      expect(decisionOf(withCuration(contradicting, correction, QUOTE)).decision).toBe('review');
      expect(decisionOf(withCuration(contradicting, correction, TEXT)).decision).toBe('allow');
    });

    it('a quote in other words leaves nothing in doubt', () => {
      const reworded = withCuration(
        limiting,
        { kind: 'term', term: { ...CAP, paraphrase: 'A cap.' } },
        QUOTE,
      );
      expect(entryOf(reworded).listing.terms).toHaveLength(entryOf(limiting).listing.terms.length);
    });
  });

  it('that does not fit the listing is refused with the field', () => {
    const wrong = { kind: 'term', term: { id: 'x', kind: 'revenue-cap', clause: null, paraphrase: 'p' } };
    expect(withCuration(denying, wrong, QUOTE).index.get('brand-look.v1@self-hosted')).toBeUndefined();
  });
});

describe('a listing that a catalog brought', () => {
  it('allows nothing when its license text is not kept, whatever it says', () => {
    const { listing, notes } = withoutUnprovenFacts(ownListing(), NOTHING_KEPT);
    expect(notes).toHaveLength(1);
    expect(decisionOf(withListing(listing)).decision).toBe('review');
    const proven = withoutUnprovenFacts(ownListing(), textsOf(withText().readings));
    expect(proven).toEqual({ listing: ownListing(), notes: [] });
    const other = withReading(seedState(seedListings()), OLD_TEXT, { licenseKey: 'Apache-2.0' });
    const ofAnother = withoutUnprovenFacts(ownListing(), textsOf(other.readings));
    expect(decisionOf(withListing(ofAnother.listing)).decision).toBe('review');
  });

  it('is believed when it forbids', () => {
    const listing = ownListing();
    const terms = listing.terms.map((term) => ({ ...term, value: 'no' as const })) as Listing['terms'];
    const { listing: forbidding } = withoutUnprovenFacts({ ...listing, terms }, NOTHING_KEPT);
    expect(decisionOf(withListing(forbidding)).decision).toBe('deny');
  });
});

describe('a listing that the organization typed itself', () => {
  const untold = (changes: Partial<Listing> = {}) =>
    withListing(ownListing(changes), seedState(seedListings()));

  it('allows nothing as long as no text is kept behind it, and what it says as soon as one is', () => {
    const unproven = untold();
    expect(decisionOf(unproven).decision).toBe('review');
    const basis = [basisOf(unproven)];
    const read = withReading(unproven, OLD_TEXT, { change: 'first', affectedListingIds: [] });
    expect(decisionOf(read).decision).toBe('allow');
    expect(entryOf(read).sha256).toBe(hashOf(ownListing()));
    // What was decided without the text is decided again.
    expect(reopened(basis, unproven.version, read).map(({ because }) => because)).toEqual(['facts']);
    const told = [...listingChanges(seedState(seedListings()), allChanges(read))];
    expect(told.map(({ version }) => version)).toEqual([1, 2]);
  });

  it('is not proven by the text of another license, nor by another text of its own', () => {
    for (const [sha256, licenseKey] of [
      [OLD_TEXT, 'LicenseRef-Another'],
      [NEW_TEXT, KEY],
    ] as const)
      expect(decisionOf(withReading(untold(), sha256, { licenseKey })).decision).toBe('review');
  });

  it('does not pass for one that is in force by a day in the future on which it will be superseded', () => {
    const { license } = ownListing();
    const ending = {
      ...license,
      status: 'superseded' as const,
      supersededOn: '2999-01-01',
      statusReason: 'r',
    };
    const open = decisionOf(untold({ license: ending }));
    expect(open.findings.map(({ ruleId, severity }) => `${ruleId} ${severity}`)).toContain(
      'license-status review',
    );
  });

  const [contract] = ownListing().sources;
  const channel = { id: 'channel', title: 'Terms of the host', url: null, commit: null, section: null };
  const HOST_TEXT = sha256Hex('terms of the host');
  const hosted = (textSha256: string | undefined, verified: 'primary' | 'secondary' = 'primary') => {
    const license = { ...ownListing().license, url: 'https://brand.example/contract' };
    const term = {
      id: 'channel',
      kind: 'commercial-use-through-channel' as const,
      value: 'yes' as const,
      source: 'channel',
      clause: '1',
      paraphrase: 'What it returns may be used.',
      verified: 'primary' as const,
    };
    const source = { ...channel, dateRead: '2026-11-20', verified, ...(textSha256 && { textSha256 }) };
    const own = contract && { ...contract, url: license.url };
    if (own === undefined) throw new Error('no source');
    const terms = [...ownListing().terms, term];
    return ownListing({ access: 'api', license, terms, sources: [own, source] });
  };

  it('needs the text of each source: that of the model says nothing about the terms of a channel', () => {
    const channelRule = (listing: Listing, ...texts: readonly string[]) => {
      const start = texts.reduce(
        (state, sha256) => withReading(state, sha256, { licenseKey: 'LicenseRef-Host', change: 'first' }),
        withText(),
      );
      const { findings } = decisionOf(withListing(listing, start));
      return findings
        .filter(({ ruleId }) => ruleId === 'commercial-channel' || ruleId === 'secondary-source')
        .map(({ ruleId, severity }) => `${ruleId} ${severity}`);
    };
    expect(channelRule(hosted(undefined))).toEqual(['commercial-channel review']);
    expect(channelRule(hosted(HOST_TEXT))).toEqual(['commercial-channel review']);
    expect(channelRule(hosted(HOST_TEXT), HOST_TEXT)).toEqual([]);
    // A report of a text makes a fact no better than the report.
    expect(channelRule(hosted(HOST_TEXT, 'secondary'), HOST_TEXT)).toEqual(['secondary-source review']);
  });

  it('claims no indemnity and no disclosure of training data without a text', () => {
    const offered = { offered: 'yes', conditions: [], voidedBy: [], source: 'contract', verified: 'primary' };
    const state = untold({ indemnity: offered as Listing['indemnity'] });
    const { indemnity, trainingData } = entryOf(state).listing;
    expect(indemnity).toMatchObject({ offered: 'unknown', verified: 'unverified' });
    expect(trainingFacts(trainingData)).toEqual({
      disclosure: 'unknown',
      rightsBasis: 'unknown',
      optOuts: 'unknown',
    });
  });
});

describe('the state of a registry', () => {
  it('is the same whether it is made step by step or at once', () => {
    const listed = withListing(ownListing());
    const stepwise = withReading(withListing(ownListing({ id: 'second@self-hosted' }), listed), NEW_TEXT);
    const own = [...stepwise.own.values()].reverse();
    const readings = [...stepwise.readings.values()].flat();
    const atOnce = advance(seedState(seedListings()), { version: 4, own, curations: [], readings });
    expect(atOnce.index.sha256).toBe(stepwise.index.sha256);
  });
});
