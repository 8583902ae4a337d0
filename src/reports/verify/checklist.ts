import { type BundleFinding, type BundleStatement } from './bundle-verification.js';

/** A hostile bundle could be wrong in a million ways; people need some of them. */
const MAX_FINDINGS = 500;
const MAX_TEXT = 400;

/** Collects what a verification says. It never stops at the first fault. */
export class Checklist {
  readonly findings: BundleFinding[] = [];
  readonly statements: BundleStatement[] = [];
  readonly notProved: string[] = [];
  /** Nothing is valid while something of this is open. */
  hasUnproved = false;
  private faults = 0;

  fault(path: string | undefined, text: string): void {
    this.faults += 1;
    if (this.faults > MAX_FINDINGS) return;
    this.findings.push({ path: path === undefined ? undefined : printable(path), text: printable(text) });
    if (this.faults === MAX_FINDINGS) {
      this.findings.push({ path: undefined, text: 'There are more findings; they are not listed.' });
    }
  }

  /** One question of the checklist: `yes` is said when `work` finds no fault, `no` otherwise. */
  async ask<T>(yes: string | ((value: T) => string), no: string, work: () => T | Promise<T>): Promise<T> {
    const before = this.faults;
    const value = await work();
    const ok = this.faults === before;
    const text = ok ? (typeof yes === 'string' ? yes : yes(value)) : no;
    this.statements.push({ ok, text: printable(text) });
    return value;
  }

  /** What is missing so that who made this would be proved. No fault, and yet nothing may be relied upon. */
  unproved(text: string): void {
    this.hasUnproved = true;
    this.notProved.unshift(printable(text));
  }

  /** As {@link ask}, for what may be neither: nothing is said when `work` finds no fault and answers false. */
  async askIfProved(yes: () => string, no: string, work: () => Promise<boolean>): Promise<void> {
    const before = this.faults;
    const isProved = await work();
    const ok = this.faults === before;
    if (ok && !isProved) return;
    this.statements.push({ ok, text: printable(ok ? yes() : no) });
  }

  get verdict(): 'valid' | 'unproved' | 'invalid' {
    if (this.findings.length > 0) return 'invalid';
    return this.hasUnproved ? 'unproved' : 'valid';
  }

  equal(path: string, what: string, actual: unknown, expected: unknown): void {
    if (actual !== expected) this.fault(path, `${what} is not what the log recorded.`);
  }
}

/** Bounded, one line, without characters that could rewrite the text around them. */
export function printable(text: string): string {
  const safe = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\ufffd');
  return safe.length > MAX_TEXT ? `${safe.slice(0, MAX_TEXT)}...` : safe;
}
