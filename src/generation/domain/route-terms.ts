import { formatUsd, type MicroUsd } from '../../shared/money.js';
import { type RunValue } from './definition-words.js';

/** What a model was chosen for; a run that names the choice keeps to it. */
export interface RouteTerms {
  readonly operation: string;
  readonly rule:
    | { readonly kind: 'cheapest_above_floor'; readonly floor: number }
    | { readonly kind: 'best_under_ceiling'; readonly ceilingMicroUsd: string };
  readonly chosen: RoutedPrice | null;
  readonly fallbacks: readonly RoutedPrice[];
  /** Those that a price depends on. Choices of before they were kept have none. */
  readonly parameters?: Readonly<Record<string, Setting>> | undefined;
  readonly inputPictures?: number | undefined;
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
}

interface RoutedPrice {
  readonly model: string;
  readonly estimateMicroUsd: string;
}

export type Setting = string | number | boolean;

/** A resolved step, as far as it may follow a choice. */
export interface RoutedStep {
  readonly key: string;
  readonly operation: string;
  readonly listingId: string;
  readonly parameters: Readonly<Record<string, RunValue>>;
  readonly images: Readonly<Record<string, unknown>>;
  readonly reservedMicroUsd: MicroUsd;
  readonly plan: { readonly alternatives?: readonly { readonly listingId: string }[] };
}

const PROSE_NAME = /prompt|text|lyric|caption|instruction/i;
const SETTING = /^[\w.:+*-]{1,40}$/;
/** Facts that the program states by itself, whatever the caller says of them. */
const OWN_FACTS = ['generatedOn'];

/** Sizes, qualities and the like. What may be a prompt is sealed where it is kept, and no choice keeps it. */
export function settingsIn(parameters: Readonly<Record<string, unknown>>): Record<string, Setting> {
  return Object.fromEntries(
    Object.entries(parameters).filter(
      (entry): entry is [string, Setting] =>
        !PROSE_NAME.test(entry[0]) &&
        (typeof entry[1] === 'string' ? SETTING.test(entry[1]) : isPlain(entry[1])),
    ),
  );
}

/** Whether a text for the model is among the parameters. */
export function hasProse(parameters: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(parameters).some(
    ([name, value]) => typeof value === 'string' && PROSE_NAME.test(name),
  );
}

function isPlain(value: unknown): value is number | boolean {
  return typeof value === 'number' || typeof value === 'boolean';
}

/** In what a run departs from the choice that it names, as sentences; none when it keeps to it. */
export function departures(
  terms: RouteTerms,
  facts: Readonly<Record<string, unknown>>,
  steps: readonly RoutedStep[],
): string[] {
  const models = routedModels(terms);
  const following = steps.filter(
    ({ operation, listingId }) => operation === terms.operation && models.includes(listingId),
  );
  return [
    ...factDepartures(terms, facts),
    ...following.flatMap((step) => [...settingDepartures(terms, step), ...priceDepartures(terms, step)]),
  ];
}

export function routedModels({ chosen, fallbacks }: Pick<RouteTerms, 'chosen' | 'fallbacks'>): string[] {
  return [...(chosen === null ? [] : [chosen]), ...fallbacks].map(({ model }) => model);
}

function factDepartures(terms: RouteTerms, facts: Readonly<Record<string, unknown>>): string[] {
  const stated = terms.facts;
  if (stated === undefined) return [];
  const names = new Set([...Object.keys(stated), ...Object.keys(facts)]);
  const other = [...names].filter(
    (name) => !OWN_FACTS.includes(name) && textOf(stated[name]) !== textOf(facts[name]),
  );
  return other.length === 0 ? [] : [`The model was chosen for other facts: ${other.sort().join(', ')}.`];
}

function settingDepartures({ parameters = {}, inputPictures }: RouteTerms, step: RoutedStep): string[] {
  const pictures = Object.keys(step.images).length;
  return [
    ...Object.entries(parameters).flatMap(([name, chosenFor]) => {
      const given = step.parameters[name];
      if (given === chosenFor) return [];
      const has = isSetting(given) ? `the step has ${given}` : 'the step has something else or nothing';
      return [`${step.key}: the model was chosen for ${name} ${chosenFor}, and ${has}.`];
    }),
    ...(inputPictures === undefined || inputPictures === pictures
      ? []
      : [
          `${step.key}: the model was chosen for ${inputPictures} input pictures, and the step has ${pictures}.`,
        ]),
  ];
}

function isSetting(value: RunValue | undefined): value is Setting {
  return typeof value === 'string' ? SETTING.test(value) : isPlain(value);
}

/** What is reserved is the most that the step may cost by any of its ways. */
function priceDepartures(terms: RouteTerms, step: RoutedStep): string[] {
  const limit = limitOf(terms, step);
  if (step.reservedMicroUsd <= limit) return [];
  const reserved = formatUsd(step.reservedMicroUsd);
  const what = terms.rule.kind === 'best_under_ceiling' ? 'its ceiling is' : 'it was chosen at';
  return [`${step.key}: ${reserved} USD would be reserved for the step; ${what} ${formatUsd(limit)} USD.`];
}

function limitOf({ rule, chosen, fallbacks }: RouteTerms, { listingId, plan }: RoutedStep): MicroUsd {
  if (rule.kind === 'best_under_ceiling') return BigInt(rule.ceilingMicroUsd);
  const ways = [listingId, ...(plan.alternatives ?? []).map((way) => way.listingId)];
  return [...(chosen === null ? [] : [chosen]), ...fallbacks]
    .filter(({ model }) => ways.includes(model))
    .map(({ estimateMicroUsd }) => BigInt(estimateMicroUsd))
    .reduce((most, estimate) => (estimate > most ? estimate : most), 0n);
}

/** Lists of facts are sets. What nobody stated, or stated as unknown or empty, is the same: a later program may ask more. */
function textOf(fact: unknown): string {
  if (fact === undefined || fact === null || fact === 'unknown') return '';
  if (!Array.isArray(fact)) return JSON.stringify(fact);
  return fact
    .map((each) => JSON.stringify(each))
    .sort()
    .join(' ');
}
