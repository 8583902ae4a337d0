import { type TreeNode } from '../formats/document-tree.js';
import { FormatError, START } from '../formats/format-error.js';
import { type Place } from '../formats/format-error.js';
import { readJsonTree } from '../formats/json-tree.js';

/** A bulk import is at most this long; 2,000 full listings are about 10 MB. */
export const MAX_CATALOG_BYTES = 32 * 1024 * 1024;
export const MAX_CATALOG_ITEMS = 5_000;

/** One value of a catalog, or why it cannot be read. */
export interface CatalogItem {
  /** From 0. */
  readonly index: number;
  /** Line of the catalog in which it begins, from 1. */
  readonly line: number;
  readonly value: unknown;
  readonly error: { readonly code: string; readonly place: Place; readonly message: string } | null;
}

/**
 * The items of a catalog: a JSON array, or one JSON value a line. Each is read on its own with the limits for documents
 * of strangers (depth, number of values, duplicate keys, keys that reach a prototype), so one bad item spoils no other.
 * @throws FormatError when the catalog as a whole cannot be told apart into items
 */
export function* catalogItems(text: string): Generator<CatalogItem> {
  let index = 0;
  for (const { source, line } of /^\s*\[/.test(text) ? elements(text) : lines(text)) {
    if (index === MAX_CATALOG_ITEMS)
      throw new FormatError('too-many-values', START, `more than ${MAX_CATALOG_ITEMS} items`);
    yield { index, line, ...readItem(source, line) };
    index += 1;
  }
}

function readItem(source: string, line: number): Pick<CatalogItem, 'value' | 'error'> {
  try {
    return { value: plain(readJsonTree(source).root), error: null };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const { code, place, message } = error;
    return { value: undefined, error: { code, place: { ...place, line: place.line + line - 1 }, message } };
  }
}

interface ItemText {
  readonly source: string;
  readonly line: number;
}

function* lines(text: string): Generator<ItemText> {
  let line = 0;
  for (const source of text.split('\n')) {
    line += 1;
    if (source.trim() !== '') yield { source, line };
  }
}

/** Cuts the elements of a JSON array apart without looking at what they say. */
function* elements(text: string): Generator<ItemText> {
  const begin = text.indexOf('[') + 1;
  let [start, depth, line] = [begin, 0, lineAt(text, begin)];
  for (let at = begin; at < text.length; at += 1) {
    const token = text[at];
    if (token === '"') at = endOfString(text, at);
    else if (token === '[' || token === '{') depth += 1;
    else if (depth > 0 && (token === ']' || token === '}')) depth -= 1;
    else if (depth === 0 && (token === ',' || token === ']')) {
      const source = text.slice(start, at);
      const isEmptyArray = token === ']' && start === begin && source.trim() === '';
      if (!isEmptyArray) yield { source, line };
      line += newlines(source);
      start = at + 1;
      if (token === ']') return endOf(text, start);
    }
  }
  throw unended();
}

/** By hand: a regular expression goes over a string that does not end again from each quotation mark in it. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '"') return at;
    if (text[at] === '\\') at += 1;
  }
  throw unended();
}

function unended(): FormatError {
  return new FormatError('malformed', START, 'the array of the catalog does not end');
}

function endOf(text: string, start: number): void {
  if (text.slice(start).trim() !== '')
    throw new FormatError('malformed', START, 'something stands after the array of the catalog');
}

function lineAt(text: string, offset: number): number {
  return newlines(text.slice(0, offset)) + 1;
}

function newlines(text: string): number {
  return text.split('\n').length - 1;
}

function plain(node: TreeNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(plain);
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, value]) => [key, plain(value)]));
  }
}
