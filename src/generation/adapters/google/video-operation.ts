import { z } from 'zod';
import { type CompletedStep, type FailedStep, type RunningStep } from '../../domain/provider.port.js';
import { claims, toOutput, UnusableResultError } from '../vendor/outputs.js';
import { failed } from '../vendor/refusal.js';
import { baseUrlOf, type GoogleConnection } from './google-connection.js';

const OPERATION = /^models\/([a-z0-9.-]{1,80})\/operations\/([A-Za-z0-9_-]{1,128})$/;

/** The last part of an operation's name; the model before it is the step's endpoint. `undefined` for another one. */
export function operationIdOf(name: string, model: string): string | undefined {
  const [, namedModel, id] = OPERATION.exec(name) ?? [];
  return namedModel === model ? id : undefined;
}

export function operationName(model: string, id: string): string {
  const name = `models/${model}/operations/${id}`;
  if (!OPERATION.test(name)) throw new TypeError('not an operation of google');
  return name;
}

/** A long-running operation as the client presents it. */
export const VideoOperation = z.object({
  name: z.string().max(256),
  done: z.boolean().optional(),
  error: z.object({ code: z.number().optional(), status: z.unknown().optional() }).nullish(),
  response: z
    .object({
      generatedVideos: z
        .array(z.object({ video: z.object({ uri: z.string().max(8192).optional() }).optional() }))
        .max(16)
        .optional(),
      raiMediaFilteredCount: z.number().optional().catch(undefined),
    })
    .nullish(),
});
export type VideoOperation = z.output<typeof VideoOperation>;

/** What an operation says of its step. Google bills finished videos only. */
export function videoOutcome(
  operation: VideoOperation,
  connection: GoogleConnection,
): CompletedStep | RunningStep | FailedStep {
  if (operation.error !== undefined && operation.error !== null)
    return failed('upstream_error', `the video failed on google (code ${operation.error.code ?? 'unknown'})`);
  if (operation.done !== true) return { kind: 'running', progress: undefined };
  const uri = operation.response?.generatedVideos?.[0]?.video?.uri;
  if (uri === undefined) {
    return (operation.response?.raiMediaFilteredCount ?? 0) > 0
      ? failed('upstream_error', 'google filtered the video')
      : failed('upstream_invalid', 'the answer holds no video');
  }
  try {
    return {
      kind: 'completed',
      outputs: [fileOf(uri, connection)],
      usage: undefined,
      claims: claims({ operation: operation.name.split('/').at(-1) }),
    };
  } catch (error) {
    if (error instanceof UnusableResultError) return failed('upstream_invalid', error.message);
    throw error;
  }
}

/** The file is fetched with the key, so its address must be Google's own: the key goes nowhere else. */
function fileOf(uri: string, connection: GoogleConnection) {
  const output = toOutput(uri, connection.outbound.allowedPrivateHosts ?? []);
  if (output.kind !== 'url' || new URL(output.url).origin !== new URL(baseUrlOf(connection)).origin)
    throw new UnusableResultError('the answer names a file that is not on the host of google');
  return { ...output, headers: { 'x-goog-api-key': connection.apiKey } };
}
