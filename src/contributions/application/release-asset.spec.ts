import { describe, expect, it } from '@jest/globals';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { loggedPolicies } from './release-asset.js';
import { versionsOf } from './versions-of.js';

describe('the work of people that a policy may demand', () => {
  const asset = (
    id: string,
    ...parents: [id: string, relationship: 'parentOf' | 'componentOf' | 'inputTo'][]
  ) => ({
    id,
    parents: parents.map(([assetId, relationship]) => ({ assetId, relationship })),
  });

  it('is that on the asset and on what it is a later version of, not on what was only used in it', () => {
    const lineage = [
      asset('final', ['edited', 'parentOf'], ['logo', 'componentOf']),
      asset('edited', ['generated', 'parentOf']),
      asset('generated', ['sketch', 'inputTo']),
      asset('sketch', ['older-sketch', 'parentOf']),
      asset('older-sketch'),
      asset('logo', ['painted', 'parentOf']),
      asset('painted'),
    ];
    expect(versionsOf('final', lineage).sort()).toEqual(['edited', 'final', 'generated']);
    expect(versionsOf('generated', lineage)).toEqual(['generated']);
  });

  it('ends in a circle, which no database of ours should hold', () => {
    const lineage = [asset('a', ['b', 'parentOf']), asset('b', ['a', 'parentOf'])];
    expect(versionsOf('a', lineage).sort()).toEqual(['a', 'b']);
  });
});

describe('policies in the entry of a release', () => {
  const ref = (n: number) => ({
    kind: 'cedar' as const,
    scope: 'project' as const,
    version: n + 1,
    sha256: sha256Hex(String(n)),
  });

  it('are all named, or counted and fixed by a hash', () => {
    expect(loggedPolicies([])).toEqual({});
    expect(loggedPolicies([ref(1)])).toEqual({ policies: [ref(1)] });
    const many = Array.from({ length: 101 }, (_, n) => ref(n));
    const logged = loggedPolicies(many);
    const inOrder = [...many].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
    expect(logged.policies).toEqual(inOrder.slice(0, 100));
    expect(logged.allPolicies).toEqual({ count: 101, sha256: sha256Hex(canonicalJson(inOrder)) });
    expect(loggedPolicies(many.toReversed())).toEqual(logged);
  });
});
