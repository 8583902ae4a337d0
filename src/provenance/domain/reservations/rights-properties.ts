import { constraintText, type FoundReservation, type ReservedAct } from './reservation.js';

/** One property of an XMP packet, by the address of its vocabulary: prefixes are free (XMP part 1, section 6.1). */
export interface XmpProperty {
  readonly namespace: string;
  readonly name: string;
  readonly value: string;
}

const PLUS = 'http://ns.useplus.org/ldf/xmp/1.0/';
const TDMREP = /^https?:\/\/www\.w3\.org\/ns\/tdmrep[/#]?$/;

/** Rights fields whose value is text for people: IPTC Photo Metadata 2025.1, XMP part 2 sections 8.3 and 8.4. */
const RIGHTS_TEXTS: ReadonlySet<string> = new Set([
  `${PLUS} OtherConstraints`,
  `${PLUS} OtherConditions`,
  'http://ns.adobe.com/xap/1.0/rights/ UsageTerms',
  'http://purl.org/dc/elements/1.1/ rights',
  'http://ns.adobe.com/photoshop/1.0/ Instructions',
]);

const TRAINING: readonly ReservedAct[] = ['ai-training', 'generative-ai-training'];
const EVERYTHING: readonly ReservedAct[] = ['data-mining', ...TRAINING];

/**
 * The controlled vocabulary of `plus:DataMining` (PLUS License Data Format 2.0.1). PLUS speaks of mining and training;
 * none of its values names the use of a picture as input, so none of them is read as `ai-inference`. Whether "data
 * mining of every kind" covers that use is for a person to say, and the license rules ask one.
 */
const DATA_MINING: Readonly<Record<string, (texts: ConstraintTexts) => FoundReservation[]>> = {
  'DMI-UNSPECIFIED': () => [],
  'DMI-ALLOWED': () => plus(EVERYTHING, 'allowed'),
  'DMI-PROHIBITED-AIMLTRAINING': () => plus(TRAINING, 'notAllowed'),
  'DMI-PROHIBITED-GENAIMLTRAINING': () => plus(['generative-ai-training'], 'notAllowed'),
  'DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING': () => plus(EVERYTHING, 'notAllowed'),
  'DMI-PROHIBITED': () => plus(EVERYTHING, 'notAllowed'),
  'DMI-PROHIBITED-SEECONSTRAINT': ({ other }) => plus(EVERYTHING, 'constrained', other),
  'DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR': ({ embedded }) => plus(EVERYTHING, 'constrained', embedded),
  'DMI-PROHIBITED-SEELINKEDRIGHTSEXPR': ({ linked }) => plus(EVERYTHING, 'constrained', linked),
};

interface ConstraintTexts {
  readonly other: string | null;
  readonly embedded: string | null;
  readonly linked: string | null;
}

function plus(
  acts: readonly ReservedAct[],
  use: FoundReservation['use'],
  constraint: string | null = null,
): FoundReservation[] {
  return acts.map((act) => ({ origin: 'plus.data-mining', act, use, constraint }));
}

/** @returns what the properties reserve, and whether every value of a known vocabulary was understood */
export function reservationsInXmp(properties: readonly XmpProperty[]): {
  readonly found: FoundReservation[];
  readonly understood: boolean;
} {
  const found: FoundReservation[] = [];
  let understood = true;
  const add = (reservations: FoundReservation[] | undefined): void => {
    if (reservations === undefined) understood = false;
    else found.push(...reservations);
  };
  const texts = constraintTexts(properties);
  for (const property of properties) {
    const { namespace, name, value } = property;
    if (namespace === PLUS && name === 'DataMining') add(dataMining(value, texts));
    if (TDMREP.test(namespace) && name === 'reservation') add(tdmReservation(value, properties));
    if (RIGHTS_TEXTS.has(`${namespace} ${name}`)) add(rightsText(value));
  }
  return { found, understood };
}

/** The fields in which `name` is looked at: everything else in a packet is let go while it is parsed. */
export function speaksOfRights(namespace: string, name: string): boolean {
  return (
    (namespace === PLUS && name === 'DataMining') ||
    TDMREP.test(namespace) ||
    RIGHTS_TEXTS.has(`${namespace} ${name}`) ||
    RIGHTS_EXPRESSIONS.has(name) ||
    isRemoteManifest({ namespace, name })
  );
}

/** Names of IPTC Extension (`Iptc4xmpExt`) fields that hold a rights expression or its address. */
const RIGHTS_EXPRESSIONS: ReadonlySet<string> = new Set(['EncRightsExpr', 'LinkedRightsExpr']);

/** The address of a manifest that is not in the file (C2PA 2.4 section 11.5): it is not fetched. */
export function isRemoteManifest({ namespace, name }: { namespace: string; name: string }): boolean {
  return namespace === 'http://purl.org/dc/terms/' && name === 'provenance';
}

function dataMining(value: string, texts: ConstraintTexts): FoundReservation[] | undefined {
  const code = value.trim().split('/').at(-1)?.toUpperCase() ?? '';
  return Object.hasOwn(DATA_MINING, code) ? DATA_MINING[code]?.(texts) : undefined;
}

function constraintTexts(properties: readonly XmpProperty[]): ConstraintTexts {
  const valueOf = (wanted: string): string | undefined =>
    properties.find(({ name }) => name === wanted)?.value;
  const expression = (words: string, value: string | undefined): string | null =>
    value === undefined ? null : constraintText(`${words} ${value}`);
  return {
    other: constraintText(valueOf('OtherConstraints')),
    embedded: expression('See the rights expression in the file:', valueOf('EncRightsExpr')),
    linked: expression('See the rights expression at', valueOf('LinkedRightsExpr')),
  };
}

/** TDM Reservation Protocol (W3C community report): 1 reserves text and data mining, the policy says for whom not. */
function tdmReservation(value: string, properties: readonly XmpProperty[]): FoundReservation[] | undefined {
  const reserved = value.trim();
  if (reserved === '0') return [{ origin: 'tdmrep', act: 'data-mining', use: 'allowed', constraint: null }];
  if (reserved !== '1') return undefined;
  const policy = properties.find(({ namespace, name }) => TDMREP.test(namespace) && name === 'policy')?.value;
  const constraint = policy === undefined ? null : constraintText(`See the policy at ${policy}`);
  const use = constraint === null ? 'notAllowed' : 'constrained';
  return [{ origin: 'tdmrep', act: 'data-mining', use, constraint }];
}

/** Abbreviations as they are written; `Ai` is a name. */
const AI_ABBREVIATIONS =
  /(?<![\p{Script=Latin}\p{N}])(?:A\.?I|KI|IA|ML|TDM|GenAI|LLM)(?![\p{Script=Latin}\p{N}])/u;
const NO_AI = /(?<!\p{L})no[ _-]?ai(?!\p{L})/iu;
const AI_WORDS =
  /artificial\s+intelligence|machine[\s-]+learning|generative|data[\s-]?mining|k[üu]nstliche\s+intelligenz|intelligence\s+artificielle|inteligencia\s+artificial|intelligenza\s+artificiale|人工智能|人工知能|人工智慧|機械学習|机器学习|機器學習|生成式|인공지능|기계\s*학습/iu;

/**
 * No program understands a sentence about rights. One that speaks of AI is a condition, so that a person reads it; it
 * never forbids and never permits by itself.
 */
export function rightsText(text: string): FoundReservation[] {
  if (![AI_ABBREVIATIONS, NO_AI, AI_WORDS].some((words) => words.test(text))) return [];
  return [{ origin: 'iptc', act: 'ai-inference', use: 'constrained', constraint: constraintText(text) }];
}
