/**
 * What executes a step. The consumer of this port is the step worker (application/submit-step.ts); it has already
 * committed the step as SUBMITTING before it calls `submit`, so an adapter never decides about money or retries.
 */
export const PROVIDER_NAMES = ['fal', 'studio', 'sandbox'] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

export interface ProviderInputImage {
  /** Absolute path of the bytes in the asset store. Read-only. */
  readonly path: string;
  readonly mediaType: string;
  readonly sha256: string;
}

export interface ProviderRequest {
  /** Identifies the step towards the provider, e.g. inside the webhook URL. UUID. */
  readonly stepRunId: string;
  /** What to do, e.g. `generate`, `cut-out`. */
  readonly operation: string;
  /** The provider's own name of the model, e.g. `fal-ai/flux/schnell`. */
  readonly endpoint: string;
  /** Literal parameters of the step, references already resolved. Validated by the adapter. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Images by parameter name. */
  readonly images: Readonly<Record<string, ProviderInputImage>>;
}

/** One file that a step made, before capture: either bytes in hand or an address to fetch. */
export type ProviderOutput =
  { readonly kind: 'bytes'; readonly bytes: Buffer } | { readonly kind: 'url'; readonly url: string };

export interface CompletedStep {
  readonly kind: 'completed';
  readonly outputs: readonly ProviderOutput[];
  /**
   * What the provider says it billed, in the unit of the price book entry (images, megapixels, seconds...).
   * `undefined` when the provider says nothing: then the reserved estimate is settled and marked as such.
   */
  readonly billedUnits: number | undefined;
  /** What the provider claims about the work (model version, seed, served-from). Goes into gathered assertions. */
  readonly claims: Readonly<Record<string, string | number | boolean>>;
}

/** The provider has the job; `upstreamId` finds it again after a crash. */
export interface AcceptedStep {
  readonly kind: 'accepted';
  readonly upstreamId: string;
}

export interface RunningStep {
  readonly kind: 'running';
  /** 0 to 1 where the provider tells. */
  readonly progress: number | undefined;
}

/**
 * A definite failure: the provider did not and will not do the work. An answer that leaves the outcome open
 * (connection lost after the request was sent, 5xx on submit) is thrown as {@link OutcomeUnknownError} instead.
 */
export interface FailedStep {
  readonly kind: 'failed';
  readonly code: 'upstream_error' | 'upstream_invalid' | 'upstream_timeout';
  /** For people; no prompt, no URL with a token. At most 500 characters. */
  readonly reason: string;
}

/** Thrown by `submit` when the request may or may not have been accepted. The step becomes OUTCOME_UNKNOWN. */
export class OutcomeUnknownError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'OutcomeUnknownError';
  }
}

export interface Provider {
  readonly name: ProviderName;
  /**
   * `charges_again`: a second submit may cost money again, so it never happens by itself.
   * `harmless`: deterministic work on this machine; after a crash it is simply done again.
   */
  readonly resubmission: 'charges_again' | 'harmless';
  /** Where the bytes go out to: recorded in the manifest and shown to counsel. */
  readonly channel: string;
  /**
   * What is wrong with a request, in one sentence, or `undefined`. Called before money is reserved; names parameters,
   * never their values.
   */
  problemWith(request: {
    readonly endpoint: string;
    readonly parameters: Readonly<Record<string, unknown>>;
    readonly images: Readonly<Record<string, unknown>>;
  }): string | undefined;
  submit(request: ProviderRequest, signal: AbortSignal): Promise<CompletedStep | AcceptedStep | FailedStep>;
  /** Freely repeatable. Throws on a transport error; the worker asks again later. */
  poll(
    job: { readonly endpoint: string; readonly upstreamId: string },
    signal: AbortSignal,
  ): Promise<CompletedStep | RunningStep | FailedStep>;
  /** Best effort; a provider without cancellation does nothing. */
  cancel(job: { readonly endpoint: string; readonly upstreamId: string }, signal: AbortSignal): Promise<void>;
}
