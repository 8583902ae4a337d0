import { ColophonError } from '../../shared/errors.js';
import { type MicroUsd } from '../../shared/money.js';
import { type Operation } from './pipeline-definition.js';
import { type ProviderName } from './provider.port.js';

/** What a provider charges, and where that was read. An offering without a price cannot be run: unknown is never 0. */
export interface Price {
  readonly microUsdPerUnit: MicroUsd;
  readonly unit: 'image' | 'megapixel';
  readonly source: string;
  readonly dateRead: string;
}

/** A way to execute an operation with a model listing. */
export interface Offering {
  readonly listingId: string;
  readonly operation: Operation;
  readonly provider: ProviderName;
  /** The provider's own name for it. */
  readonly endpoint: string;
  /** `undefined`: not known. */
  readonly price: Price | undefined;
  /** Whether a trained model makes the picture; decides between trainedAlgorithmicMedia and algorithmicMedia. */
  readonly trainedModel: boolean;
}

const ON_THIS_MACHINE: Price = {
  microUsdPerUnit: 0n,
  unit: 'image',
  source: 'runs on this machine',
  dateRead: '2026-11-22',
};

function studio(listingId: string, operation: Operation, endpoint: string): Offering {
  return { listingId, operation, provider: 'studio', endpoint, price: ON_THIS_MACHINE, trainedModel: false };
}

function fal(listingId: string, endpoint: string, price: Price | undefined): Offering {
  return { listingId, operation: 'generate', provider: 'fal', endpoint, price, trainedModel: true };
}

/** Prices are seeds with their source; a deployment's own contract may differ. */
export const OFFERINGS: readonly Offering[] = [
  studio('studio-scene@studio', 'generate', 'render-scene'),
  studio('studio-cut-out@studio', 'cut-out', 'cut-out'),
  studio('studio-upscale@studio', 'upscale', 'upscale'),
  studio('studio-recolor@studio', 'recolor', 'recolor'),
  studio('studio-crop@studio', 'crop', 'crop'),
  studio('studio-convert@studio', 'convert', 'convert'),
  {
    listingId: 'sandbox-generator@sandbox',
    operation: 'generate',
    provider: 'sandbox',
    endpoint: 'generate',
    price: { ...ON_THIS_MACHINE, source: 'the sandbox spends nothing' },
    trainedModel: false,
  },
  fal('flux-1-schnell@fal', 'fal-ai/flux/schnell', {
    microUsdPerUnit: 3_000n,
    unit: 'megapixel',
    source: 'toolchew.com, read 2026-05-20 (secondary)',
    dateRead: '2026-05-20',
  }),
  fal('flux-1-dev@fal', 'fal-ai/flux/dev', {
    microUsdPerUnit: 25_000n,
    unit: 'megapixel',
    source: 'aggregator page (secondary)',
    dateRead: '2026-09-01',
  }),
  fal('recraft-v3@fal', 'fal-ai/recraft/v3/text-to-image', {
    microUsdPerUnit: 40_000n,
    unit: 'image',
    source: 'aggregator page (secondary)',
    dateRead: '2026-09-01',
  }),
  fal('qwen-image@fal', 'fal-ai/qwen-image', undefined),
  fal('hunyuan-image-3.0@fal', 'fal-ai/hunyuan-image/v3/text-to-image', undefined),
];

export function findOffering(listingId: string, operation: Operation): Offering | undefined {
  return OFFERINGS.find((offering) => offering.listingId === listingId && offering.operation === operation);
}

const PIXELS_PER_MEGAPIXEL = 1_000_000;
const DEFAULT_SIDE_PIXELS = 1024;
/** No more could be taken in afterwards (see media-limits.ts), so no money is reserved for it. */
const MAX_MEGAPIXELS = 100;

/**
 * Upper estimate of the cost of one step, reserved before it is submitted: one image of the asked size,
 * megapixels rounded up as vendors do.
 */
export function estimateMicroUsd(price: Price, parameters: Readonly<Record<string, unknown>>): MicroUsd {
  if (price.unit === 'image') return price.microUsdPerUnit;
  const width = numberOr(parameters.width, DEFAULT_SIDE_PIXELS);
  const height = numberOr(parameters.height, DEFAULT_SIDE_PIXELS);
  const megapixels = Math.max(1, Math.ceil((width * height) / PIXELS_PER_MEGAPIXEL));
  if (megapixels > MAX_MEGAPIXELS)
    throw new ColophonError('invalid_request', `A picture may have at most ${MAX_MEGAPIXELS} megapixels.`);
  return price.microUsdPerUnit * BigInt(megapixels);
}

/** Cost of what the provider says it billed; units may be fractions, the amount is rounded up to whole micro-USD. */
export function costMicroUsd(price: Price, billedUnits: number): MicroUsd {
  return BigInt(Math.ceil(Number(price.microUsdPerUnit) * billedUnits));
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : fallback;
}
