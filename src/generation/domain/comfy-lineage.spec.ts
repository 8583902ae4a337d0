import { describe, expect, it } from '@jest/globals';
import { type ComfyGraph, folderSchema, graphSchema, readGraph } from './comfy-graph.js';
import { componentsOf, fileOf, type Inventory, type InventoriedFile } from './comfy-lineage.js';
import { KNOWN_NODES, type NodeRule } from './comfy-nodes.js';

const NAME = 'model.safetensors';
const CLEARED = 'cleared@self-hosted';
const UNLISTED = 'unlisted-model-safetensors@self-hosted';
const CHECKPOINT = { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: NAME } };
const LORA = { class_type: 'LoraLoaderModelOnly', inputs: { lora_name: NAME } };
const VAE = { class_type: 'VAELoader', inputs: { vae_name: NAME } };
const entry = (changes: Partial<InventoriedFile> = {}): InventoriedFile => ({
  fileName: NAME,
  sha256: 'a'.repeat(64),
  listingId: CLEARED,
  ...changes,
});
const graphOf = (...nodes: object[]): ComfyGraph => graphSchema.parse(Object.fromEntries(nodes.entries()));

function listingsOf(
  graph: ComfyGraph,
  files: readonly InventoriedFile[],
  { others = [], nodes = {} }: { others?: ComfyGraph[]; nodes?: Record<string, NodeRule> } = {},
): string[] {
  const loaded = [graph, ...others].flatMap((each) => readGraph(each, nodes).weights);
  const components = componentsOf(readGraph(graph, nodes).weights, { files, loaded });
  return components.map(({ listingId, role }) => `${role} ${listingId}`);
}

describe('one file name in several folders of a ComfyUI server', () => {
  it('is several files: an entry without a folder clears none of them', () => {
    expect(listingsOf(graphOf(CHECKPOINT, LORA, VAE), [entry()])).toEqual([
      `generator ${UNLISTED}`,
      `lora ${UNLISTED}`,
      `autoencoder ${UNLISTED}`,
    ]);
  });

  it('is so also where another workflow of the server loads the other file', () => {
    const [one, other] = [graphOf(CHECKPOINT), graphOf(LORA)];
    expect(listingsOf(one, [entry()])).toEqual([`generator ${CLEARED}`]);
    expect(listingsOf(one, [entry()], { others: [other] })).toEqual([`generator ${UNLISTED}`]);
  });

  it('is cleared file by file where the inventory names the folders, with different contents', () => {
    const files = [
      entry({ folder: 'checkpoints' }),
      entry({ folder: 'loras', sha256: 'b'.repeat(64), listingId: 'brand@self-hosted' }),
    ];
    const listings = [`generator ${CLEARED}`, 'lora brand@self-hosted'];
    expect(listingsOf(graphOf(CHECKPOINT, LORA), files)).toEqual(listings);
    expect(listingsOf(graphOf(CHECKPOINT, LORA, VAE), files)).toEqual([
      ...listings,
      `autoencoder ${UNLISTED}`,
    ]);
    const inventory: Inventory = { files, loaded: readGraph(graphOf(CHECKPOINT, LORA)).weights };
    expect(inventory.loaded.map((weight) => fileOf(weight, inventory)?.sha256[0])).toEqual(['a', 'b']);
  });

  it('leaves the entry without a folder to the one file that no other entry names', () => {
    const files = [entry(), entry({ folder: 'loras', listingId: 'brand@self-hosted' })];
    expect(listingsOf(graphOf(CHECKPOINT, LORA), files)).toEqual([
      `generator ${CLEARED}`,
      'lora brand@self-hosted',
    ]);
  });

  it('is refused twice in one folder with different contents', () => {
    const files = [entry({ folder: 'loras' }), entry({ folder: 'loras', sha256: 'b'.repeat(64) })];
    expect(() => listingsOf(graphOf(LORA), files)).toThrow('two files of one name');
  });

  it('is one file for two loaders of one folder', () => {
    const clip = { class_type: 'CLIPLoader', inputs: { clip_name: NAME } };
    const two = { class_type: 'DualCLIPLoader', inputs: { clip_name1: NAME, clip_name2: NAME } };
    expect(listingsOf(graphOf(clip, two), [entry()])).toEqual([`encoder ${CLEARED}`]);
    expect(listingsOf(graphOf(clip), [entry({ folder: folderSchema.parse('clip') })])).toEqual([
      `encoder ${CLEARED}`,
    ]);
  });

  it('is another file for a node of which the operator has not said where it loads from', () => {
    const own = { class_type: 'MyLoader', inputs: { file: NAME } };
    const nodes: Record<string, NodeRule> = { MyLoader: { weights: { file: 'generator' } } };
    const placed = { MyLoader: { ...nodes.MyLoader, folders: { file: 'checkpoints' } } };
    expect(listingsOf(graphOf(own), [entry()], { nodes })).toEqual([`generator ${CLEARED}`]);
    expect(listingsOf(graphOf(own, CHECKPOINT), [entry()], { nodes })).toEqual([`generator ${UNLISTED}`]);
    expect(listingsOf(graphOf(own), [entry({ folder: 'checkpoints' })], { nodes })).toEqual([
      `generator ${UNLISTED}`,
    ]);
    expect(listingsOf(graphOf(own, CHECKPOINT), [entry()], { nodes: placed })).toEqual([
      `generator ${CLEARED}`,
    ]);
  });
});

describe('the known loaders', () => {
  it('say of each weight in which folder it lies', () => {
    for (const { weights = {}, folders = {} } of KNOWN_NODES.values())
      expect(Object.keys(folders)).toEqual(Object.keys(weights));
  });
});
