import { ColophonError } from '../../shared/errors.js';
import { parsePublicId } from '../../shared/ids.js';
import { type Literal } from '../domain/pipeline-definition.js';
import { type RunInputs, type RunItem } from '../domain/run-inputs.js';
import { MAX_INSTANCES } from '../domain/step-control.js';
import { type StartRunBody } from './run.schemas.js';

type Given = Readonly<Record<string, Literal>>;

/** Values, assets and lists, told apart by what they look like. @throws ColophonError `pipeline_too_large` */
export function toInputs({ inputs, substitutes }: StartRunBody): RunInputs {
  const single: Record<string, Literal> = without();
  const lists: Record<string, RunItem[]> = without();
  for (const [name, value] of Object.entries(inputs)) {
    if (typeof value !== 'object') single[name] = value;
    else if (!Array.isArray(value)) lists[name] = combinationsOf(value.combine).map(toItem);
    else if (isItems(value)) lists[name] = value.map(toItem);
    else single[name] = value;
  }
  const replaced: Record<string, string> = without();
  for (const [step, asset] of Object.entries(substitutes))
    replaced[step] = parsePublicId('asset', asset) ?? '';
  const given = { ...toItem(single), substitutes: replaced };
  return Object.keys(lists).length === 0 ? given : { ...given, lists };
}

function isItems(value: readonly unknown[]): value is Given[] {
  return value.length > 0 && value.every((item) => typeof item === 'object');
}

function toItem(given: Given): RunItem {
  const values: Record<string, Literal> = without();
  const images: Record<string, string> = without();
  for (const [name, value] of Object.entries(given)) {
    const assetId = typeof value === 'string' ? parsePublicId('asset', value) : undefined;
    if (assetId === undefined) values[name] = value;
    else images[name] = assetId;
  }
  return { values, images };
}

/**
 * In the order of a counter: the last name changes fastest.
 * @throws ColophonError `pipeline_too_large`, before they are made
 */
export function combinationsOf(lists: Readonly<Record<string, readonly Literal[]>>): Given[] {
  const count = Object.values(lists).reduce((all, { length }) => all * length, 1);
  if (count > MAX_INSTANCES)
    throw new ColophonError(
      'pipeline_too_large',
      `The lists have ${count} combinations; a run has at most ${MAX_INSTANCES} steps. Give it shorter lists.`,
    );
  return Object.entries(lists).reduce<Given[]>(
    (all, [name, values]) => all.flatMap((item) => values.map((value) => ({ ...item, [name]: value }))),
    [{}],
  );
}

/** Without a prototype: a pipeline may call a step "constructor" or an input "toString". */
function without<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}
