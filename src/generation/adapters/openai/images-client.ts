import { readFile } from 'node:fs/promises';
import OpenAI from 'openai';
import { type OutboundPolicy } from '../../../outbound/guarded-fetch.js';
import { type ProviderInput } from '../../domain/provider.port.js';
import { type CallLimits, sendOne, type VendorAnswer } from '../vendor/send-one.js';

export interface ImagesConnection {
  readonly vendor: string;
  readonly apiKey: string;
  readonly outbound: OutboundPolicy;
  /** With the version, e.g. `https://api.openai.com/v1`. */
  readonly baseUrl: string;
}

/** One request through the official client, which reads nothing from the environment and repeats nothing. */
export function askImages(
  connection: ImagesConnection,
  limits: CallLimits,
  send: (client: OpenAI) => Promise<unknown>,
): Promise<VendorAnswer> {
  return sendOne(connection.vendor, connection.outbound, limits, (fetchOnce) =>
    send(
      new OpenAI({
        apiKey: connection.apiKey,
        baseURL: connection.baseUrl,
        organization: null,
        project: null,
        webhookSecret: null,
        maxRetries: 0,
        // The deadline of the guarded fetch governs.
        timeout: limits.deadlineMs + 60_000,
        logLevel: 'off',
        fetch: fetchOnce,
      }),
    ),
  );
}

/** Input pictures as the files of a form, named by content hash: the name that a person gave stays here. */
export async function filesOf(inputs: readonly ProviderInput[]): Promise<File[]> {
  return Promise.all(
    inputs.map(async ({ path, sha256, mediaType }) => {
      const extension = mediaType.split('/')[1] ?? 'bin';
      return new File([new Uint8Array(await readFile(path))], `${sha256}.${extension}`, { type: mediaType });
    }),
  );
}

/** `image`, and further pictures as `image_2`...; the mask by itself. */
export function picturesOf(inputs: Readonly<Record<string, ProviderInput>>): {
  readonly images: ProviderInput[];
  readonly mask: ProviderInput | undefined;
} {
  const names = Object.keys(inputs).filter((name) => name !== 'mask');
  const ordered = names.sort((a, b) => (a === 'image' ? -1 : b === 'image' ? 1 : a.localeCompare(b, 'en')));
  return { images: ordered.flatMap((name) => inputs[name] ?? []), mask: inputs.mask };
}
