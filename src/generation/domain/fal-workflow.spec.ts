import { describe, expect, it } from '@jest/globals';
import { PriceBook } from '../registry/price-book.js';
import { translateFalWorkflow } from './fal-workflow.js';
import { falWorkflowSchema } from './fal-workflow-file.js';
import { builtinOfferings, type Offering, Offerings } from './offering.js';
import { type Operation } from './operation.js';
import { isColophonError } from '../../shared/errors.js';

const prices = new PriceBook();
const on = (endpoint: string, listingId: string, operation: Operation): Offering => ({
  listingId,
  operation,
  provider: 'fal',
  endpoint,
  price: undefined,
  trainedModel: true,
});
const offerings = new Offerings([
  ...builtinOfferings((provider, endpoint) => prices.find(provider, endpoint)),
  on('fal-ai/bria/background/remove', 'bria-rmbg@fal', 'cut-out'),
  on('fal-ai/two', 'two@fal', 'generate'),
  on('fal-ai/two', 'two@fal', 'edit'),
  on('fal-ai/shared', 'one@fal', 'generate'),
  on('fal-ai/shared', 'other@fal', 'generate'),
  on('fal-ai/kling', 'kling@fal', 'animate'),
]);

/** The example of fal's documentation. */
const EXAMPLE = {
  input: { id: 'input', type: 'input', depends: [], input: { prompt: '' } },
  node_1: {
    id: 'node_1',
    type: 'run',
    depends: ['input'],
    app: 'fal-ai/flux/dev',
    input: { prompt: '$input.prompt', num_inference_steps: 28 },
  },
  node_2: {
    id: 'node_2',
    type: 'run',
    depends: ['node_1'],
    app: 'fal-ai/bria/background/remove',
    input: { image_url: '$node_1.images.0.url' },
  },
  output: { id: 'output', type: 'display', depends: ['node_2'], fields: { image: '$node_2.image' } },
};

function translate(changes: object = {}) {
  return translateFalWorkflow(falWorkflowSchema.parse({ ...EXAMPLE, ...changes }), offerings);
}

/** The places that are refused. */
function refused(changes: object): string[] {
  try {
    translate(changes);
  } catch (error) {
    if (!isColophonError(error, 'pipeline_invalid')) throw error;
    return (error.extensions?.errors as { path: string }[]).map(({ path }) => path);
  }
  return [];
}

describe('a workflow of fal', () => {
  it('becomes our steps, with models as listings and references as inputs and steps', () => {
    expect(translate()).toEqual({
      steps: [
        {
          key: 'node-1',
          operation: 'generate',
          model: 'flux-1-dev@fal',
          endpoint: 'fal-ai/flux/dev',
          parameters: { prompt: { input: 'prompt', optional: false }, num_inference_steps: 28 },
          images: {},
        },
        {
          key: 'node-2',
          operation: 'cut-out',
          model: 'bria-rmbg@fal',
          endpoint: 'fal-ai/bria/background/remove',
          parameters: {},
          images: { image_url: { step: 'node-1' } },
        },
      ],
    });
  });

  it('tells an app that does several things by whether it is given a picture', () => {
    const node = { ...EXAMPLE.node_1, app: 'fal-ai/two' };
    expect(translate({ node_1: node }).steps[0]?.operation).toBe('generate');
    const edit = { ...node, input: { image_url: '$input.photo' } };
    const input = { ...EXAMPLE.input, input: { photo: '' } };
    expect(translate({ node_1: edit, input }).steps[0]).toMatchObject({
      operation: 'edit',
      images: { image_url: { input: 'photo' } },
    });
  });

  it.each([
    ['an app that is not listed', { node_1: { ...EXAMPLE.node_1, app: 'fal-ai/unheard-of' } }, 'node_1.app'],
    [
      'a second file',
      { node_2: { ...EXAMPLE.node_2, input: { image_url: '$node_1.images.1.url' } } },
      'node_2.input.image_url',
    ],
    [
      'a file of another kind',
      { node_1: { ...EXAMPLE.node_1, app: 'fal-ai/kling', input: {} } },
      'node_2.input.image_url',
    ],
    [
      'an address',
      { node_2: { ...EXAMPLE.node_2, input: { image_url: 'https://x.test/a.png' } } },
      'node_2.input.image_url',
    ],
    [
      'a text of another node',
      { node_2: { ...EXAMPLE.node_2, input: { prompt: '$node_1.text' } } },
      'node_2.input.prompt',
    ],
    [
      'a reference inside of a text',
      { node_1: { ...EXAMPLE.node_1, input: { prompt: 'a $input.prompt here' } } },
      'node_1.input.prompt',
    ],
    [
      'an object',
      { node_1: { ...EXAMPLE.node_1, input: { image_size: { width: 1, height: 1 } } } },
      'node_1.input.image_size',
    ],
    [
      'an input that is not there',
      { node_1: { ...EXAMPLE.node_1, input: { prompt: '$input.other' } } },
      'node_1.input.prompt',
    ],
    [
      'an order without a use',
      { node_2: { ...EXAMPLE.node_2, input: { image_url: '$input.prompt' } } },
      'node_2.depends.0',
    ],
    ['a use without an order', { node_2: { ...EXAMPLE.node_2, depends: [] } }, 'node_2.depends'],
    ['an unknown node', { node_2: { ...EXAMPLE.node_2, depends: ['node_1', 'node_9'] } }, 'node_2.depends.1'],
    [
      'an output that is not a file',
      { output: { ...EXAMPLE.output, fields: { seed: '$node_1.seed' } } },
      'output.fields.seed',
    ],
    ['a second node of our name', { 'node-1': { ...EXAMPLE.node_1, id: 'node-1' } }, 'node-1'],
  ])('refuses %s with its place', (_what, changes, path) => {
    expect(refused(changes)).toContain(path);
  });

  it('takes a price for a text', () => {
    const node_1 = { ...EXAMPLE.node_1, input: { prompt: 'a can for $5.99 or $input' } };
    expect(translate({ node_1, input: EXAMPLE.input }).steps[0]).toMatchObject({
      parameters: { prompt: 'a can for $5.99 or $input' },
    });
  });

  it('refuses a node of a type that is not known, and what such a node holds beside', () => {
    expect(falWorkflowSchema.safeParse({ ...EXAMPLE, x: { type: 'loop' } }).success).toBe(false);
    expect(falWorkflowSchema.safeParse({ ...EXAMPLE, node_1: { ...EXAMPLE.node_1, loop: 3 } }).success).toBe(
      false,
    );
  });

  it('says why an app is refused, and what to do', () => {
    const reason = (app: string): string => {
      try {
        translate({ node_1: { ...EXAMPLE.node_1, app } });
      } catch (error) {
        return error instanceof Error ? error.message : '';
      }
      return '';
    };
    expect(reason('fal-ai/shared')).toContain('run for several listings here (one@fal, other@fal)');
    expect(reason('fal-ai/unheard-of')).toContain('POST /v1/models');
  });
});

