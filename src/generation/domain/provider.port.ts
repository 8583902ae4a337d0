import { type ContentRefusal } from './content-refusal.js';
import { type MediaKind } from './media-kind.js';
import { type Operation } from './operation.js';
import { type Usage } from './usage.js';

/**
 * What executes a step. The consumer of this port is the step worker (application/submit-step.ts); it has already
 * committed the step as SUBMITTING before it calls `submit`, so an adapter never decides about money or retries.
 */
export const PROVIDER_NAMES = [
  'fal',
  'replicate',
  'openai',
  'google',
  'openai-compatible',
  'comfyui',
  'studio',
  'sandbox',
] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];
/** What does a step: a provider, or people. */
export type StepExecutor = ProviderName | 'people';

/** Those that want a key, which an organization can bring. */
export const KEYED_PROVIDERS = ['fal', 'replicate', 'openai', 'google'] as const satisfies ProviderName[];
export type KeyedProviderName = (typeof KEYED_PROVIDERS)[number];

export interface ProviderInput {
  /** Absolute path of the bytes in the asset store. Read-only. */
  readonly path: string;
  readonly mediaType: string;
  /** Derived from the media type that the bytes were found to have. */
  readonly kind: MediaKind;
  readonly sha256: string;
}

/** A step before anything is sent: what an adapter judges beforehand. */
export interface PlannedRequest {
  readonly operation: Operation;
  readonly endpoint: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Kinds of the media that will be there, by parameter name. */
  readonly inputs: Readonly<Record<string, { readonly kind: MediaKind }>>;
}

export interface ProviderRequest {
  /** Identifies the step towards the provider, e.g. inside the webhook URL. UUID. */
  readonly stepRunId: string;
  readonly operation: Operation;
  /** The provider's own name of the model, e.g. `fal-ai/flux/schnell`. */
  readonly endpoint: string;
  /** Literal parameters of the step, references already resolved. Validated by the adapter. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Pictures and other media by parameter name. */
  readonly inputs: Readonly<Record<string, ProviderInput>>;
}

/** One file that a step made, before capture: either bytes in hand or an address to fetch. */
export type ProviderOutput =
  | {
      readonly kind: 'bytes';
      readonly bytes: Buffer;
      /** Absent: the bytes are exactly what was received. */
      readonly preparation?: Preparation;
    }
  | {
      readonly kind: 'url';
      readonly url: string;
      /** Needed to fetch it, e.g. the provider's key. In memory only: never stored, never logged. */
      readonly headers?: Readonly<Record<string, string>>;
    };

/**
 * What this program did to the received bytes before they were captured (ADR 0050, 0057). Deterministic, so whoever has the
 * received file can do it again and gets what was signed.
 */
export interface Preparation {
  readonly kind: 'png-text-removed' | 'metadata-removed' | 'framing-mended';
  /** SHA-256 of the bytes as they were received. */
  readonly receivedSha256: string;
  /** What was left out, e.g. the text chunk `prompt` or `EXIF`. */
  readonly removed: readonly string[];
  /** What was missing and was written, e.g. the end of a GIF. */
  readonly added?: readonly string[];
}

export interface CompletedStep {
  readonly kind: 'completed';
  readonly outputs: readonly ProviderOutput[];
  /**
   * What the provider says it used. `undefined` when it says nothing: then the reserved estimate is settled and marked
   * as such.
   */
  readonly usage: Usage | undefined;
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
 * Why a vendor certainly did not take a request, where trying again may help. `not_sent`: it never left this machine, or
 * nobody was there. `rate_limited`: a limit was exceeded. `unavailable`: the vendor failed before the model was asked for.
 */
export const NOT_ACCEPTED = ['not_sent', 'rate_limited', 'unavailable'] as const;
export type NotAccepted = (typeof NOT_ACCEPTED)[number];

/**
 * A definite failure: the provider did not and will not do the work. An answer that leaves the outcome open
 * (connection lost after the request was sent, 5xx on submit) is thrown as {@link OutcomeUnknownError} instead.
 */
export interface FailedStep {
  readonly kind: 'failed';
  readonly code: 'upstream_error' | 'upstream_invalid' | 'upstream_timeout';
  /** For people; no prompt, no URL with a token. At most 500 characters. */
  readonly reason: string;
  /** Set only where the vendor says that it is the content that it refuses. */
  readonly contentRefusal?: ContentRefusal;
  /** Set only where the vendor certainly has not taken the request, and another time may be better. */
  readonly notAccepted?: NotAccepted;
  /** The work was done, or begun, and will be on the bill although nothing usable came of it. */
  readonly mayBeBilled?: true;
  /** What was used all the same, where the provider tells. Only with `mayBeBilled`. */
  readonly usage?: Usage;
}

/** Thrown by `submit` when the request may or may not have been accepted. The step becomes OUTCOME_UNKNOWN. */
export class OutcomeUnknownError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'OutcomeUnknownError';
  }
}

/** What was found out about a submit whose answer was lost. */
export type LostJob =
  | { readonly kind: 'found'; readonly upstreamId: string }
  /** Not there as far as the provider shows. It may still turn up, so it is no permission to send again. */
  | { readonly kind: 'not-found' };

/** A job that a provider has. */
export interface ProviderJob {
  readonly stepRunId: string;
  readonly endpoint: string;
  readonly upstreamId: string;
}

export interface Provider {
  readonly name: ProviderName;
  /**
   * `charges_again`: a second submit may cost money again, so it never happens by itself.
   * `harmless`: deterministic work on this machine; after a crash it is simply done again.
   * `identified`: the provider knows the job by an id that follows from the step, and the adapter asks for it before it
   * sends: a second submit finds the first.
   */
  readonly resubmission: 'charges_again' | 'harmless' | 'identified';
  /** Where the bytes go out to: recorded in the manifest and shown to counsel. */
  readonly channel: string;
  /**
   * What is wrong with a request, in one sentence, or `undefined`. Called before money is reserved; names parameters,
   * never their values.
   */
  problemWith(request: PlannedRequest): string | undefined;
  submit(request: ProviderRequest, signal: AbortSignal): Promise<CompletedStep | AcceptedStep | FailedStep>;
  /** Freely repeatable. Throws on a transport error; the worker asks again later. */
  poll(job: ProviderJob, signal: AbortSignal): Promise<CompletedStep | RunningStep | FailedStep>;
  /** Best effort; a provider without cancellation does nothing. */
  cancel(job: ProviderJob, signal: AbortSignal): Promise<void>;
  /**
   * Looks for the job of a step whose answer was lost. Only asks, never sends. Absent where the provider shows no list
   * in which a step could be recognized.
   */
  findLost?(
    step: { readonly stepRunId: string; readonly endpoint: string },
    signal: AbortSignal,
  ): Promise<LostJob>;
}
