import { type PipelineDefinition } from './pipeline-definition.js';
import { TEMPLATE_PIPELINES } from './template-pipelines.js';

export interface NamedPipeline {
  readonly name: string;
  readonly version: number;
  readonly description: string;
  readonly definition: PipelineDefinition;
}

/** Names of the pipelines that the gateway makes for one call each (gateway/domain/call-pipeline.ts). */
export const GATEWAY_PIPELINE_NAMES = [
  'gateway-openai',
  'gateway-gemini',
  'gateway-fal',
  'gateway-replicate',
] as const;
export type GatewayPipelineName = (typeof GATEWAY_PIPELINE_NAMES)[number];

/** Available in every organization. A changed definition gets a new version. */
export const BUILTIN_PIPELINES: readonly NamedPipeline[] = [
  {
    name: 'product-shot',
    version: 1,
    description: 'Product photography: generate, cut out, upscale, recolor',
    definition: {
      steps: [
        {
          key: 'generate',
          operation: 'generate',
          model: { input: 'model', default: 'studio-scene@studio' },
          parameters: {
            prompt: { input: 'prompt', optional: false },
            product: { input: 'product', optional: true },
            brandName: { input: 'brandName', optional: true },
            palette: { input: 'palette', optional: true },
            backdrop: { input: 'backdrop', optional: true },
            width: { input: 'width', optional: true },
            height: { input: 'height', optional: true },
            seed: { input: 'seed', optional: true },
          },
          images: {},
        },
        {
          key: 'cut-out',
          operation: 'cut-out',
          model: { input: 'cutOutModel', default: 'studio-cut-out@studio' },
          parameters: {},
          images: { image: { step: 'generate' } },
        },
        {
          key: 'upscale',
          operation: 'upscale',
          model: { input: 'upscaleModel', default: 'studio-upscale@studio' },
          parameters: { factor: { input: 'factor', default: 2, optional: false } },
          images: { image: { step: 'cut-out' } },
        },
        {
          key: 'recolor',
          operation: 'recolor',
          model: 'studio-recolor@studio',
          parameters: { targetColor: { input: 'color', default: '#b4232f', optional: false } },
          images: { image: { step: 'upscale' } },
        },
      ],
    },
  },
  ...TEMPLATE_PIPELINES,
];
