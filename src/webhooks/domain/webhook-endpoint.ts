export const ENDPOINT_STATES = ['active', 'paused', 'disabled'] as const;

/**
 * `paused`: by a person; what happens meanwhile is told when it is active again. `disabled`: by us, because it is gone
 * or took nothing for days; the same.
 */
export type EndpointState = (typeof ENDPOINT_STATES)[number];

export interface WebhookEndpoint {
  /** UUID. */
  readonly id: string;
  readonly host: string;
  readonly events: readonly string[];
  readonly state: EndpointState;
  readonly failingSince: Date | undefined;
  readonly createdAt: Date;
}

/** What is kept sealed. */
export interface EndpointSecrets {
  readonly url: string;
  /** `whsec_...`, newest first; each signs as long as it is valid. */
  readonly secrets: readonly { readonly secret: string; readonly validUntil: string | null }[];
}

/** So long the old secret signs beside the new one, which gives a receiver time to change it. */
export const ROTATION_OVERLAP_MS = 24 * 3_600_000;

/** Those that sign now. */
export function signingSecrets({ secrets }: EndpointSecrets, now: Date): string[] {
  return secrets
    .filter(({ validUntil }) => validUntil === null || new Date(validUntil) > now)
    .map(({ secret }) => secret);
}
