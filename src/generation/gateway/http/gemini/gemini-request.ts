import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { type AssetStore } from '../../../../assets/domain/asset-store.port.js';
import { invalidRequest, parseWith } from '../../../../http/validation.js';
import { decodeBase64, sha256Hex } from '../../../../shared/bytes.js';
import { ColophonError } from '../../../../shared/errors.js';
import { type Literal } from '../../../domain/pipeline-definition.js';
import { type SentFile } from '../../domain/gateway-call.js';

/** Google takes requests of 20 MB, pictures in them. */
export const MAX_REQUEST_BYTES = 20 * 1024 * 1024;
const MAX_PICTURES = 8;
const MAX_PARTS = 32;

const text = z
  .string()
  .max(32_000)
  .refine((value) => !/[\0\p{Cs}]/u.test(value), 'must not hold NUL or unpaired surrogates');
const inlineData = z.strictObject({
  // What the bytes are is found out by looking at them.
  mimeType: z.string().max(200).optional(),
  displayName: z.string().max(500).optional(),
  data: z.string().min(4),
});
const part = z.union([z.strictObject({ text }), z.strictObject({ inlineData })]);
const content = z.strictObject({
  role: z.enum(['user', 'model']).optional(),
  parts: z.array(part).min(1).max(MAX_PARTS),
});
const generationConfig = z.strictObject({
  responseModalities: z
    .array(z.string().regex(/^(?:text|image)$/i, 'only TEXT and IMAGE'))
    .max(4)
    .optional(),
  imageConfig: z
    .strictObject({
      aspectRatio: z
        .string()
        .regex(/^[1-9]\d?:[1-9]\d?$/)
        .optional(),
      imageSize: z.enum(['512', '1K', '2K', '4K']).optional(),
    })
    .optional(),
  seed: z.int().min(0).max(2_147_483_647).optional(),
  candidateCount: z.literal(1).optional(),
});
const bodySchema = z.strictObject({
  contents: z.array(content).min(1).max(64),
  generationConfig: generationConfig.optional(),
});

const NOT_PASSED_ON = 'is not passed on: leave it out';
/** What Google has beside this, with the reason why it is refused. */
const REFUSED: Readonly<Record<string, string>> = {
  systemInstruction: 'is not passed on: put the instruction into the prompt, which is recorded',
  tools: 'would let the model fetch or run what was not cleared',
  toolConfig: 'would let the model fetch or run what was not cleared',
  cachedContent: 'holds inputs that were not cleared: send them with the call',
  safetySettings:
    'is not passed on: the safety features of the vendor stay as they are, as the facts of this use case say',
  labels: NOT_PASSED_ON,
};
const CONFIG = ['responseModalities', 'imageConfig', 'seed', 'candidateCount'];
const IMAGE_CONFIG = ['aspectRatio', 'imageSize'];

/** A call of `generateContent`, judged. */
export interface ContentCall {
  readonly operation: 'generate' | 'edit';
  readonly parameters: Readonly<Record<string, Literal>>;
  readonly sandboxParameters: Readonly<Record<string, Literal>>;
  /** Base64 that was sent, in its order. */
  readonly inlinePictures: readonly string[];
}

/** @throws ColophonError `invalid_request`, `gateway_unsupported` */
export function readContent(sent: unknown): ContentCall {
  const body = inCamelCase(sent);
  refuseUnsupported(body);
  const { contents, generationConfig: config = {} } = parseWith(bodySchema, body);
  if (contents.length > 1 || contents.some(({ role }) => role === 'model'))
    throw unsupported(
      'contents',
      'a conversation of several turns is not passed on. Send the picture to change and the instruction in one turn; a picture that was made here keeps its history',
    );
  const { responseModalities: modalities } = config;
  if (modalities !== undefined && !modalities.some((modality) => /^image$/i.test(modality)))
    throw unsupported(
      'generationConfig.responseModalities',
      'must hold IMAGE: pictures are made here, no text',
    );
  const parts = contents[0]?.parts ?? [];
  const prompt = promptOf(parts);
  const inlinePictures = parts.flatMap((one) => ('inlineData' in one ? [one.inlineData.data] : []));
  if (inlinePictures.length > MAX_PICTURES)
    throw invalidRequest([{ path: 'contents', message: `at most ${MAX_PICTURES} pictures` }]);
  const { aspectRatio, imageSize } = config.imageConfig ?? {};
  const wanted = {
    ...(aspectRatio === undefined ? {} : { aspectRatio }),
    ...(imageSize === undefined ? {} : { imageSize }),
    ...(config.seed === undefined ? {} : { seed: config.seed }),
  };
  return {
    operation: inlinePictures.length === 0 ? 'generate' : 'edit',
    parameters: { prompt, ...wanted },
    sandboxParameters: {
      prompt,
      ...sandboxSize(aspectRatio, imageSize),
      ...(config.seed === undefined ? {} : { seed: config.seed }),
    },
    inlinePictures,
  };
}

