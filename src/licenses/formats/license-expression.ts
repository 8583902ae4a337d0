import parseSpdx, { type LicenseInfo } from 'spdx-expression-parse';
import { type ThreeValued } from '../domain/three-valued.js';
import { MAX_EXPRESSION_CHARS } from './limits.js';

/** One license, or several that hold together (`and`) or to choose from (`or`). SPDX 3.0.1 annex B. */
export type LicenseExpression =
  | {
      readonly kind: 'license';
      /** SPDX id, or a LicenseRef. */
      readonly ref: string;
      readonly orLater: boolean;
      readonly exception: string | null;
    }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly LicenseExpression[] };

export type LicenseLeaf = Extract<LicenseExpression, { kind: 'license' }>;

export function leaf(ref: string): LicenseLeaf {
  return { kind: 'license', ref, orLater: false, exception: null };
}

const NOT_OF_AN_EXPRESSION = /[^A-Za-z0-9.:+\- \t\n\r()]/;
const OPERATOR = /^(?:AND|OR|WITH)$/i;

/**
 * The structure of an SPDX expression; `undefined` when it is none.
 *
 * The library searches for an id somewhere ahead instead of at the place where it must stand, so text that is not an
 * expression can parse. Hence every word is checked against what was understood.
 */
export function parseExpression(text: string): LicenseExpression | undefined {
  if (text.length > MAX_EXPRESSION_CHARS || NOT_OF_AN_EXPRESSION.test(text)) return undefined;
  let parsed: LicenseExpression;
  try {
    parsed = convert(parseSpdx(text.replace(/\s+/g, ' ').trim()));
  } catch {
    return undefined;
  }
  const words = text.split(/[\s()]+/).filter((word) => word !== '' && !OPERATOR.test(word));
  const understood = leavesOf(parsed).flatMap(({ ref, orLater, exception }) => [
    orLater ? `${ref}+` : ref,
    ...(exception === null ? [] : [exception]),
  ]);
  return words.join(' ') === understood.join(' ') ? parsed : undefined;
}

function convert(info: LicenseInfo): LicenseExpression {
  if ('conjunction' in info) {
    const kind = info.conjunction;
    return combine(kind, [convert(info.left), convert(info.right)]);
  }
  return {
    kind: 'license',
    ref: info.license,
    orLater: info.plus === true,
    exception: info.exception ?? null,
  };
}

/** Parts of the same operator are written in one row. */
export function combine(kind: 'and' | 'or', parts: readonly LicenseExpression[]): LicenseExpression {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  return { kind, parts: parts.flatMap((part) => (part.kind === kind ? part.parts : [part])) };
}

export function leavesOf(expression: LicenseExpression): readonly LicenseLeaf[] {
  return expression.kind === 'license' ? [expression] : expression.parts.flatMap(leavesOf);
}

export function writeExpression(expression: LicenseExpression): string {
  if (expression.kind === 'license') {
    const { ref, orLater, exception } = expression;
    return `${ref}${orLater ? '+' : ''}${exception === null ? '' : ` WITH ${exception}`}`;
  }
  const written = expression.parts.map((part) =>
    expression.kind === 'and' && part.kind === 'or' ? `(${writeExpression(part)})` : writeExpression(part),
  );
  return written.join(expression.kind === 'and' ? ' AND ' : ' OR ');
}

/**
 * A permission under the whole expression. With `and` every text must give it. With `or` somebody has to choose, and
 * nobody has: it is `yes` or `no` only when every alternative says so.
 */
export function permissionUnder(
  expression: LicenseExpression,
  permissionOf: (license: LicenseLeaf) => ThreeValued,
): ThreeValued {
  if (expression.kind === 'license') return permissionOf(expression);
  const values = expression.parts.map((part) => permissionUnder(part, permissionOf));
  if (expression.kind === 'and' && values.includes('no')) return 'no';
  const [first = 'unknown'] = values;
  return values.every((value) => value === first) ? first : 'unknown';
}
