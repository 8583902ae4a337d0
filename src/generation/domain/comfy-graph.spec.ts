import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ComfyGraph, graphSchema, readGraph } from './comfy-graph.js';
import { componentsOf, unknownListing } from './comfy-lineage.js';
import { KNOWN_NODES } from './comfy-nodes.js';
import { listingIdSchema } from '../../licenses/domain/listing.js';

const GRAPH: ComfyGraph = {
  '1': { class_type: 'UNETLoader', inputs: { unet_name: 'flux1-dev.safetensors', weight_dtype: 'default' } },
  '2': {
    class_type: 'DualCLIPLoader',
    inputs: { clip_name1: 't5xxl.safetensors', clip_name2: 'clip_l.safetensors', type: 'flux' },
  },
  '3': { class_type: 'VAELoader', inputs: { vae_name: 'ae.safetensors' } },
  '4': {
    class_type: 'LoraLoader',
    inputs: { model: ['1', 0], clip: ['2', 0], lora_name: 'brand.safetensors', strength_model: 1 },
  },
  '5': { class_type: 'CLIPTextEncode', inputs: { text: 'a bottle', clip: ['4', 1] } },
  '6': { class_type: 'ControlNetLoader', inputs: { control_net_name: 'canny.safetensors' } },
  '7': { class_type: 'UpscaleModelLoader', inputs: { model_name: '4x.pth' } },
  '8': { class_type: 'LoadImage', inputs: { image: 'photo.png' } },
  '9': { class_type: 'SaveImage', inputs: { images: ['8', 0], filename_prefix: 'out' } },
};
const withNode = (class_type: string, inputs: Record<string, unknown>): ComfyGraph =>
  graphSchema.parse({ ...GRAPH, x: { class_type, inputs } });

describe('the walk through a ComfyUI graph', () => {
  it('finds every weight with its role, and every picture', () => {
    const { weights, fileInputs } = readGraph(GRAPH);
    expect(weights.map(({ folder, fileName, role }) => `${role} ${folder}/${fileName}`)).toEqual([
      'generator diffusion_models/flux1-dev.safetensors',
      'encoder text_encoders/t5xxl.safetensors',
      'encoder text_encoders/clip_l.safetensors',
      'autoencoder vae/ae.safetensors',
      'lora loras/brand.safetensors',
      'control controlnet/canny.safetensors',
      'upscaler upscale_models/4x.pth',
    ]);
    expect(fileInputs).toEqual([{ nodeId: '8', input: 'image' }]);
  });

  it.each([
    ['an unknown node', 'DownloadAndLoadModel', { url: 'x' }, 'unknown kind'],
    ['a node named like a property of every object', 'constructor', {}, 'unknown kind'],
    ['a weight that another node names', 'LoraLoader', { lora_name: ['5', 0] }, 'comes from elsewhere'],
    ['a weight without a name', 'LoraLoader', {}, 'comes from elsewhere'],
    ['an embedding in a prompt', 'CLIPTextEncode', { text: 'a bottle, embedding:style.pt' }, 'embedding'],
    ['an embedding with a space', 'CLIPTextEncode', { text: 'a (Embedding : style:1.2)' }, 'embedding'],
    ['a weight where none is known', 'KSampler', { scheduler: 'hidden.safetensors' }, 'weight file'],
    ['a picture that another node names', 'LoadImage', { image: ['5', 0] }, 'not a plain name'],
    ['a link into nothing', 'VAEDecode', { samples: ['404', 0] }, 'not there'],
  ])('refuses %s', (_name, type, inputs, words) => {
    expect(() => readGraph(withNode(type, inputs))).toThrow(words);
  });

  it('takes the word of the operator for nodes of their own', () => {
    const graph = withNode('MyLoader', { file: 'mine.safetensors' });
    expect(readGraph(graph, { MyLoader: { weights: { file: 'lora' } } }).weights.at(-1)).toEqual({
      nodeId: 'x',
      fileName: 'mine.safetensors',
      role: 'lora',
      folder: undefined,
      loader: 'MyLoader',
    });
    const placed = { MyLoader: { weights: { file: 'lora' }, folders: { file: 'loras' } } } as const;
    expect(readGraph(graph, placed).weights.at(-1)).toMatchObject({ folder: 'loras' });
  });

  it('never finds less when a node is added: every weight of the smaller graph is in the larger', () => {
    const types = [...KNOWN_NODES].filter(([, rule]) => Object.keys(rule.weights ?? {}).length > 0);
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.stringMatching(/^[a-z]{1,8}\.safetensors$/),
        ([type, rule], file) => {
          const inputs = Object.fromEntries(Object.keys(rule.weights ?? {}).map((input) => [input, file]));
          const { weights } = readGraph(withNode(type, inputs));
          expect(weights).toEqual(expect.arrayContaining([...readGraph(GRAPH).weights]));
          expect(weights.some(({ nodeId, fileName }) => nodeId === 'x' && fileName === file)).toBe(true);
        },
      ),
    );
  });
});

describe('the inventory', () => {
  const { weights } = readGraph(GRAPH);
  const entry = {
    fileName: 'flux1-dev.safetensors',
    sha256: 'a'.repeat(64),
    listingId: 'flux-1-dev@self-hosted',
  };

  it('turns files into listings, and unknown files into listings that do not exist', () => {
    const components = componentsOf(weights, { files: [entry], loaded: weights });
    expect(components).toContainEqual({ listingId: 'flux-1-dev@self-hosted', role: 'generator' });
    expect(components).toContainEqual({ listingId: 'unlisted-brand-safetensors@self-hosted', role: 'lora' });
    expect(components).toHaveLength(weights.length);
  });

  it('refuses one name for two files, because nobody knows which of them runs', () => {
    const other = { ...entry, sha256: 'b'.repeat(64), listingId: 'flux-1-schnell@self-hosted' };
    expect(() => componentsOf(weights, { files: [entry, other], loaded: weights })).toThrow(
      'two files of one name',
    );
  });

  it('makes a listing id of any file name', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (name) => {
        expect(listingIdSchema.safeParse(unknownListing(name)).success).toBe(true);
      }),
    );
  });
});
