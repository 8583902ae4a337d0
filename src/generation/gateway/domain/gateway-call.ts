import { type GatewayPipelineName } from '../../domain/builtin-pipelines.js';
import { type RunValue } from '../../domain/definition-words.js';
import { type Operation } from '../../domain/operation.js';
import { type ProviderName } from '../../domain/provider.port.js';

/** Whose protocol a call speaks. The four roots are `/gateway/<vendor>/p/{project}/{useCase}/...`. */
export const GATEWAY_VENDORS = ['openai', 'gemini', 'fal', 'replicate'] as const;
export type GatewayVendor = (typeof GATEWAY_VENDORS)[number];

/** Who executes what a vendor's SDK asks for. A name of one vendor is never looked up at another. */
export const PROVIDER_OF_VENDOR: Readonly<Record<GatewayVendor, ProviderName>> = {
  openai: 'openai',
  gemini: 'google',
  fal: 'fal',
  replicate: 'replicate',
};

/** What runs of calls are called in lists and in the log. */
export function pipelineNameOf(vendor: GatewayVendor): GatewayPipelineName {
  return `gateway-${vendor}`;
}

/** Project and use case as the address names them; the use case is looked up by its name. */
export interface GatewayPlace {
  /** UUID. */
  readonly projectId: string;
  readonly useCase: string;
}

/** A file that came with a call, in the store's staging area. The caller discards it, whatever happens. */
export interface SentFile {
  readonly stagedPath: string;
  readonly sha256: string;
  /** As sent; for display only. */
  readonly fileName: string | undefined;
  /** Where it was fetched from, when the call named it by an address. */
  readonly address?: string;
}

/** One call of an SDK, free of the vendor's protocol. */
export interface GatewayCall {
  readonly vendor: GatewayVendor;
  readonly place: GatewayPlace;
  readonly operation: Operation;
  /** As the vendor calls it. */
  readonly model: string;
  /** In the words of the provider (adapters/<vendor>); every text in it is an input of the run and is sealed. */
  readonly parameters: Readonly<Record<string, RunValue>>;
  /** What the sandbox needs to give a picture of the same shape, e.g. `width`; for test keys, in place of `parameters`. */
  readonly sandboxParameters: Readonly<Record<string, RunValue>>;
  /** By the name under which the provider takes it: `image`, `image_2`, `mask`. */
  readonly files: Readonly<Record<string, SentFile>>;
  /** Files that are assets already (UUIDs), by the name under which the provider takes them. */
  readonly assets?: Readonly<Record<string, string>>;
  /** Addresses of files that lie elsewhere and are fetched, by the name under which the provider takes them. */
  readonly addresses?: Readonly<Record<string, string>>;
  /** How many files are asked for: one step each. */
  readonly count: number;
}

/** By what a call is known when it is sent again. */
export interface CallIdentity {
  /** The Idempotency-Key header as sent. */
  readonly idempotencyKey: string | undefined;
  /** The SDK says that it sends this again (`X-Stainless-Retry-Count` above 0). */
  readonly isRetry: boolean;
  /** Where it went and what it said: method, path, and the bytes or hashes of its body. */
  readonly fingerprint: readonly (string | Uint8Array)[];
}