/**
 * Decodes what was sent into the store's staging area, for as long as `work` takes.
 * @throws ColophonError `invalid_request` for what is not base64
 */
export async function withInlinePictures<Result>(
  store: AssetStore,
  inlinePictures: readonly string[],
  work: (pictures: Record<string, SentFile>) => Promise<Result>,
): Promise<Result> {
  const pictures: Record<string, SentFile> = {};
  try {
    for (const [position, data] of inlinePictures.entries()) {
      const bytes = decodeBase64(data.replaceAll('-', '+').replaceAll('_', '/'));
      if (bytes === undefined)
        throw invalidRequest([{ path: 'contents.parts.inlineData.data', message: 'is not padded base64' }]);
      const stagedPath = await store.stage();
      const name = position === 0 ? 'image' : `image_${position + 1}`;
      pictures[name] = { stagedPath, sha256: sha256Hex(bytes), fileName: undefined };
      await writeFile(stagedPath, bytes, { mode: 0o600 });
    }
    return await work(pictures);
  } finally {
    for (const { stagedPath } of Object.values(pictures)) await store.discard(stagedPath);
  }
}

/** As deep as a name that is known can lie: contents, their parts, `inlineData`, its members. */
const MAX_NAMED_DEPTH = 6;

/** Google takes both spellings of a name (JSON of protocol buffers), and its Python SDK sends `mime_type`. */
function inCamelCase(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > MAX_NAMED_DEPTH) return value;
  if (Array.isArray(value)) return value.map((item) => inCamelCase(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      inCamelCase(member, depth + 1),
    ]),
  );
}

/** What Google knows and the gateway does not pass on is named with its reason, before anything else is judged. */
function refuseUnsupported(body: unknown): void {
  const top = recordOf(body);
  for (const [name, reason] of Object.entries(REFUSED))
    if (top[name] !== undefined) throw unsupported(name, reason);
  const config = recordOf(top.generationConfig);
  const other = Object.keys(config).find((name) => !CONFIG.includes(name));
  if (other !== undefined) throw unsupported(`generationConfig.${wordOf(other)}`, NOT_PASSED_ON);
  const image = Object.keys(recordOf(config.imageConfig)).find((name) => !IMAGE_CONFIG.includes(name));
  if (image !== undefined) throw unsupported(`generationConfig.imageConfig.${wordOf(image)}`, NOT_PASSED_ON);
  const contents: unknown[] = Array.isArray(top.contents) ? top.contents : [];
  const parts = contents.flatMap((one) => {
    const list = recordOf(one).parts;
    return Array.isArray(list) ? (list as unknown[]) : [];
  });
  if (parts.some((one) => recordOf(one).fileData !== undefined))
    throw unsupported(
      'contents.parts.fileData',
      'names a file that lies elsewhere and was not cleared: send it as inlineData',
    );
}

/** Texts that stand next to each other are one prompt. Between pictures they would mean the picture that they follow. */
function promptOf(parts: readonly z.output<typeof part>[]): string {
  const isText = parts.map((one) => 'text' in one);
  const [first, last] = [isText.indexOf(true), isText.lastIndexOf(true)];
  if (first === -1) throw invalidRequest([{ path: 'contents', message: 'a text is required' }]);
  if (isText.slice(first, last + 1).includes(false))
    throw unsupported(
      'contents',
      'texts between pictures are not passed on: pictures go first, then one prompt',
    );
  const prompt = parts.flatMap((one) => ('text' in one ? [one.text] : [])).join('\n');
  if (prompt.length === 0 || prompt.length > 32_000)
    throw invalidRequest([{ path: 'contents', message: 'the text must have 1 to 32,000 characters' }]);
  return prompt;
}

const SIDES: Readonly<Record<string, number>> = { '512': 512, '1K': 1024, '2K': 2048, '4K': 2048 };

/** The sandbox draws sides of 256 to 2048 pixels. */
function sandboxSize(aspectRatio = '1:1', imageSize = '1K'): Record<string, number> {
  const [wide = 1, high = 1] = aspectRatio.split(':').map(Number);
  const side = SIDES[imageSize] ?? 1024;
  const within = (pixels: number) => Math.min(2048, Math.max(256, Math.round(pixels)));
  const factor = Math.sqrt(wide / high);
  return { width: within(side * factor), height: within(side / factor) };
}

function unsupported(path: string, reason: string): ColophonError {
  return new ColophonError('gateway_unsupported', `${path}: ${reason}.`, {
    extensions: { errors: [{ path, message: reason }] },
  });
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

/** A name that a stranger chose, as far as it can stand in a message. */
function wordOf(name: string): string {
  return /^[A-Za-z0-9_]{1,40}$/.test(name) ? name : '(a parameter)';
}
