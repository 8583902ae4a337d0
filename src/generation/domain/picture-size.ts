import { ColophonError } from '../../shared/errors.js';
import { isForWords } from './hidden-files.js';
import { wordsOf } from './name-words.js';
import { type PriceProblem, refuseWithoutPrice } from './price-problem.js';
import { type Work } from './work.js';

type Parameters = Readonly<Record<string, unknown>>;

const PIXELS_PER_MEGAPIXEL = 1_000_000;
/** What vendors make of one megapixel at most: 1024 x 1024. */
const PIXELS_OF_A_NAMED_MEGAPIXEL = 1_048_576;
const DEFAULT_SIDE_PIXELS = 1024;
/** No more could be taken in afterwards (see media-limits.ts), so no money is reserved for it. */
const MAX_MEGAPIXELS = 100;

/** Names that may say how large a picture is to be. */
const SIZES = setOf(
  `size sizes width height resolution megapixel megapixels mp dimension dimensions dim pixel pixels px side sides edge
   area upscale upscaled upscaling upscaler upsample upsampling superresolution scale scales scaling rescale zoom factor
   hr hires hd uhd expand outpaint padding pad left right top bottom multiplier`,
);
/** `guidance_scale`, `font_size`: with one of these words it is said of something else. */
const OF_SOMETHING_ELSE = setOf(
  `guidance cfg conditioning control strength prompt identity style lip font text tile kernel chunk window patch
   vocabulary buffer sampling`,
);
/** Of language models: how a word is chosen. */
const CHOOSES_WORDS = /^top_?[pk]$/i;
/** Texts that are sizes under any name: `4096x4096`, `4K`, `16 MP`, `2160p`. */
const SIZE_TEXT =
  /^\s*(?:\d{2,5}\s*[x×*]\s*\d{2,5}|\d{1,2}(?:\.\d+)?\s*(?:k|mp|mpx|megapixels?)|\d{3,4}p)\s*$/i;
/** fal's words for sizes, none of which is larger than the default. Others (`auto_4K`) are sizes that nobody here knows. */
const SIZE_WORDS: readonly unknown[] = [
  'square_hd',
  'square',
  'portrait_4_3',
  'portrait_16_9',
  'landscape_4_3',
  'landscape_16_9',
];

function setOf(words: string): ReadonlySet<string> {
  return new Set(words.split(/\s+/));
}

/**
 * How large the output can be, in whole megapixels, rounded up. Where the parameters do not say it, the output is as large
 * as what goes in, or as what vendors make by default: the larger one counts.
 * @throws ColophonError `price_unknown`; `invalid_request` beyond the limits
 */
export function megapixelsOf(parameters: Parameters, work: Work): number {
  const megapixels = inMegapixels(statedPixels(parameters, work) ?? pixelsOfWork(work));
  if (megapixels > MAX_MEGAPIXELS)
    throw new ColophonError('invalid_request', `A picture may have at most ${MAX_MEGAPIXELS} megapixels.`);
  return megapixels;
}

/** Of all pictures that go in, each rounded up by itself. */
export function inputMegapixelsOf({ inputs }: Work): number {
  return inputs
    .filter(({ media }) => media === 'image')
    .map(({ pixels }) => inMegapixels(pixels ?? refuseUnknownInput()))
    .reduce((sum, one) => sum + one, 0);
}

/**
 * What the parameters say of the size, or `undefined`. Where the size is stated in several ways, the vendor may go by any
 * of them: the largest counts. What may state a size and is not understood is refused: it could cost anything.
 * @throws ColophonError `price_unknown`, `invalid_request`
 */
export function statedPixels(parameters: Parameters, { inputs }: Work): number | undefined {
  const { width, height, image_size: imageSize, size, resolution, megapixels: number } = parameters;
  refuseWithoutPrice(otherSizes(parameters));
  if ((width === undefined) !== (height === undefined) && inputs.some(({ media }) => media === 'image'))
    throw new ColophonError(
      'price_unknown',
      'Give "width" and "height" both: the other one may follow the picture that goes in.',
    );
  const stated = [
    ...(width === undefined && height === undefined ? [] : [pixelsOf({ width, height })]),
    ...Object.entries({ image_size: imageSize, size, resolution }).flatMap(([name, value]) =>
      value === undefined ? [] : [pixelsNamed(name, value)],
    ),
    ...(number === undefined ? [] : [pixelsOfMegapixels('megapixels', number)]),
  ];
  return stated.length === 0 ? undefined : Math.max(...stated);
}

