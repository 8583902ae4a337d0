import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seedListings } from '../registry/seed.js';
import { claimOf, listClaim, type ClaimDoubt } from './license-claim.js';
import { LICENSE_ALIASES, aliasOf, isKnownRef, spdxId } from './license-names.js';

describe('what a license name means', () => {
  it.each<[string, string | null, 'yes' | 'no' | 'unknown', ClaimDoubt[]]>([
    ['apache-2.0', 'Apache-2.0', 'yes', []],
    ['MIT', 'MIT', 'yes', []],
    ['cc-by-nc-4.0', 'CC-BY-NC-4.0', 'no', []],
    ['cc0-1.0', 'CC0-1.0', 'yes', []],
    ['gpl-3.0', 'GPL-3.0', 'unknown', []],
    ['openrail++', 'LicenseRef-CreativeML-OpenRAIL-PP-M', 'unknown', []],
    ['creativeml-openrail-m', 'LicenseRef-CreativeML-OpenRAIL-M', 'unknown', []],
    ['CreativeML OpenRAIL-M', 'LicenseRef-CreativeML-OpenRAIL-M', 'unknown', []],
    ['bigscience-openrail-m', 'LicenseRef-BigScience-OpenRAIL-M', 'unknown', []],
    ['openrail', null, 'unknown', ['family-only']],
    ['cc', null, 'unknown', ['family-only']],
    ['other', null, 'unknown', ['placeholder']],
    ['unknown', null, 'unknown', ['placeholder']],
    ['NOASSERTION', null, 'unknown', ['placeholder']],
    ['llama3.1', 'LicenseRef-Llama-3.1-Community', 'unknown', []],
    ['gemma', 'LicenseRef-Gemma-Terms', 'unknown', ['version-not-stated']],
    ['kolors', 'LicenseRef-Kolors', 'unknown', ['version-not-stated']],
    ['qwen-research', 'LicenseRef-Qwen-Research', 'unknown', []],
    ['flux-1-dev-non-commercial-license', 'LicenseRef-FLUX.1-dev-NC', 'unknown', ['version-not-stated']],
    ['flux-dev', null, 'unknown', ['family-only']],
    ['tencent-hunyuan-community', 'LicenseRef-Tencent-Hunyuan-Community', 'unknown', ['version-not-stated']],
    ['stabilityai-ai-community', 'LicenseRef-Stability-AI-Community', 'unknown', []],
    ['sai-nc-community', 'LicenseRef-Stability-AI-NC-Community', 'unknown', ['version-not-stated']],
    ['LicenseRef-FLUX.1-dev-NC-1.1.1', 'LicenseRef-FLUX.1-dev-NC-1.1.1', 'unknown', []],
    ['LicenseRef-Something', 'LicenseRef-Something', 'unknown', ['unknown-name']],
    ['totally-free-license', null, 'unknown', ['unknown-name']],
    ['Apache', null, 'unknown', ['unknown-name']],
    ['MIT-like', null, 'unknown', ['unknown-name']],
    ['https://creativecommons.org/licenses/by/4.0/', 'CC-BY-4.0', 'yes', []],
    ['https://creativecommons.org/licenses/by-nc-sa/4.0/legalcode', 'CC-BY-NC-SA-4.0', 'no', []],
    ['https://creativecommons.org/licenses/by/3.0/de/', null, 'unknown', ['unknown-name']],
    ['https://example.com/licenses/MIT', null, 'unknown', ['unknown-name']],
    ['https://spdx.org/licenses/Apache-2.0.html', 'Apache-2.0', 'yes', []],
    ['https://spdx.org.example.com/licenses/MIT', null, 'unknown', ['unknown-name']],
  ])('%s', (declared, spdx, commercialUse, doubts) => {
    const claim = claimOf(declared);
    expect({ spdx: claim.spdx, commercialUse: claim.commercialUse, doubts: claim.doubts }).toEqual({
      spdx,
      commercialUse,
      doubts,
    });
    expect(claim.declared).toBe(declared);
  });

  it.each<[string, string | null, 'yes' | 'no' | 'unknown', ClaimDoubt[]]>([
    ['MIT AND Apache-2.0', 'MIT AND Apache-2.0', 'yes', []],
    ['MIT OR Apache-2.0', 'MIT OR Apache-2.0', 'yes', []],
    ['MIT OR CC-BY-NC-4.0', 'MIT OR CC-BY-NC-4.0', 'unknown', ['choice-not-made']],
    ['MIT AND CC-BY-NC-4.0', 'MIT AND CC-BY-NC-4.0', 'no', []],
    ['CC-BY-NC-4.0 OR CC-BY-NC-SA-4.0', 'CC-BY-NC-4.0 OR CC-BY-NC-SA-4.0', 'no', ['choice-not-made']],
    ['MIT OR LicenseRef-Vendor', 'MIT OR LicenseRef-Vendor', 'unknown', ['unknown-name', 'choice-not-made']],
    ['MIT AND LicenseRef-Vendor', 'MIT AND LicenseRef-Vendor', 'unknown', ['unknown-name']],
    [
      '(MIT OR GPL-2.0-only) AND Apache-2.0',
      '(MIT OR GPL-2.0-only) AND Apache-2.0',
      'unknown',
      ['choice-not-made'],
    ],
    ['GPL-2.0-only WITH Classpath-exception-2.0', 'GPL-2.0-only WITH Classpath-exception-2.0', 'unknown', []],
    ['MIT AND', null, 'unknown', ['unknown-name']],
    ['MIT ORISC', null, 'unknown', ['unknown-name']],
    ['$MIT', null, 'unknown', ['unknown-name']],
    ['//MIT', null, 'unknown', ['unknown-name']],
    ['MIT, Apache-2.0', null, 'unknown', ['unknown-name']],
    ['LicenseRef-OpenRAIL++-M AND MIT', null, 'unknown', ['unknown-name']],
    [`${'('.repeat(300)}MIT${')'.repeat(300)}`, null, 'unknown', ['unknown-name']],
  ])('the expression %s keeps its structure', (declared, spdx, commercialUse, doubts) => {
    const claim = claimOf(declared);
    expect({ spdx: claim.spdx, commercialUse: claim.commercialUse, doubts: claim.doubts }).toEqual({
      spdx,
      commercialUse,
      doubts,
    });
  });

  it('a list that is not explained allows only what all of it allows', () => {
    const list = (...names: string[]) => listClaim(names.map((name) => claimOf(name)));
    expect(list('mit', 'apache-2.0')).toMatchObject({ commercialUse: 'yes', doubts: ['list-not-explained'] });
    expect(list('mit', 'cc-by-nc-4.0')).toMatchObject({ commercialUse: 'unknown' });
    expect(list('mit', 'no-such-license')).toMatchObject({ status: 'unknown', commercialUse: 'unknown' });
  });

  it('is never "yes" for a name that nobody knows, whatever the name', () => {
    const words = fc.constantFrom(
      'MIT',
      'Apache-2.0',
      'AND',
      'OR',
      'WITH',
      '(',
      ')',
      'LicenseRef-X',
      'free',
      'openrail',
      '+',
      ',',
    );
    const names = fc.oneof(
      fc.string(),
      fc.array(words, { maxLength: 7 }).map((list) => list.join(' ')),
    );
    fc.assert(
      fc.property(names, (name) => {
        const claim = claimOf(name);
        if (claim.status !== 'recognized') expect(claim.commercialUse).not.toBe('yes');
        if (/LicenseRef-X|free|openrail|,/.test(name)) {
          expect(claim.status).toBe('unknown');
          if (!name.includes(' OR ') && !name.includes(' AND ')) expect(claim.commercialUse).toBe('unknown');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the alias table', () => {
  it('names each license once, by an id that the rest of the program can hold', () => {
    const names = LICENSE_ALIASES.aliases.flatMap((alias) => alias.names);
    expect(new Set(names).size).toBe(names.length);
    for (const { kind, names: own, ref, source } of LICENSE_ALIASES.aliases) {
      expect(Object.keys(LICENSE_ALIASES.sources)).toContain(source);
      if (kind === 'family' || kind === 'placeholder') expect(ref).toBeNull();
      else expect(ref === spdxId(ref ?? '') || /^LicenseRef-[A-Za-z0-9.-]+$/.test(ref ?? '')).toBe(true);
      for (const name of own) expect(aliasOf(name)?.ref).toBe(ref);
    }
  });

  it('points only to texts that the registry has', () => {
    const refs = new Set(seedListings().all.map(({ listing }) => listing.license.spdxOrRef));
    for (const ref of LICENSE_ALIASES.aliases.flatMap(({ registryRefs }) => registryRefs)) {
      expect(refs).toContain(ref);
      expect(isKnownRef(ref)).toBe(true);
    }
  });
});

describe('a name that only looks like a known one', () => {
  it.each([
    'apache-2.0\u00a0',
    '\u2003MIT',
    'apache\u00a02.0',
    'apache-2.0\ufeff',
    'apache\u200b-2.0',
    'cc0-1.0\u2028',
  ])('is not known: %j', (name) => {
    expect(claimOf(name)).toMatchObject({ status: 'unknown', spdx: null, commercialUse: 'unknown' });
  });

  it('is not known by a letter that folds to one of ASCII', () => {
    expect(claimOf('BSD-Mar\u212a-Modifications')).toMatchObject({ status: 'unknown' });
    expect(claimOf('bsd-2-clause-p\u212agconf-disclaimer')).toMatchObject({ status: 'unknown' });
  });

  it.each([' apache-2.0\n', '\tMIT', 'Apache-2.0 AND MIT\r\n'])(
    'is known with white space of ASCII: %j',
    (name) => {
      expect(claimOf(name).status).toBe('recognized');
    },
  );
});
