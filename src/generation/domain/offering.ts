import { type LineageRole } from '../../licenses/domain/listing.js';
import { type Operation } from './operation.js';
import { type StepOperation } from './pipeline-definition.js';
import { type Price } from './price.js';
import { type ProviderName } from './provider.port.js';

/** A model file or tool that comes along with an offering, e.g. a LoRA or a text encoder of a workflow. */
export interface OfferedComponent {
  readonly listingId: string;
  readonly role: LineageRole;
}

/** A way to execute an operation with a model listing. */
export interface Offering {
  readonly listingId: string;
  readonly operation: Operation;
  readonly provider: ProviderName;
  /** The provider's own name for it. */
  readonly endpoint: string;
  /** `undefined`: not known, and then it cannot be run: unknown is never 0. */
  readonly price: Price | undefined;
  /** Whether a trained model makes the file; decides between trainedAlgorithmicMedia and algorithmicMedia. */
  readonly trainedModel: boolean;
  /** What else the output descends from, beside the listing. */
  readonly components?: readonly OfferedComponent[];
}

export interface OfferingQuery {
  readonly listingId: string;
  readonly operation: StepOperation;
  /** Where several offerings run the listing: which one. */
  readonly endpoint?: string | undefined;
}

/** What this deployment can execute: what comes with the product, and its own servers. */
export class Offerings {
  constructor(private readonly offerings: readonly Offering[]) {}

  /** Everything that a provider does under its own name of a model. */
  atEndpoint(provider: ProviderName, endpoint: string): Offering[] {
    return this.offerings.filter(
      (offering) => offering.provider === provider && offering.endpoint === endpoint,
    );
  }

  /** Those for an operation, or all of them. */
  list(operation?: Operation): readonly Offering[] {
    return operation === undefined
      ? this.offerings
      : this.offerings.filter((offering) => offering.operation === operation);
  }

  /** The same with other prices. */
  withPrices(priceOf: (offering: Offering) => Price | undefined): Offerings {
    return new Offerings(this.offerings.map((offering) => ({ ...offering, price: priceOf(offering) })));
  }

  /** The first that fits; the product's own come before those of configured servers. */
  find({ listingId, operation, endpoint }: OfferingQuery): Offering | undefined {
    return this.offerings.find(
      (offering) =>
        offering.listingId === listingId &&
        offering.operation === operation &&
        (endpoint === undefined || offering.endpoint === endpoint),
    );
  }

  /** Everything that a provider runs, under the provider's own names. */
  of(provider: ProviderName): readonly Offering[] {
    return this.offerings.filter((offering) => offering.provider === provider);
  }
}

const FREE = { family: 'free', dateRead: '2026-11-22', verified: true } as const;
const ON_THIS_MACHINE: Price = { ...FREE, source: 'runs on this machine' };
const IN_THE_SANDBOX: Price = { ...FREE, source: 'the sandbox spends nothing' };

function studio(listingId: string, operation: Operation, endpoint: string): Offering {
  return { listingId, operation, provider: 'studio', endpoint, price: ON_THIS_MACHINE, trainedModel: false };
}

export const SANDBOX_LISTING = 'sandbox-generator@sandbox';
/** What test keys can play without spending. */
export const SANDBOX_OPERATIONS = [
  'generate',
  'edit',
  'generate-video',
  'animate',
  'speak',
  'compose-music',
  'generate-3d',
] as const satisfies readonly Operation[];

function sandbox(operation: Operation): Offering {
  return {
    listingId: SANDBOX_LISTING,
    operation,
    provider: 'sandbox',
    endpoint: operation,
    price: IN_THE_SANDBOX,
    trainedModel: false,
  };
}

/** Which listing a vendor runs under which name. The prices are in the price book. */
const VENDOR_ENDPOINTS: readonly (readonly [string, ProviderName, string, readonly Operation[]])[] = [
  ['flux-1-schnell@fal', 'fal', 'fal-ai/flux/schnell', ['generate']],
  ['flux-1-dev@fal', 'fal', 'fal-ai/flux/dev', ['generate']],
  ['recraft-v3@fal', 'fal', 'fal-ai/recraft/v3/text-to-image', ['generate']],
  ['qwen-image@fal', 'fal', 'fal-ai/qwen-image', ['generate']],
  ['hunyuan-image-3.0@fal', 'fal', 'fal-ai/hunyuan-image/v3/text-to-image', ['generate']],
  ['flux-1-schnell@replicate', 'replicate', 'black-forest-labs/flux-schnell', ['generate']],
  ['gpt-image-2@openai', 'openai', 'gpt-image-2', ['generate', 'edit']],
  ['gpt-image-1.5@openai', 'openai', 'gpt-image-1.5', ['generate', 'edit']],
  ['gpt-image-1-mini@openai', 'openai', 'gpt-image-1-mini', ['generate', 'edit']],
  ['gpt-image-1@openai', 'openai', 'gpt-image-1', ['generate', 'edit']],
  ['nano-banana-2@gemini-api', 'google', 'gemini-3.1-flash-image', ['generate', 'edit']],
  ['nano-banana@gemini-api', 'google', 'gemini-2.5-flash-image', ['generate', 'edit']],
  ['nano-banana-pro@gemini-api', 'google', 'gemini-3-pro-image', ['generate', 'edit']],
  ['nano-banana-pro@gemini-api', 'google', 'gemini-3-pro-image-preview', ['generate', 'edit']],
];

/** What comes with the product. */
export function builtinOfferings(
  priceOf: (provider: ProviderName, endpoint: string) => Price | undefined,
): Offering[] {
  return [
    studio('studio-scene@studio', 'generate', 'render-scene'),
    studio('studio-cut-out@studio', 'cut-out', 'cut-out'),
    studio('studio-upscale@studio', 'upscale', 'upscale'),
    studio('studio-recolor@studio', 'recolor', 'recolor'),
    studio('studio-crop@studio', 'crop', 'crop'),
    studio('studio-convert@studio', 'convert', 'convert'),
    ...SANDBOX_OPERATIONS.map(sandbox),
    ...VENDOR_ENDPOINTS.flatMap(([listingId, provider, endpoint, operations]) =>
      operations.map((operation) => ({
        listingId,
        operation,
        provider,
        endpoint,
        price: priceOf(provider, endpoint),
        trainedModel: true,
      })),
    ),
  ];
}