function pixelsOfWork({ operation, inputs }: Work): number {
  if (operation === 'upscale')
    throw new ColophonError(
      'price_unknown',
      'By how much an upscaler enlarges a picture is its own matter where no size is given. Give "width" and "height", in pixels, or record a price by the image.',
    );
  const pictures = inputs.filter(({ media }) => media === 'image');
  return Math.max(DEFAULT_SIDE_PIXELS ** 2, ...pictures.map(({ pixels }) => pixels ?? refuseUnknownInput()));
}

function refuseUnknownInput(): never {
  throw new ColophonError(
    'price_unknown',
    'How large a picture that goes in is, is not known, and the output may be as large. Give the size as "width" and "height", in pixels.',
  );
}

function inMegapixels(pixels: number): number {
  return Math.max(1, Math.ceil(pixels / PIXELS_PER_MEGAPIXEL));
}

/** `{width, height}`, `1024x1024`, `4 MP`, or a word of fal. */
function pixelsNamed(name: string, size: unknown): number {
  if (name === 'image_size' && SIZE_WORDS.includes(size)) return DEFAULT_SIDE_PIXELS ** 2;
  if (typeof size === 'object' && size !== null && !Array.isArray(size)) {
    const { width, height, ...others } = size as Parameters;
    if (Object.keys(others).length > 0) throw unknownSize(name);
    return pixelsOf({ width, height });
  }
  if (typeof size !== 'string') throw unknownSize(name);
  const [, wide, high] = /^\s*(\d{1,5})\s*[x×*]\s*(\d{1,5})\s*$/.exec(size) ?? [];
  if (wide !== undefined) return pixelsOf({ width: Number(wide), height: Number(high) });
  const [, number] = /^\s*(\d{1,2}(?:\.\d{1,4})?)\s*MP\s*$/i.exec(size) ?? [];
  if (number === undefined) throw unknownSize(name);
  return pixelsOfMegapixels(name, number);
}

function pixelsOfMegapixels(name: string, given: unknown): number {
  const number = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
  if (typeof number !== 'number' || !(number > 0) || !Number.isFinite(number)) throw unknownSize(name);
  return number * PIXELS_OF_A_NAMED_MEGAPIXEL;
}

function pixelsOf({ width, height }: Parameters): number {
  return sideOf('width', width) * sideOf('height', height);
}

/** A vendor reads "4096" as a number: what is no number here is refused, not taken for the default. */
function sideOf(name: string, value: unknown): number {
  if (value === undefined) return DEFAULT_SIDE_PIXELS;
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw new ColophonError('invalid_request', `"${name}" must be a whole number of pixels above 0.`);
}

/** Parameters that may state a size in a way that is not understood, one problem for each. */
export function otherSizes({
  width: _width,
  height: _height,
  image_size: _imageSize,
  size: _size,
  resolution: _resolution,
  megapixels: _megapixels,
  ...others
}: Parameters): PriceProblem[] {
  return sizesIn(others);
}

function sizesIn(parameters: Parameters): PriceProblem[] {
  return Object.entries(parameters).flatMap(([name, value]) => {
    if (mayStateSize(name, value)) return [sizeProblem(name)];
    return typeof value === 'object' && value !== null ? sizesIn(membersOf(name, value)) : [];
  });
}

/** Items of a list are read by its name. */
export function membersOf(name: string, value: object): Parameters {
  if (!Array.isArray(value)) return value as Parameters;
  return Object.assign(
    {},
    ...value.map((item: unknown, index) => ({ [`${name}_${index}`]: item })),
  ) as Parameters;
}

export function mayStateSize(name: string, value: unknown): boolean {
  if (value === undefined || value === null || value === false || CHOOSES_WORDS.test(name)) return false;
  if (isForWords(name)) return false;
  if (typeof value === 'string' && SIZE_TEXT.test(value)) return true;
  const words = wordsOf(name);
  return words.some((word) => SIZES.has(word)) && !words.some((word) => OF_SOMETHING_ELSE.has(word));
}

function unknownSize(name: string): ColophonError {
  const problem = sizeProblem(name);
  return new ColophonError('price_unknown', problem.message, { extensions: { errors: [problem] } });
}

function sizeProblem(name: string): PriceProblem {
  const message = `"${name}" may say how large the picture is to be, and no price is known for this value of it. Give the size as "width" and "height", in pixels, or leave it out.`;
  return { path: name, message };
}
