import { type NamedPipeline } from './builtin-pipelines.js';

/**
 * Templates of what marketing teams make most. Each names real listings, which are cleared like any other, and lets every
 * model be replaced by an input; with a test key all of them can be rehearsed.
 */

const given = (input: string) => ({ input, optional: false });
const ifGiven = (input: string) => ({ input, optional: true });
const orElse = (input: string, value: string | number) => ({ input, default: value, optional: false });
const ofItem = (item: string) => ({ item, optional: true });
const model = (input: string, listing: string) => ({ input, default: listing });

const SIZE = { width: ifGiven('width'), height: ifGiven('height'), seed: ifGiven('seed') };

export const TEMPLATE_PIPELINES: readonly NamedPipeline[] = [
  {
    name: 'product-photography',
    version: 1,
    description: 'Product photography: generate, cut out, place in a setting, upscale',
    definition: {
      steps: [
        {
          key: 'generate',
          operation: 'generate',
          model: model('model', 'studio-scene@studio'),
          parameters: { prompt: given('prompt'), ...SIZE },
          images: {},
        },
        {
          key: 'cut-out',
          operation: 'cut-out',
          model: model('cutOutModel', 'studio-cut-out@studio'),
          parameters: {},
          images: { image: { step: 'generate' } },
        },
        {
          key: 'place',
          operation: 'edit',
          model: model('placeModel', 'nano-banana@gemini-api'),
          parameters: { prompt: given('setting') },
          images: { image: { step: 'cut-out' } },
        },
        {
          key: 'upscale',
          operation: 'upscale',
          model: model('upscaleModel', 'studio-upscale@studio'),
          parameters: { factor: orElse('factor', 2) },
          images: { image: { step: 'place' } },
          when: { step: 'place', fact: 'width', compare: 'below', value: 4096, otherwise: 'pass' },
        },
      ],
    },
  },
  {
    name: 'recolor',
    version: 1,
    description: 'One photograph in each color of a list',
    definition: {
      steps: [
        {
          key: 'recolor',
          operation: 'recolor',
          model: 'studio-recolor@studio',
          each: { input: 'colors' },
          parameters: { targetColor: { item: 'color', optional: false } },
          images: { image: { input: 'photo' } },
        },
      ],
    },
  },
  {
    name: 'style-lora',
    version: 1,
    description:
      'Pictures in the style of a LoRA of your own: give the listing that an own server runs with it',
    definition: {
      steps: [
        {
          key: 'generate',
          operation: 'generate',
          model: model('model', 'flux-1-dev@self-hosted'),
          parameters: { prompt: given('prompt'), ...SIZE },
          images: {},
        },
        {
          key: 'upscale',
          operation: 'upscale',
          model: model('upscaleModel', 'studio-upscale@studio'),
          parameters: { factor: orElse('factor', 2) },
          images: { image: { step: 'generate' } },
        },
      ],
    },
  },
  {
    name: 'ad-variations',
    version: 1,
    description: 'Up to 498 variations of one brief; a person chooses one, which is enlarged',
    definition: {
      steps: [
        {
          key: 'variant',
          operation: 'generate',
          each: { input: 'variations' },
          model: { item: 'model', default: 'studio-scene@studio' },
          parameters: {
            prompt: { item: 'prompt', optional: false },
            seed: ofItem('seed'),
            width: ofItem('width'),
            height: ofItem('height'),
          },
          images: {},
        },
        {
          key: 'pick',
          operation: 'choose',
          images: { image: { step: 'variant' } },
          deadlineMinutes: 7 * 24 * 60,
        },
        {
          key: 'upscale',
          operation: 'upscale',
          model: model('upscaleModel', 'studio-upscale@studio'),
          parameters: { factor: orElse('factor', 2) },
          images: { image: { step: 'pick' } },
        },
      ],
    },
  },
  {
    name: 'branded-film',
    version: 1,
    description: 'A short film: scene, motion, voice and music as files of their own',
    definition: {
      steps: [
        {
          key: 'scene',
          operation: 'generate',
          model: model('model', 'studio-scene@studio'),
          parameters: { prompt: given('prompt'), ...SIZE },
          images: {},
        },
        {
          key: 'motion',
          operation: 'animate',
          model: model('motionModel', 'veo-3@vertex'),
          parameters: { prompt: given('motion') },
          images: { image: { step: 'scene' } },
        },
        {
          key: 'voice',
          operation: 'speak',
          model: model('voiceModel', 'elevenlabs-tts@elevenlabs'),
          parameters: { text: given('script') },
          images: {},
        },
        {
          key: 'music',
          operation: 'compose-music',
          model: model('musicModel', 'eleven-music-v1@elevenlabs'),
          parameters: { prompt: given('music') },
          images: {},
        },
      ],
    },
  },
  {
    name: 'game-asset',
    version: 1,
    description: 'A picture of a thing, cut out, and the thing as a 3D model',
    definition: {
      steps: [
        {
          key: 'picture',
          operation: 'generate',
          model: model('model', 'studio-scene@studio'),
          parameters: { prompt: given('prompt'), ...SIZE },
          images: {},
        },
        {
          key: 'cut-out',
          operation: 'cut-out',
          model: model('cutOutModel', 'studio-cut-out@studio'),
          parameters: {},
          images: { image: { step: 'picture' } },
        },
        {
          key: 'model',
          operation: 'generate-3d',
          model: model('shapeModel', 'trellis@self-hosted'),
          parameters: { prompt: given('prompt') },
          images: { image: { step: 'cut-out' } },
        },
      ],
    },
  },
];
