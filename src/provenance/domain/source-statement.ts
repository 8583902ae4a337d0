import { type ChainNode } from './media-verifier.port.js';
import { type XmpProperty } from './reservations/rights-properties.js';

/** Where in a file it says how it was made: in its manifests, in IPTC fields of its XMP, in the label of GB 45438. */
export const SOURCE_STATEMENT_PLACES = ['c2pa', 'iptc', 'aigc'] as const;
export type SourceStatementPlace = (typeof SOURCE_STATEMENT_PLACES)[number];

/** Terms of IPTC and C2PA by which something says that a generative model made or changed it. */
export const GENERATIVE_TERMS = [
  'trainedAlgorithmicMedia',
  'compositeWithTrainedAlgorithmicMedia',
  'compositeSynthetic',
  'trainedAlgorithmicData',
] as const;
export type GenerativeTerm = (typeof GENERATIVE_TERMS)[number];

/**
 * A file says of itself that a generative model made or changed it. Anybody can have written it; it is kept all the
 * same, because nobody writes it of a picture of their own to gain by it.
 */
export interface SourceStatement {
  readonly place: SourceStatementPlace;
  readonly term: GenerativeTerm;
  /** The program that is named as the maker, as far as one is; words of strangers. */
  readonly system: string | null;
  /** Label of the manifest that says it. */
  readonly manifestLabel: string | null;
}

/** What a file says about its making, and what it says it is a version of. */
export interface MakingReading {
  readonly sourceStatements: readonly SourceStatement[];
  /** Labels of its active manifest and of the ones that this one is a version of, the nearest first. */
  readonly versionLabels: readonly string[];
}

/** Statements of one file beyond these say the same again. */
export const MAX_SOURCE_STATEMENTS = 20;
export const MAX_VERSION_LABELS = 50;
export const MAX_SYSTEM_CHARACTERS = 200;
export const MAX_LABEL_CHARACTERS = 300;

/** The scheme and the host have changed over time; the last part is the term. */
const TERM = /(?:^|[/:#])([A-Za-z]+)\/?\s*$/;
const DISCLOSURE_LABEL = /^c2pa\.ai-disclosure(__\d+)?$/;

function generativeTerm(value: string | undefined): GenerativeTerm | undefined {
  const written = TERM.exec(value?.trim() ?? '')?.[1]?.toLowerCase();
  return GENERATIVE_TERMS.find((term) => term.toLowerCase() === written);
}

/** In whichever manifest of the chain it stands: what a model made stays so in everything that is made from it. */
export function statementsInChain(chain: ChainNode | undefined): SourceStatement[] {
  const found: SourceStatement[] = [];
  const waiting = chain === undefined ? [] : [chain];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    found.push(...statementsOf(node, node === chain));
    waiting.push(...node.ingredients);
  }
  return found;
}

/** Of something that a file was made from, the file is at most a composite. */
function statementsOf(node: ChainNode, isFile: boolean): SourceStatement[] {
  const manifestLabel = node.manifestLabel?.slice(0, MAX_LABEL_CHARACTERS) ?? null;
  const system = systemName(node.claimGenerator);
  const state = (term: GenerativeTerm): SourceStatement => {
    const said = isFile ? term : 'compositeWithTrainedAlgorithmicMedia';
    return { place: 'c2pa', term: said, system, manifestLabel };
  };
  const terms = node.actions.flatMap(({ digitalSourceType }) => generativeTerm(digitalSourceType) ?? []);
  const declared = generativeTerm(node.description);
  const isDisclosed = node.assertions.some(({ label }) => DISCLOSURE_LABEL.test(label));
  if (terms.length === 0 && declared === undefined)
    return isDisclosed ? [state('compositeWithTrainedAlgorithmicMedia')] : [];
  return [...terms, ...(declared === undefined ? [] : [declared])].map(state);
}

/** The active manifest, and along `parentOf` what the file is a version of. What was only used in it is another work. */
export function versionLabels(chain: ChainNode | undefined): string[] {
  const labels: string[] = [];
  const waiting = chain === undefined ? [] : [chain];
  for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
    if (node.manifestLabel !== undefined && node.manifestLabel.length <= MAX_LABEL_CHARACTERS)
      labels.push(node.manifestLabel);
    waiting.push(...node.ingredients.filter(({ relationship }) => relationship === 'parentOf'));
  }
  return [...new Set(labels)].slice(0, MAX_VERSION_LABELS);
}

