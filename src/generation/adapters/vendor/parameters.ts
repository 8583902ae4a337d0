import { hiddenFileIn } from '../../domain/hidden-files.js';
import { type MediaKind, named } from '../../domain/media-kind.js';
import { countProblem } from './count-problem.js';
import { parameterOfInput } from './listed-inputs.js';

const MAX_INPUT_CHARACTERS = 256 * 1024;
const MAX_DEPTH = 8;
const MAX_INPUTS = 16;
const NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
/**
 * Parameters that choose weights: `rembg` with the model `bria-rmbg` is not what was cleared as `rembg`. Which weights run,
 * the listing says.
 */
const CHOOSES_WEIGHTS =
  /lora|checkpoint|ckpt|safetensors|(?:^|_)weights|embedding|textual_inversion|controlnet|ip_?adapter|^(?:vae|unet|refiner)(?:_|$)|(?:^|_)model(?:s|_?(?:name|id|path|type|version|variant|repo|file|url))?$/i;
/**
 * Parameters that name something which lies with the vendor: a style or character that was trained on pictures
 * (`style_id` of Recraft), a cloned voice, an adapter, an earlier file. Stock voices have ids of the same form, so nobody
 * here can tell: unknown is not yes.
 */
const NAMES_STORED = [
  /(?:^|_)(?:uu)?ids?$/,
  /(?:style|voice|character|avatar|reference|finetune|speaker)ids?$/,
  /(?:^|_)(?:style|character|subject|face|identity|voice|speaker|image)_?ref(?:erence)?s?$/,
  /^(?:custom|cloned|trained)_?(?:style|voice|character|model)s?$/,
  /adapters?$|(?:^|_)easycontrols?$|hyper_?networks?$|(?:^|_)avatars?$|dream_?booth|civitai|hugging_?face/,
  /fine_?tuned?(?:_?(?:name|model|version))?$|(?:^|_)(?:hf_?)?repo(?:sitory)?$/,
];
/** Ids of who asks and of the question itself. */
const NAMES_ASKER = /^(?:(?:end_?)?user|(?:client_?)?request|trace|language)_?id$/;

/**
 * What is wrong with the literal parameters of a step, in words for people, or `undefined`.
 *
 * Addresses and files are refused wherever they stand, except in parameters for words: the vendor would fetch a picture
 * or a LoRA behind them, and what went into the work would neither be cleared nor recorded. Files come as inputs of the
 * step instead. More than one file is refused too.
 */
export function parameterProblem(parameters: Readonly<Record<string, unknown>>): string | undefined {
  const problem = problemIn(parameters, '', 0);
  if (problem !== undefined) return problem;
  return JSON.stringify(parameters).length > MAX_INPUT_CHARACTERS
    ? 'the parameters are too large'
    : undefined;
}

/** What is wrong with the names under which files join the parameters, or with their kinds, or `undefined`. */
export function inputProblem(
  parameters: Readonly<Record<string, unknown>>,
  inputs: Readonly<Record<string, { readonly kind: MediaKind }>>,
  kinds: readonly MediaKind[],
): string | undefined {
  const names = Object.keys(inputs);
  if (names.length > MAX_INPUTS) return `more than ${MAX_INPUTS} input files`;
  if (!names.every((name) => NAME.test(name)))
    return 'an input file has a name that the provider cannot take';
  const twice = names.find(
    (name) => Object.hasOwn(parameters, parameterOfInput(name)) || isAlsoAList(name, names),
  );
  if (twice !== undefined) return `${twice} is given twice, as a parameter and as a file`;
  const unfit = Object.entries(inputs).find(([, { kind }]) => !kinds.includes(kind));
  return unfit && `${unfit[0]} is ${named(unfit[1].kind)}, which this endpoint does not take`;
}

/** `image_urls` alone beside `image_urls__1`. */
function isAlsoAList(name: string, names: readonly string[]): boolean {
  return names.some((other) => other !== name && parameterOfInput(other) === name);
}

function problemIn(value: unknown, name: string, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return 'the parameters are nested too deeply';
  const count = countProblem(name, value);
  if (count !== undefined) return count;
  switch (typeof value) {
    case 'string':
      return textProblem(name, value);
    case 'number':
      return Number.isFinite(value) ? undefined : 'a parameter is not a finite number';
    case 'boolean':
    case 'undefined':
      return undefined;
    case 'object':
      return value === null ? undefined : problemInChildren(value, name, depth);
    case 'bigint':
    case 'symbol':
    case 'function':
      return 'a parameter is not a JSON value';
  }
}

function problemInChildren(value: object, name: string, depth: number): string | undefined {
  for (const [key, child] of Object.entries(value)) {
    if (!Array.isArray(value) && CHOOSES_WEIGHTS.test(key)) return weightsProblem(key);
    if (!Array.isArray(value) && namesStored(key)) return storedProblem(key);
    const problem = problemIn(child, Array.isArray(value) ? name : key, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function namesStored(name: string): boolean {
  const plain = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  return NAMES_STORED.some((pattern) => pattern.test(plain)) && !NAMES_ASKER.test(plain);
}

function storedProblem(name: string): string {
  const shown = /^[A-Za-z0-9_]{1,64}$/.test(name) ? name : 'a parameter';
  return `${shown} names something that lies with the vendor, such as a trained style, a voice or an earlier file, which was neither cleared nor recorded: choose a listing that is made with it, or give files as inputs`;
}

function weightsProblem(name: string): string {
  const shown = /^[A-Za-z0-9_]{1,64}$/.test(name) ? name : 'a parameter';
  return `${shown} chooses weights that were not cleared: the model listing says what runs`;
}

function textProblem(name: string, text: string): string | undefined {
  const hidden = hiddenFileIn(name, text);
  if (hidden === undefined) return undefined;
  const shown = /^[A-Za-z0-9_]{1,64}$/.test(name) ? name : 'a parameter';
  const what = hidden === 'file' ? 'a file in base64' : 'an address';
  return `${shown} holds ${what}: give files as inputs of the step, so that they are recorded`;
}
