import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { layOutChain } from './chain-layout.js';

/** Any list of nodes whose parents are any other nodes, also later ones, themselves, and unknown ones. */
const chains = fc.array(fc.array(fc.nat({ max: 40 }), { maxLength: 4 }), { maxLength: 40 }).map((lists) =>
  lists.map((parents, i) => ({
    id: String(i),
    parents: parents.map((parent) => ({ assetId: String(parent) })),
  })),
);

describe('the layout of a chain', () => {
  it('gives each file a place of its own, with its parents to the left or above', () => {
    fc.assert(
      fc.property(chains, (chain) => {
        const { boxes, edges } = layOutChain(chain, 4);
        expect(boxes.map(({ id }) => id)).toEqual(chain.map(({ id }) => id));
        const places = new Set(boxes.map(({ band, column, row }) => `${band} ${column} ${row}`));
        expect(places.size).toBe(boxes.length);
        for (const { from, to } of edges) {
          expect(from.band < to.band || (from.band === to.band && from.column < to.column)).toBe(true);
        }
      }),
    );
  });

  it('draws an arrow for each earlier parent, once', () => {
    const parents = ['a', 'a', 'b', 'unknown', 'c'].map((assetId) => ({ assetId }));
    const { edges } = layOutChain(
      [
        { id: 'a', parents: [] },
        { id: 'b', parents: [] },
        { id: 'c', parents },
      ],
      4,
    );
    expect(edges.map(({ from, to }) => `${from.id}${to.id}`)).toEqual(['ac', 'bc']);
  });
});
