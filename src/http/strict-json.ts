import { ColophonError } from '../shared/errors.js';

/** Names that could reach an object's prototype in careless code. */
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const NUL = String.raw`\u0000`;
/** With fewer names than this a list is quicker than a set. */
const FEW_NAMES = 8;
const MAX_SHOWN = 60;

/**
 * JSON of a stranger that has one reading only: a name that stands twice in one object would be read by the last value
 * here and by the first elsewhere. NUL is refused because PostgreSQL cannot store it.
 * @throws SyntaxError for what is no JSON
 * @throws ColophonError `invalid_request`
 */
export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  new NameScan(text).run();
  return value;
}

/** The names of one object so far. */
class Names {
  private readonly list: string[] = [];
  private set: Set<string> | undefined;
  isNameNext = true;

  /** False for one that it has already. */
  add(name: string): boolean {
    if (this.set === undefined && this.list.length < FEW_NAMES) {
      if (this.list.includes(name)) return false;
      this.list.push(name);
      return true;
    }
    this.set ??= new Set(this.list);
    if (this.set.has(name)) return false;
    this.set.add(name);
    return true;
  }
}

/** One pass over text that is known to be JSON: texts are jumped over, so long ones cost next to nothing. */
class NameScan {
  /** `null` for a list. */
  private readonly open: (Names | null)[] = [];
  private at = 0;

  constructor(private readonly text: string) {}

  run(): void {
    for (; this.at < this.text.length; this.at += 1) this.step(this.text.charAt(this.at));
  }

  private step(character: string): void {
    const { open } = this;
    if (character === '"') this.readText(open.at(-1));
    else if (character === '{') open.push(new Names());
    else if (character === '[') open.push(null);
    else if (character === '}' || character === ']') open.pop();
    else if (character === ',') {
      const names = open.at(-1);
      if (names) names.isNameNext = true;
    }
  }

  private readText(names: Names | null | undefined): void {
    const start = this.at;
    this.at = this.endOfText(start);
    const quoted = this.text.slice(start, this.at + 1);
    const isName = names?.isNameNext === true;
    if (!isName && !quoted.includes(NUL)) return;
    const value = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
    if (value.includes('\0')) throw refused('A text in the body holds NUL, which cannot be stored.');
    if (names && isName) {
      names.isNameNext = false;
      checkName(names, value);
    }
  }

  /** A quotation mark ends a text unless an odd number of backslashes stands before it. */
  private endOfText(start: number): number {
    for (let end = this.text.indexOf('"', start + 1); ; end = this.text.indexOf('"', end + 1)) {
      let before = end - 1;
      while (this.text[before] === '\\') before -= 1;
      if ((end - before) % 2 === 1) return end;
    }
  }
}

function checkName(names: Names, name: string): void {
  if (FORBIDDEN.has(name)) throw refused(`The property name "${name}" is not accepted.`);
  if (!names.add(name))
    throw refused(`The property "${shown(name)}" stands twice in one object of the body.`);
}

function shown(name: string): string {
  return name.replaceAll(/[\p{C}\p{Z}"]/gu, ' ').slice(0, MAX_SHOWN);
}

function refused(detail: string): ColophonError {
  return new ColophonError('invalid_request', detail);
}
