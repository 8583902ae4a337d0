import { isForWords } from './hidden-files.js';
import { wordsOf } from './name-words.js';
import { mayStateLength } from './output-length.js';
import { mayStateSize, membersOf } from './picture-size.js';
import { type PriceProblem } from './price-problem.js';

type Parameters = Readonly<Record<string, unknown>>;

/** What makes an output dearer, where the vendor asks for it by a parameter. */
export const PRICE_TRAITS = ['size', 'length', 'quality', 'style', 'extras'] as const;
export type PriceTrait = (typeof PRICE_TRAITS)[number];

const IN_WORDS: Readonly<Record<PriceTrait, string>> = {
  size: 'how large the output is',
  length: 'how long the output is',
  quality: 'how good the output is to be',
  style: 'what sort of output it is',
  extras: 'what else is done for it',
};

const setOf = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/));
const QUALITY = setOf('quality fidelity definition complexity effort tier premium turbo performance draft');
/** `rendering_speed: QUALITY`, `mode: pro`; but `sync_mode`, `speed: 1.2`. */
const QUALITY_NAMES = /^(?:rendering_?speed|mode|model_?mode|service_?level)$/i;
const STYLE = setOf('style substyle vector svg');
const STYLE_VALUE = /(?:^|[^a-z])(?:vector|svg|gif)(?:[^a-z]|$)/i;
const EXTRAS = setOf('search grounding thinking reasoning audio sound');
/** `style_strength`, `audio_format`, `thinking_guidance`: how something is done, or how it is written down. */
const OF_SOMETHING_ELSE = setOf(
  'strength weight guidance scale font text format bitrate codec volume rate channels sampling setting settings',
);
/** How much of a file is lost when it is written: `output_quality: 90`. */
const OF_COMPRESSION = setOf('output jpeg jpg webp avif compression lossy file');

/**
 * A price by the piece or by the second holds for what it names. What may make the output dearer beyond that has no
 * price here: unknown is never the price of something else.
 * @param isKnown whether the price itself tells what the parameter of this name costs
 * @returns one for each parameter of which that is so
 */
export function otherTraits(
  parameters: Parameters,
  traits: readonly PriceTrait[],
  isKnown: (name: string) => boolean,
): PriceProblem[] {
  return Object.entries(parameters).flatMap(([name, value]) => {
    if (isKnown(name)) return [];
    const trait = isForWords(name) ? undefined : traits.find((one) => states(one, name, value));
    if (trait !== undefined) return [unknownTrait(name, trait)];
    return typeof value === 'object' && value !== null
      ? otherTraits(membersOf(name, value), traits, () => false)
      : [];
  });
}

function states(trait: PriceTrait, name: string, value: unknown): boolean {
  // `auto` leaves it to the vendor, as leaving it out does.
  if (value === undefined || value === null || value === false || value === 'auto') return false;
  const words = wordsOf(name);
  const has = (set: ReadonlySet<string>) => words.some((word) => set.has(word));
  switch (trait) {
    case 'size':
      return mayStateSize(name, value);
    case 'length':
      return mayStateLength(name, value);
    case 'quality':
      if (typeof value === 'number' && has(OF_COMPRESSION)) return false;
      return has(QUALITY) || (QUALITY_NAMES.test(name) && typeof value === 'string');
    case 'style':
      if (typeof value === 'string' && STYLE_VALUE.test(value)) return true;
      return has(STYLE) && !has(OF_SOMETHING_ELSE);
    case 'extras':
      return has(EXTRAS) && !has(OF_SOMETHING_ELSE);
  }
}

function unknownTrait(name: string, trait: PriceTrait): PriceProblem {
  const message = `"${name}" may say ${IN_WORDS[trait]}, and no price is known for this value of it. Leave it out, or record a price of this endpoint with tiers for "${name}", or with "sameFor" where your contract says that it costs the same.`;
  return { path: name, message };
}
