import { ColophonError } from '../../../shared/errors.js';
import { type RunValue } from '../../domain/definition-words.js';
import { hiddenFileIn, isForWords } from '../../domain/hidden-files.js';

/** The input of a job on fal or Replicate, judged: values, and files by the names under which the provider takes them. */
export interface JobInput {
  readonly values: Readonly<Record<string, RunValue>>;
  /** An address, or a data URI. Members of a list are named `<parameter>__<position>`, from 1. */
  readonly files: Readonly<Record<string, string>>;
}

const NAME = /^[a-zA-Z][a-zA-Z0-9_]{0,37}$/;
const UNSTORABLE = /[\0\p{Cs}]/u;
const FILE = /^\s*(?:https?:\/\/|data:)/i;
const MAX_PARAMETERS = 40;
const MAX_TEXT = 32_000;
const MAX_LIST = 20;
const MAX_MEMBERS = 20;
const MAX_DEPTH = 4;
export const MAX_FILES = 8;

/**
 * Which parameters a model has is the vendor's matter; what a parameter may hold is ours: nothing that would be fetched
 * elsewhere, and nothing that could not be read by the policies and sealed as a whole.
 * @throws ColophonError `invalid_request`, `gateway_unsupported`
 */
export function readJobInput(input: unknown): JobInput {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw invalid('', 'must be an object');
  const given = Object.entries(input).filter(([, value]) => value !== null && value !== undefined);
  if (given.length > MAX_PARAMETERS) throw invalid('', `at most ${MAX_PARAMETERS} parameters`);
  const values: Record<string, RunValue> = {};
  const files: Record<string, string> = {};
  for (const [name, value] of given as [string, unknown][]) {
    if (!NAME.test(name) || name.includes('__'))
      throw invalid('', 'a parameter has a name that is not taken');
    const found = filesIn(name, value);
    if (found.length === 0) values[name] = valueOf({ name, path: name, depth: 0 }, value);
    for (const [fileName, file] of found) files[fileName] = file;
  }
  if (Object.keys(files).length > MAX_FILES) throw invalid('', `at most ${MAX_FILES} files`);
  return { values, files };
}

/** Whether a text names a file, wherever it lies. */
function isFile(name: string, value: unknown): value is string {
  return typeof value === 'string' && !isForWords(name) && FILE.test(value);
}

function filesIn(name: string, value: unknown): [string, string][] {
  if (isFile(name, value)) return [[name, value.trim()]];
  if (!Array.isArray(value) || !value.some((item) => isFile(name, item))) return [];
  return value.map((item: unknown, index) => {
    if (!isFile(name, item)) throw unsupported(`${name}.${index}`, 'a list holds files, or none');
    return [`${name}__${index + 1}`, item.trim()];
  });
}

/** Where a value stands in the input. */
interface ValuePlace {
  /** Of the nearest parameter or member; items of a list are read by the name of the list. */
  readonly name: string;
  /** From the top: `image.url`, `points.0.x`. */
  readonly path: string;
  readonly depth: number;
}

function valueOf(place: ValuePlace, value: unknown): RunValue {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'string') return textOf(place, value);
  if (typeof value === 'object' && value !== null) return membersOf(place, value);
  throw unsupported(place.path, 'empty values inside of lists and objects are not passed on');
}

function textOf({ name, path, depth }: ValuePlace, text: string): string {
  if (text.length > MAX_TEXT || UNSTORABLE.test(text))
    throw invalid(path, `must have at most ${MAX_TEXT} characters, without NUL or unpaired surrogates`);
  const hidden = hiddenFileIn(name, text);
  if (hidden === undefined) return text;
  if (depth > 0)
    throw unsupported(path, 'a file inside of an object is not taken: no input of a step could name it');
  throw unsupported(
    path,
    hidden === 'file'
      ? 'a file in base64 is taken as a data URI only (data:image/png;base64,...)'
      : 'an address is taken only where it is the whole value, beginning with https://, or an item of a list',
  );
}

/** Every text in it is read by the policies, and all of it is sealed; so it may be as deep as a step's input may. */
function membersOf({ name, path, depth }: ValuePlace, value: object): RunValue {
  if (depth === MAX_DEPTH) throw invalid(path, `at most ${MAX_DEPTH} levels of lists and objects`);
  const inside = (member: string, key: string | number): ValuePlace => ({
    name: member,
    path: `${path}.${key}`,
    depth: depth + 1,
  });
  if (Array.isArray(value)) {
    if (value.length > MAX_LIST) throw invalid(path, `at most ${MAX_LIST} items`);
    return value.map((item, index) => valueOf(inside(name, index), item));
  }
  const given = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  if (given.length > MAX_MEMBERS || !given.every(([key]) => NAME.test(key)))
    throw invalid(path, `at most ${MAX_MEMBERS} members, named with letters, digits and underscores`);
  return Object.fromEntries(given.map(([key, member]) => [key, valueOf(inside(key, key), member)]));
}

/** Within which sides the sandbox draws. */
const within = (pixels: number): number => Math.min(2048, Math.max(256, Math.round(pixels)));
const NAMED_SIZES: Readonly<Record<string, readonly [number, number]>> = {
  square_hd: [1024, 1024],
  square: [512, 512],
  portrait_4_3: [768, 1024],
  portrait_16_9: [576, 1024],
  landscape_4_3: [1024, 768],
  landscape_16_9: [1024, 576],
};

/** What the sandbox needs of it to give a file of the same shape and type. */
export function sandboxValuesOf(values: JobInput['values']): Record<string, RunValue> {
  const words = ['prompt', 'text', 'lyrics'].flatMap((name) => {
    const value = values[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  const { seed, output_format: format } = values;
  return {
    ...(words.length === 0 ? { prompt: '' } : Object.fromEntries(words)),
    ...sandboxSize(values),
    ...(format === undefined ? {} : { output_format: format }),
    ...(typeof seed === 'number' && Number.isInteger(seed) && seed >= 0 && seed <= 4_294_967_295
      ? { seed }
      : {}),
  };
}

function isNamed(value: RunValue | undefined): value is { readonly [name: string]: RunValue } {
  return typeof value === 'object' && !Array.isArray(value);
}

function sandboxSize({ image_size: size, width, height, aspect_ratio: ratio }: JobInput['values']) {
  const given = isNamed(size) ? size : { width, height };
  if (typeof given.width === 'number' && typeof given.height === 'number')
    return { width: within(given.width), height: within(given.height) };
  const named = typeof size === 'string' ? NAMED_SIZES[size] : undefined;
  if (named) return { width: named[0], height: named[1] };
  const [, wide, high] = /^([1-9]\d?):([1-9]\d?)$/.exec(typeof ratio === 'string' ? ratio : '') ?? [];
  if (wide === undefined || high === undefined) return {};
  const factor = Math.sqrt(Number(wide) / Number(high));
  return { width: within(1024 * factor), height: within(1024 / factor) };
}

export function unsupported(path: string, reason: string): ColophonError {
  const detail = path === '' ? reason : `${path}: ${reason}`;
  return new ColophonError('gateway_unsupported', `${detail}.`, {
    extensions: { errors: [{ path, message: reason }] },
  });
}

export function invalid(path: string, reason: string): ColophonError {
  return new ColophonError('invalid_request', `${path === '' ? 'The input' : path}: ${reason}`, {
    extensions: { errors: [{ path, message: reason }] },
  });
}
