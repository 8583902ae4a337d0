import { type Readable } from 'node:stream';

/** A piece of an answer: text, or a file in base64, by its position among the files of the run. */
export type BodyPart = string | { readonly base64Of: number };

/** What a protocol makes of a finished run. */
export interface AnswerBody {
  readonly contentType: string;
  readonly parts: readonly BodyPart[];
}

/** Bytes of the whole answer. */
export function lengthOf(parts: readonly BodyPart[], sizesBytes: readonly number[]): number {
  return parts.reduce<number>((sum, part) => {
    if (typeof part === 'string') return sum + Buffer.byteLength(part, 'utf8');
    return sum + Math.ceil((sizesBytes[part.base64Of] ?? 0) / 3) * 4;
  }, 0);
}

/** The answer piece by piece: files are never in memory whole. */
export async function* bytesOf(
  parts: readonly BodyPart[],
  files: readonly (Readable | undefined)[],
): AsyncGenerator<Buffer> {
  for (const part of parts) {
    if (typeof part === 'string') yield Buffer.from(part, 'utf8');
    else yield* inBase64(files[part.base64Of]);
  }
}

/** Three bytes make four characters (RFC 4648 section 4), so what is left of a piece waits for the next one. */
async function* inBase64(file: Readable | undefined): AsyncGenerator<Buffer> {
  if (file === undefined) throw new Error('an answer names a file that was not opened');
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of file as AsyncIterable<Buffer>) {
    const bytes = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.byteLength - (bytes.byteLength % 3);
    rest = bytes.subarray(whole);
    if (whole > 0) yield Buffer.from(bytes.subarray(0, whole).toString('base64'), 'latin1');
  }
  if (rest.byteLength > 0) yield Buffer.from(rest.toString('base64'), 'latin1');
}

/** Does something before the last piece leaves. */
export async function* beforeLast(
  pieces: AsyncIterable<Buffer>,
  action: () => Promise<void>,
): AsyncGenerator<Buffer> {
  let held: Buffer | undefined;
  for await (const piece of pieces) {
    if (held !== undefined) yield held;
    held = piece;
  }
  await action();
  if (held !== undefined) yield held;
}
