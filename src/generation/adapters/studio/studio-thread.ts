import { ColophonError, type ErrorCode } from '../../../shared/errors.js';
import { STUDIO_OPERATIONS, type StudioOperationName } from './studio-operations.js';

/** What a thread of the studio is asked. */
export interface StudioJob {
  readonly operation: StudioOperationName;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly image: Uint8Array | undefined;
}

/** A refusal is an answer, because the class of an error does not survive the way between threads. */
export type StudioAnswer =
  | { readonly bytes: Uint8Array }
  | { readonly refused: { readonly code: ErrorCode; readonly message: string } };

/** Entry point of a worker thread: pixels are counted here, so that the server goes on answering meanwhile. */
export default async function work({ operation, parameters, image }: StudioJob): Promise<StudioAnswer> {
  try {
    const { bytes } = await STUDIO_OPERATIONS[operation].run(
      parameters,
      image ? Buffer.from(image) : undefined,
    );
    return { bytes };
  } catch (error) {
    if (!(error instanceof ColophonError)) throw error;
    return { refused: { code: error.code, message: error.message } };
  }
}
