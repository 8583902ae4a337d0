import { describe, expect, it } from '@jest/globals';
import { licenseFact, ownListing } from '../../../test/support/registry-rows.js';
import { sha256Hex } from '../../shared/bytes.js';
import { newId } from '../../shared/ids.js';
import { type AppliedCuration, correctionSchema, evidenceSchema } from './curation.js';
import { type Listing } from './listing.js';
import { isTextOf } from './text-tie.js';

const TEXT = sha256Hex('the text');
const LISTING = ownListing();
const OWN_KEY = LISTING.license.spdxOrRef;
const absent = correctionSchema.parse({ kind: 'term-absent', termId: 'border' });
const licensed = (spdxOrRef: string) =>
  correctionSchema.parse({
    kind: 'license',
    license: licenseFact(LISTING.license, { spdxOrRef, textSha256: TEXT }),
  });

function curation(correction: AppliedCuration['correction'], evidence: object): AppliedCuration {
  const shown = { title: 'Letter', dateRead: '2026-11-22', ...evidence };
  return { id: newId(), correction, evidence: evidenceSchema.parse(shown) };
}

function isTied(
  { licenseKey = OWN_KEY, listingIds = [] as string[], sha256 = TEXT },
  { listing = LISTING, earlier = [] as AppliedCuration[], correction = absent } = {},
): boolean {
  const reading = { licenseKey, sha256, listingIds, readOn: '2026-11-22', inForceSince: null };
  const readings = new Map([[licenseKey, [{ ...reading, termsReadFromThis: false }]]]);
  return isTextOf(TEXT, listing, { readings, earlier, correction });
}

describe('a kept text', () => {
  it('is one of the listing under its license, unless it names others', () => {
    expect(isTied({})).toBe(true);
    expect(isTied({ listingIds: ['another@self-hosted'] })).toBe(false);
    expect(isTied({ sha256: sha256Hex('another text') })).toBe(false);
  });

  it('of another license is none, unless it was recorded for this listing', () => {
    expect(isTied({ licenseKey: 'LicenseRef-Elsewhere' })).toBe(false);
    expect(isTied({ licenseKey: 'LicenseRef-Elsewhere', listingIds: [LISTING.id] })).toBe(true);
  });

  it('is one of the license that a curation in force gives the listing, if that one was read', () => {
    const read = { licenseKey: 'LicenseRef-New' };
    const given = curation(licensed('LicenseRef-New'), { textSha256: TEXT });
    expect(isTied(read, { earlier: [given] })).toBe(true);
    expect(isTied(read, { correction: licensed('LicenseRef-New') })).toBe(true);
    for (const evidence of [
      { quote: 'It is under the new license.' },
      { textSha256: TEXT, countsAs: 'quotation' },
    ])
      expect(isTied(read, { earlier: [curation(licensed('LicenseRef-New'), evidence)] })).toBe(false);
    const restored = curation(correctionSchema.parse({ kind: 'restore', fact: 'license' }), {
      textSha256: TEXT,
    });
    expect(isTied(read, { earlier: [given, restored] })).toBe(false);
  });

  it('is one of the listing that names it as a source', () => {
    const sources = LISTING.sources.map((source) => ({ ...source, textSha256: TEXT }));
    const listing: Listing = { ...LISTING, sources };
    expect(isTied({ licenseKey: 'LicenseRef-Elsewhere' }, { listing })).toBe(true);
  });
});
