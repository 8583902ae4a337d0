import { describe, expect, it } from '@jest/globals';
import { brokenIngredients } from '../domain/chain-failures.js';
import { TEST_WORDS, testWorkIn } from '../domain/test-work.js';
import { verificationSentences } from '../domain/verification-sentences.js';
import { type ChainNode } from '../domain/media-verifier.port.js';
import { chainTree } from './chain-tree.js';
import { manifestStoreReport } from './manifest-store-schema.js';

function tree(report: unknown): ChainNode {
  const root = chainTree(manifestStoreReport.parse(report), 'image/png');
  if (root === undefined) throw new Error('no tree');
  return root;
}

function count(node: ChainNode): number {
  return 1 + node.ingredients.reduce((sum, child) => sum + count(child), 0);
}

const uses = (...labels: string[]) => ({
  ingredients: labels.map((label, index) => ({
    active_manifest: label,
    relationship: 'componentOf',
    label: `c2pa.ingredient.v3__${String(index)}`,
  })),
});

describe('chain tree of hostile reports', () => {
  it('ends at a cycle and says so', () => {
    const root = tree({ active_manifest: 'a', manifests: { a: uses('b'), b: uses('a') } });
    expect(count(root)).toBe(3);
    expect(root.ingredients[0]?.ingredients[0]?.failures[0]?.code).toBe('com.colophon.chain.cut');
    expect(brokenIngredients(root)).toHaveLength(1);
  });

  it('does not unfold a diamond of 60 levels', () => {
    const manifests: Record<string, unknown> = {};
    for (let level = 0; level < 60; level += 1) {
      manifests[`m${String(level)}`] = uses(`m${String(level + 1)}`, `m${String(level + 1)}`);
    }
    expect(count(tree({ active_manifest: 'm0', manifests }))).toBeLessThan(12_000);
  });

  it('ends a chain that is too deep', () => {
    const manifests: Record<string, unknown> = {};
    for (let level = 0; level < 1000; level += 1)
      manifests[`m${String(level)}`] = uses(`m${String(level + 1)}`);
    expect(count(tree({ active_manifest: 'm0', manifests }))).toBeLessThan(210);
  });

  it('survives missing and misshapen parts', () => {
    const root = tree({
      active_manifest: 'a',
      manifests: {
        a: {
          claim_version: 'two',
          ingredients: 'none',
          assertions: [{ label: 'c2pa.actions', data: { actions: 'x' } }, { label: 'x.y' }],
          signature_info: 7,
        },
      },
    });
    expect(root).toMatchObject({ actions: [], ingredients: [], signer: undefined });
    expect(chainTree(manifestStoreReport.parse({ manifests: {} }), 'image/png')).toBeUndefined();
    expect(
      chainTree(manifestStoreReport.parse({ active_manifest: '__proto__' }), 'image/png'),
    ).toBeUndefined();
  });
});

describe('chain tree of older manifests', () => {
  const report = {
    active_manifest: 'new',
    manifests: {
      new: {
        claim_version: 1,
        claim_generator: 'make_test/1.0',
        ingredients: [
          {
            title: 'old.jpg',
            active_manifest: 'old',
            label: 'c2pa.ingredient',
            validation_status: [{ code: 'claimSignature.mismatch', url: 'self#jumbf=/c2pa/old' }],
          },
          { title: 'plain.jpg', label: 'c2pa.ingredient__1' },
        ],
        assertions: [
          {
            label: 'c2pa.actions',
            data: {
              actions: [{ action: 'c2pa.edited', softwareAgent: 'Editor 1.0' }, { action: 'c2pa.cropped' }],
            },
          },
        ],
      },
      old: {},
    },
    validation_results: {
      activeManifest: { failure: [{ code: 'signingCredential.untrusted' }] },
      ingredientDeltas: [
        {
          ingredientAssertionURI: 'self#jumbf=/c2pa/new/c2pa.assertions/c2pa.ingredient__1',
          validationDeltas: { failure: [{ code: 'ingredient.hashedURI.mismatch' }] },
        },
      ],
    },
    validation_state: 'Valid',
  };

  it('does not guess who vouches for an action, and finds failures in both old and new places', () => {
    const root = tree(report);
    expect(root.claimGenerator).toBe('make_test/1.0');
    expect(root.actions.map((each) => [each.action, each.softwareAgent, each.attributedTo])).toEqual([
      ['c2pa.edited', 'Editor 1.0', 'unknown'],
      ['c2pa.cropped', undefined, 'unknown'],
    ]);
    expect(brokenIngredients(root).map((node) => node.title)).toEqual(['old.jpg', 'plain.jpg']);
  });

  it('does not call an unknown signer broken', () => {
    const root = tree({ ...report, manifests: { new: {} }, validation_results: report.validation_results });
    expect(root.failures.map((failure) => failure.code)).toEqual(['signingCredential.untrusted']);
    const facts = { verdict: 'intact', trustedBy: 'no list', chain: root, statuses: root.failures } as const;
    expect(verificationSentences(facts)[0]).toMatch(/^The file is intact/);
  });

  it('tells a test from a work, also where only a part of it is one', () => {
    const record = (mode: string) => ({ label: 'org.colophon.record', data: { v: 1, mode } });
    const root = tree({ ...report, manifests: { new: { assertions: [record('live')] } } });
    const part = tree({ ...report, manifests: { new: { assertions: [record('test')] } } });
    expect([root, part, { ...root, ingredients: [part] }].map(testWorkIn)).toEqual([
      undefined,
      'file',
      'part',
    ]);
    const facts = { verdict: 'intact', trustedBy: 'no list', chain: part, statuses: [] } as const;
    expect(verificationSentences(facts)[1]).toBe(`By its manifest: ${TEST_WORDS}`);
  });
});