const IPTC_EXTENSION = 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/';
const TC260 = /^https?:\/\/www\.tc260\.org\.cn\/ns\/AIGC\/1\.0\/?$/i;
/** `DigitalSourcefileType` is the name that the field had until 2011. */
const SOURCE_TYPE_FIELDS: ReadonlySet<string> = new Set(['DigitalSourceType', 'DigitalSourcefileType']);

/** The fields in which {@link statementsInXmp} looks. */
export function speaksOfMaking(namespace: string, name: string): boolean {
  if (namespace === IPTC_EXTENSION) return SOURCE_TYPE_FIELDS.has(name) || name === 'AISystemUsed';
  return TC260.test(namespace) && name === 'AIGC';
}

export function statementsInXmp(properties: readonly XmpProperty[]): SourceStatement[] {
  const ofIptc = properties.filter(({ namespace }) => namespace === IPTC_EXTENSION);
  const system = systemName(ofIptc.find(({ name }) => name === 'AISystemUsed')?.value);
  const iptc = (term: GenerativeTerm): SourceStatement => ({
    ...{ place: 'iptc', term, system, manifestLabel: null },
  });
  const typed = ofIptc
    .filter(({ name }) => SOURCE_TYPE_FIELDS.has(name))
    .flatMap(({ value }) => generativeTerm(value) ?? []);
  // A system that is named without a type took part; whether it made everything is not said.
  const terms: GenerativeTerm[] =
    typed.length === 0 && system !== null ? ['compositeWithTrainedAlgorithmicMedia'] : typed;
  return [
    ...terms.map(iptc),
    ...properties
      .filter(({ namespace, name }) => TC260.test(namespace) && name === 'AIGC')
      .flatMap(({ value }) => chinaStatement(value)),
  ];
}

/** GB 45438-2025: label 1 is generated, 2 may be, 3 is suspected to be. The last two are for a person to find out. */
function chinaStatement(value: string): SourceStatement[] {
  const label = parsedLabel(value);
  const said = label?.Label;
  const code = typeof said === 'number' ? String(said) : said;
  // A label that cannot be read is one that somebody put there.
  if (typeof code === 'string' && !['1', '2', '3'].includes(code)) return [];
  const isWhole = code === '1';
  const producer = label?.ContentProducer;
  return [
    {
      place: 'aigc',
      term: isWhole ? 'trainedAlgorithmicMedia' : 'compositeWithTrainedAlgorithmicMedia',
      system: systemName(typeof producer === 'string' ? producer : undefined),
      manifestLabel: null,
    },
  ];
}

function parsedLabel(value: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const label: unknown = JSON.parse(value);
    return typeof label === 'object' && label !== null ? { ...label } : undefined;
  } catch {
    return undefined;
  }
}

/** Text of a stranger, made fit to be shown and stored; null when nothing is left of it. */
function systemName(text: string | undefined): string | null {
  const clean = (text ?? '').replace(/[\p{C}\p{Z}]+/gu, ' ').trim();
  return clean === '' ? null : [...clean].slice(0, MAX_SYSTEM_CHARACTERS).join('').trim();
}

/** Each once, in an order that does not depend on how they were found. */
export function distinctStatements(statements: readonly SourceStatement[]): SourceStatement[] {
  const byText = new Map(statements.map((one) => [JSON.stringify(Object.values(one)), one]));
  return [...byText.entries()]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, statement]) => statement)
    .slice(0, MAX_SOURCE_STATEMENTS);
}
