import { z } from 'zod';
import { readSecretFile } from '../../../../config/secret-file.js';
import { guardedFetch, type OutboundPolicy } from '../../../../outbound/guarded-fetch.js';
import { OutboundError } from '../../../../outbound/outbound-error.js';
import { readBody } from '../../../../outbound/response-limits.js';
import { type AttemptLimits, withAttempts } from '../bounded-attempts.js';
import { signerUnavailable } from '../signer-unavailable.js';

export interface VaultClientOptions {
  readonly address: string;
  readonly tokenFile: string;
  readonly namespace?: string;
  readonly outbound: OutboundPolicy;
  readonly limits: AttemptLimits;
}

const MAX_RESPONSE_BYTES = 262_144;
/** Throttled, a standby without a leader, sealed, or broken: all of it may pass. */
const PASSING_STATUSES: readonly number[] = [412, 429, 472, 473, 500, 502, 503, 504];
const envelope = z.object({ data: z.unknown() });

class VaultStatusError extends Error {
  constructor(readonly status: number) {
    super(`Vault answered with HTTP status ${status}`);
    this.name = 'VaultStatusError';
  }
}

/** The HTTP API of Vault and OpenBao, as much of it as signing needs. */
export class VaultClient {
  constructor(private readonly options: VaultClientOptions) {}

  /** @throws ColophonError `signer_unavailable` */
  async ask<T>(schema: z.ZodType<T>, method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
    try {
      return await withAttempts(this.options.limits, isPassing, async (remainingMs) => {
        const { data } = envelope.parse(await this.exchange(method, path, body, remainingMs));
        return schema.parse(data);
      });
    } catch (error) {
      throw problemOf(error);
    }
  }

  private async exchange(
    method: 'GET' | 'POST',
    path: string,
    body: object | undefined,
    deadlineMs: number,
  ): Promise<unknown> {
    const { address, namespace, outbound } = this.options;
    const response = await guardedFetch({
      ...outbound,
      url: `${address.replace(/\/+$/, '')}/v1/${path}`,
      method,
      headers: {
        'x-vault-token': this.token(),
        'x-vault-request': 'true',
        ...(namespace !== undefined && { 'x-vault-namespace': namespace }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      maxResponseBytes: MAX_RESPONSE_BYTES,
      deadlineMs,
    });
    if (response.status !== 200) {
      response.discard();
      throw new VaultStatusError(response.status);
    }
    return JSON.parse((await readBody(response.body)).toString('utf8')) as unknown;
  }

  private token(): string {
    let text: string | undefined;
    try {
      text = readSecretFile(this.options.tokenFile)?.trim();
    } catch (cause) {
      throw signerUnavailable(
        'The token file for Vault can be read by others. Replace the token, set mode 0600.',
        cause,
      );
    }
    if (text === undefined || !/^[\x21-\x7e]{1,4096}$/.test(text))
      throw signerUnavailable('There is no token for Vault in COLOPHON_VAULT_TOKEN_FILE.');
    return text;
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof VaultStatusError) return PASSING_STATUSES.includes(error.status);
  return error instanceof OutboundError && ['upstream_error', 'upstream_timeout'].includes(error.code);
}

const STATUS_PROBLEMS: Readonly<Record<number, string>> = {
  400: 'Vault refuses to sign with this key or this version of it. Check its type and its minimum version.',
  403: 'Vault refuses. Renew the token; its policy must allow "update" on <mount>/sign/<key> and "read" on <mount>/keys/<key>.',
  404: 'There is no such key in Vault. Check the address of the key, its mount and the namespace.',
  429: 'Vault throttles. Wait, or raise the rate limit.',
  503: 'Vault is sealed or under maintenance. Unseal it; what waits for a signature is held until then.',
};

function problemOf(error: unknown): Error {
  if (error instanceof VaultStatusError) {
    const known = STATUS_PROBLEMS[error.status];
    return signerUnavailable(
      known ?? 'Vault failed. What waits for a signature is held until it works.',
      error,
    );
  }
  if (error instanceof z.ZodError || error instanceof SyntaxError)
    return signerUnavailable('Vault answered with something that is no answer of the transit engine.', error);
  if (error instanceof OutboundError)
    return signerUnavailable(
      'Vault does not answer. What waits for a signature is held until it does.',
      error,
    );
  return error instanceof Error ? error : new Error(String(error));
}
