import { z } from 'zod';
import { invalidRequest, parseWith } from '../../../../http/validation.js';
import { ColophonError } from '../../../../shared/errors.js';
import { type Literal } from '../../../domain/pipeline-definition.js';
import { type FormParts } from '../../../../http/form-parts.js';
import { type SentFile } from '../../domain/gateway-call.js';

/** More make more steps than one person looks at; OpenAI takes no more either. */
export const MAX_PICTURES_MADE = 10;
/** A step takes no more. */
export const MAX_PICTURES_SENT = 8;

/** NUL and unpaired surrogates have no canonical bytes. Everything else in a prompt is data. */
const prompt = z
  .string()
  .min(1)
  .max(32_000)
  .refine((text) => !/[\0\p{Cs}]/u.test(text), 'must not hold NUL or unpaired surrogates');

const common = {
  model: z.string().min(1).max(120),
  prompt,
  n: z.int().min(1).max(MAX_PICTURES_MADE).default(1),
  size: z
    .string()
    .regex(/^(?:auto|\d{2,4}x\d{2,4})$/)
    .optional(),
  quality: z.enum(['auto', 'low', 'medium', 'high', 'xhigh', 'max']).optional(),
  background: z.enum(['auto', 'transparent', 'opaque']).optional(),
  output_format: z.enum(['png', 'jpeg', 'webp']).optional(),
  output_compression: z.int().min(0).max(100).optional(),
  response_format: z.enum(['b64_json', 'url']).default('b64_json'),
  stream: z.boolean().default(false),
  partial_images: z.int().min(0).max(3).optional(),
  user: z.string().max(1000).optional(),
  safety_identifier: z.string().max(1000).optional(),
};
const generateSchema = z.strictObject({ ...common, moderation: z.enum(['auto', 'low']).optional() });
const editSchema = z.strictObject({ ...common, input_fidelity: z.enum(['low', 'high']).optional() });

/** Parameters that OpenAI has and that are refused, with the reason. */
const REFUSED: Readonly<Record<string, string>> = {
  style: 'belongs to models that OpenAI has retired',
  complexity: 'belongs to drawings (SVG), which are not signed as results of a step',
  svg: 'belongs to drawings (SVG), which are not signed as results of a step',
  frame_count: 'belongs to moving pictures, which steps do not make here',
  frame_duration_ms: 'belongs to moving pictures, which steps do not make here',
  markup: 'is not passed on: send the picture with the marks in it',
};
/** Taken, because client code sends them everywhere, and kept here: they name end users, or ask for what is unsigned. */
const KEPT_HERE = ['user', 'safety_identifier', 'partial_images'] as const;

/** Passed on in the words of the provider `openai`. */
const PASSED_ON = [
  'prompt',
  'size',
  'quality',
  'background',
  'output_format',
  'output_compression',
  'moderation',
  'input_fidelity',
] as const;

/** A call of the Images API, judged. */
export interface ImagesCall {
  readonly model: string;
  readonly count: number;
  readonly parameters: Readonly<Record<string, Literal>>;
  readonly sandboxParameters: Readonly<Record<string, Literal>>;
  readonly responseFormat: 'b64_json' | 'url';
  readonly streams: boolean;
  readonly ignored: readonly string[];
}

/** @throws ColophonError `invalid_request`, `gateway_unsupported` */
export function readGenerate(body: unknown): ImagesCall {
  return callOf(parseWith(generateSchema, known(body)));
}

/** @throws ColophonError `invalid_request`, `gateway_unsupported` */
export function readEdit({ fields }: FormParts): ImagesCall {
  return callOf(parseWith(editSchema, typedFields(known({ ...fields }))));
}

/**
 * `image` and `image[]` in their order, and `mask`, by the names under which the provider takes them.
 * @throws ColophonError `invalid_request`
 */
export function picturesOf({ files }: FormParts): Record<string, SentFile> {
  const pictures: Record<string, SentFile> = {};
  let images = 0;
  for (const { name, ...picture } of files) {
    if (name === 'image' || name === 'image[]') {
      images += 1;
      pictures[images === 1 ? 'image' : `image_${images}`] = picture;
    } else if (name === 'mask' && pictures.mask === undefined) {
      pictures.mask = picture;
    } else {
      throw invalidRequest([{ path: name.slice(0, 40), message: 'is not a file that this route takes' }]);
    }
  }
  if (images === 0) throw invalidRequest([{ path: 'image', message: 'is missing' }]);
  return pictures;
}

/** Null is how this SDK says nothing. What is known and refused says why. */
function known(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalidRequest([{ path: '', message: 'must be an object' }]);
  const given = Object.entries(body as Record<string, unknown>).filter(([, value]) => value !== null);
  const refused = given.find(([name]) => Object.hasOwn(REFUSED, name.replace(/\[.*/s, '')));
  if (refused) {
    const name = refused[0].replace(/\[.*/s, '');
    throw new ColophonError('gateway_unsupported', `${name}: ${REFUSED[name]}.`, {
      extensions: { errors: [{ path: name, message: REFUSED[name] }] },
    });
  }
  return Object.fromEntries(given);
}

/** A form knows text alone. What is not a number or truth value stays text, and is refused as such. */
function typedFields(fields: Record<string, unknown>): Record<string, unknown> {
  const typed = { ...fields };
  for (const name of ['n', 'output_compression', 'partial_images']) {
    const value = typed[name];
    if (typeof value === 'string' && /^\d{1,4}$/.test(value)) typed[name] = Number(value);
  }
  if (typed.stream === 'true' || typed.stream === 'false') typed.stream = typed.stream === 'true';
  return typed;
}

function callOf(body: z.output<typeof generateSchema> | z.output<typeof editSchema>): ImagesCall {
  const { model, n: count, response_format: responseFormat, stream: streams, size } = body;
  if (streams && count > 1)
    throw new ColophonError('gateway_unsupported', 'n: a stream gives one picture. Ask without "stream".');
  if (streams && responseFormat === 'url')
    throw new ColophonError('gateway_unsupported', 'response_format: a stream gives pictures in base64.');
  const values: Readonly<Record<string, unknown>> = body;
  return {
    model,
    count,
    parameters: Object.fromEntries(
      PASSED_ON.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name] as Literal]])),
    ),
    sandboxParameters: {
      prompt: body.prompt,
      ...sandboxSize(size),
      ...(body.output_format === undefined ? {} : { output_format: body.output_format }),
    },
    responseFormat,
    streams,
    ignored: KEPT_HERE.filter((name) => values[name] !== undefined),
  };
}

/** The sandbox draws sides of 256 to 2048 pixels. */
function sandboxSize(size: string | undefined): Record<string, number> {
  const [width, height] = /^\d+x\d+$/.test(size ?? '') ? (size ?? '').split('x').map(Number) : [];
  if (width === undefined || height === undefined) return {};
  const within = (side: number) => Math.min(2048, Math.max(256, side));
  return { width: within(width), height: within(height) };
}
