import { type TextProblem } from './policy-engine.port.js';

/** Limits of one policy set. They also keep the parser's recursion far from the end of its stack (measured; ADR 0015). */
export const MAX_POLICY_BYTES = 65_536;
export const MAX_POLICIES = 200;
export const MAX_NESTING = 12;
/** Operators and keywords in one policy. A longer one can be written as several: what one forbids stays forbidden. */
export const MAX_OPERATORS = 80;
/** Accesses and calls in a row, as in `resource.lineage.vendors.contains(...)`. */
export const MAX_ACCESSES = 8;

/** Strings (Cedar escapes with a backslash), comments (a carriage return ends one, too), then what makes an expression deep. */
const TOKEN =
  /"(?:[^"\\]|\\[^])*"?|\/\/[^\n\r]*|[([{]|[)\]}]|;|\.|&&|\|\||[!=<>]=?|[-+*]|\b(?:if|then|else|when|unless|has|like|is|in)\b|,/g;
const KEYWORD = /^(?:if|then|else|when|unless|has|like|is|in)$/;

/** Counts of one policy while it is read. */
class Shape {
  operators = 0;
  /** Accesses in a row, at each level of brackets. */
  readonly runs = [0];

  open(): void {
    this.runs.push(0);
  }

  close(): void {
    if (this.runs.length > 1) this.runs.pop();
  }

  access(): number {
    const last = this.runs.length - 1;
    return (this.runs[last] = (this.runs[last] ?? 0) + 1);
  }

  breakRun(): void {
    this.runs[this.runs.length - 1] = 0;
  }
}

/**
 * The first reason why a text is not given to the parser at all: it is too large, too deep or too long-winded. A deep
 * expression would run the parser out of its stack, and the instance that decides with it.
 */
export function checkShape(text: string): TextProblem | undefined {
  const bytes = Buffer.byteLength(text, 'utf8');
  if (bytes > MAX_POLICY_BYTES) return problem(`has ${bytes} bytes; the limit is ${MAX_POLICY_BYTES}`);
  if (Buffer.from(text, 'utf8').toString('utf8') !== text)
    return problem('holds half of a character (an unpaired surrogate)');
  if (text.includes('\0')) return problem('holds a NUL character');
  let shape = new Shape();
  let ends = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const found = lookAt(token, shape);
    if (found !== undefined)
      return { ...problem(found), offset: Buffer.byteLength(text.slice(0, index), 'utf8') };
    if (token !== ';') continue;
    shape = new Shape();
    ends += 1;
  }
  return ends > MAX_POLICIES ? problem(`has ${ends} policies; the limit is ${MAX_POLICIES}`) : undefined;
}

const TOO_MANY_ACCESSES = `has more than ${MAX_ACCESSES} accesses or calls in a row`;

function lookAt(token: string, shape: Shape): string | undefined {
  if (token.startsWith('"') || token.startsWith('//') || token === ';') return undefined;
  if ('([{'.includes(token)) {
    // a["b"]["c"] and a(b)(c) chain as dots do, and come back to the same level in between.
    if (token !== '{' && shape.access() > MAX_ACCESSES) return TOO_MANY_ACCESSES;
    shape.open();
    const depth = shape.runs.length - 1;
    return depth > MAX_NESTING ? `nests deeper than ${MAX_NESTING} brackets` : undefined;
  }
  if (')]}'.includes(token)) {
    shape.close();
    return undefined;
  }
  if (token === '.') {
    return shape.access() > MAX_ACCESSES ? TOO_MANY_ACCESSES : undefined;
  }
  shape.breakRun();
  if (token === ',') return undefined;
  shape.operators += 1;
  if (shape.operators <= MAX_OPERATORS) return undefined;
  const what = KEYWORD.test(token) ? 'keywords and operators' : 'operators';
  return `has more than ${MAX_OPERATORS} ${what} in one policy; write several policies`;
}

function problem(message: string): TextProblem {
  return { message, help: null, offset: null };
}

/** Line and column, from 1, of a byte offset; columns count characters as an editor does. */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = Buffer.from(text, 'utf8').subarray(0, offset).toString('utf8');
  const lines = before.split('\n');
  return { line: lines.length, column: [...(lines.at(-1) ?? '')].length + 1 };
}
