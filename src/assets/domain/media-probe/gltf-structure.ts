import { z } from 'zod';
import { MAX_TEXT_BYTES } from '../../../provenance/domain/detect-media-type.js';
import { ColophonError } from '../../../shared/errors.js';
import { type ByteCursor, damaged, trailingData, truncated } from './byte-source.js';
import { view } from './iso-boxes.js';
import { type MediaShape } from './media-probe.port.js';

const JSON_CHUNK = 0x4e4f534a;
const BINARY_CHUNK = 0x004e4942;
const MAX_PARTS = 1_000_000;
const INNER_DATA = /^data:[\w.+/-]{1,100};base64,/;

const resource = z.looseObject({ uri: z.string().optional() });
/** Only what is checked; glTF 2.0 sections 3.6 and 5. */
const documentSchema = z.looseObject({
  asset: z.looseObject({ version: z.string() }),
  buffers: z
    .array(resource.extend({ byteLength: z.int().positive() }))
    .max(MAX_PARTS)
    .default([]),
  bufferViews: z
    .array(
      z.looseObject({
        buffer: z.int().nonnegative(),
        byteOffset: z.int().nonnegative().default(0),
        byteLength: z.int().positive(),
      }),
    )
    .max(MAX_PARTS)
    .default([]),
  images: z.array(resource).max(MAX_PARTS).default([]),
  nodes: z.array(z.looseObject({})).max(MAX_PARTS).default([]),
  accessors: z.array(z.looseObject({})).max(MAX_PARTS).default([]),
});

/** glTF as JSON: whole only if its data is inside of it. */
export async function checkGltf(cursor: ByteCursor, sizeBytes: number): Promise<MediaShape> {
  checkDocument(await cursor.take(sizeBytes), undefined);
  return { kind: 'model3d' };
}

/** GLB (glTF 2.0 section 4): header with the length of the file, a chunk of JSON, at most one of binary data. */
export async function checkGlb(cursor: ByteCursor, sizeBytes: number): Promise<MediaShape> {
  const header = view((await cursor.take(12)).slice());
  const declared = header.getUint32(8, true);
  if (header.getUint32(4, true) !== 2)
    throw new ColophonError('unsupported_media', 'Only GLB of version 2 is accepted.');
  if (declared > sizeBytes) throw truncated();
  if (declared < sizeBytes) throw trailingData();
  const description = await chunkAt(cursor, JSON_CHUNK);
  if (description > MAX_TEXT_BYTES)
    throw new ColophonError('media_too_large', 'The description of the model is too long.');
  const bytes = (await cursor.take(description)).slice();
  let binaryBytes: number | undefined;
  if (cursor.remaining > 0) {
    binaryBytes = await chunkAt(cursor, BINARY_CHUNK);
    cursor.skip(binaryBytes);
  }
  if (cursor.remaining > 0) throw damaged('The GLB has a chunk of an unknown kind.');
  checkDocument(bytes, binaryBytes);
  return { kind: 'model3d' };
}

/** @returns the length of the chunk that begins here and must be of this kind */
async function chunkAt(cursor: ByteCursor, kind: number): Promise<number> {
  const head = view((await cursor.take(8)).slice());
  const length = head.getUint32(0, true);
  if (head.getUint32(4, true) !== kind || length % 4 !== 0) throw damaged('A chunk of the GLB is damaged.');
  if (length > cursor.remaining) throw truncated();
  return length;
}

function checkDocument(bytes: Uint8Array, binaryBytes: number | undefined): void {
  const document = parse(bytes);
  if (!/^2\./.test(document.asset.version)) {
    throw new ColophonError('unsupported_media', 'Only glTF of version 2 is accepted.');
  }
  const { buffers, bufferViews, images } = document;
  for (const { uri } of [...buffers, ...images]) {
    if (uri !== undefined && !INNER_DATA.test(uri)) {
      throw new ColophonError(
        'media_not_allowed',
        'The model takes data from other files. Export it as one file (GLB).',
      );
    }
  }
  const [first] = buffers;
  const needsBinary = first !== undefined && first.uri === undefined;
  if (needsBinary && first.byteLength > (binaryBytes ?? 0))
    throw damaged('The data of the model is missing or too short.');
  if (buffers.slice(1).some(({ uri }) => uri === undefined))
    throw damaged('The data of the model is missing.');
  for (const { buffer, byteOffset, byteLength } of bufferViews) {
    if (byteOffset + byteLength > (buffers[buffer]?.byteLength ?? 0))
      throw damaged('A part of the model lies outside of its data.');
  }
}

function parse(bytes: Uint8Array): z.infer<typeof documentSchema> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw damaged('The description of the model is not JSON.');
  }
  const parsed = documentSchema.safeParse(value);
  if (!parsed.success) throw damaged('The description of the model has an unexpected form.');
  return parsed.data;
}