/** As the editor saves a workflow. */
const FILE = {
  name: 'my-workflow',
  title: 'My workflow',
  is_public: false,
  contents: {
    name: 'workflow',
    nodes: {
      output: {
        type: 'display',
        id: 'output',
        depends: ['node-image'],
        input: {},
        fields: { image: '$node-image.images.0.url' },
      },
      'node-image': {
        type: 'run',
        id: 'node-image',
        depends: ['input'],
        app: 'fal-ai/flux/dev',
        input: { prompt: '$input.prompt', seed: '$input.seed' },
      },
    },
    output: { image: '$node-image.images.0.url' },
    schema: {
      input: {
        prompt: { name: 'prompt', label: 'Prompt', type: 'string', required: true, modelId: 'node-image' },
        seed: { name: 'seed', label: 'Seed', type: 'integer', default: 7 },
      },
      output: { image: { name: 'image', label: 'Image', type: 'string' } },
    },
    version: '1',
  },
};

describe('the file of the editor', () => {
  const inFile = (changes: object) =>
    falWorkflowSchema.safeParse({ ...FILE, contents: { ...FILE.contents, ...changes } });

  it('becomes the same steps, with the inputs of its form', () => {
    expect(translateFalWorkflow(falWorkflowSchema.parse(FILE), offerings).steps).toEqual([
      expect.objectContaining({
        key: 'node-image',
        model: 'flux-1-dev@fal',
        parameters: {
          prompt: { input: 'prompt', optional: false },
          seed: { input: 'seed', default: 7, optional: false },
        },
      }),
    ]);
  });

  it('is refused with the place, in its nodes and in what it gives out', () => {
    const output = { text: '$node-image.text' };
    const parsed = inFile({ output });
    expect(() => translateFalWorkflow(parsed.data ?? {}, offerings)).toThrow('contents.output.text');
    const loop = inFile({ nodes: { ...FILE.contents.nodes, x: { type: 'loop' } } });
    expect(loop.error?.issues[0]?.message).toMatch(/^contents\.nodes\.x\.type: /);
    const more = inFile({ loops: 3 });
    expect(more.error?.issues[0]?.message).toContain('loops');
  });

  it('is told from nodes alone, whose faults are told with their place as well', () => {
    const given = falWorkflowSchema.safeParse({ ...EXAMPLE, output: { ...EXAMPLE.output, input: { a: 1 } } });
    const [issue] = given.error?.issues ?? [];
    expect([issue?.path, issue?.message]).toEqual([['output', 'input'], 'Unrecognized key: "a"']);
    expect(translate({ output: { ...EXAMPLE.output, input: {} } }).steps).toHaveLength(2);
  });
});
