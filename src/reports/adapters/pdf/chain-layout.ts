/** Where the boxes of a chain picture stand: columns by depth, in bands that fit the page, top to bottom. */
export interface ChainBox {
  readonly id: string;
  /** From 1, oldest first. */
  readonly number: number;
  readonly band: number;
  readonly column: number;
  /** Place among the boxes of its column, from 0. */
  readonly row: number;
}

export interface ChainEdge {
  readonly from: ChainBox;
  readonly to: ChainBox;
}

export interface ChainLayout {
  readonly boxes: readonly ChainBox[];
  readonly edges: readonly ChainEdge[];
  /** Most boxes in any column, for each band. */
  readonly rowsOfBand: readonly number[];
}

interface ChainNode {
  readonly id: string;
  readonly parents: readonly { readonly assetId: string }[];
}

/**
 * Depth of a node = longest way from a node without parents in this chain. Parents that come later or are unknown do
 * not count, so bad input cannot make it run in circles. O(nodes + edges).
 */
export function layOutChain(nodes: readonly ChainNode[], columns: number): ChainLayout {
  const boxes = new Map<string, ChainBox>();
  const depths = new Map<string, number>();
  const filled = new Map<number, number>();
  const edges: ChainEdge[] = [];
  nodes.forEach(({ id, parents }, i) => {
    const known = [...new Set(parents.map(({ assetId }) => assetId))].flatMap(
      (parent) => boxes.get(parent) ?? [],
    );
    const depth = Math.max(-1, ...known.map((parent) => depths.get(parent.id) ?? 0)) + 1;
    const row = filled.get(depth) ?? 0;
    const box = { id, number: i + 1, band: Math.floor(depth / columns), column: depth % columns, row };
    filled.set(depth, row + 1);
    depths.set(id, depth);
    boxes.set(id, box);
    edges.push(...known.map((from) => ({ from, to: box })));
  });
  const rowsOfBand: number[] = [];
  for (const { band, row } of boxes.values()) rowsOfBand[band] = Math.max(rowsOfBand[band] ?? 0, row + 1);
  return { boxes: [...boxes.values()], edges, rowsOfBand };
}
