import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ERROR_CODES } from '../shared/errors.js';
import { DIGITAL_SOURCE_TYPES } from '../provenance/domain/manifest-plan.js';
import { PURPOSES } from '../licenses/domain/terms.js';

/** What the script exports for this test; in the browser nobody imports it. */
interface Words {
  readable(value: unknown, maxLength?: number): string;
  actionWords(action: { action?: unknown; description?: unknown }): { words: string; term: string };
  sourceWords(digitalSourceType: unknown): string;
  relationWords(relationship: unknown): string;
  checkpointPath(origin: unknown): string | undefined;
  sizeWords(sizeBytes: unknown): string;
  timeWords(text: unknown): string;
  problemWords(
    status: number,
    body: unknown,
    retryAfter: string | null,
  ): { title: string; detail: string; howToFix: string; code: string };
  rawRecord(node: Readonly<Record<string, unknown>>): string;
}

const folder = new URL('./start-page/', import.meta.url);
const source = (name: string) => readFile(new URL(name, folder), 'utf8');

let html: string;
let script: string;
let styles: string;
let words: Words;
beforeAll(async () => {
  [html, script, styles] = await Promise.all(
    ['index.html', 'start-page.js', 'start-page.css'].map(source) as [
      Promise<string>,
      Promise<string>,
      Promise<string>,
    ],
  );
  words = (await import(new URL('start-page.js', folder).pathname)) as Words;
});

/** Everything that can turn text around, hide it, or break out of its line; a lone half of a pair is `Cs`. */
const REWRITING =
  /\p{Cc}|\p{Zl}|\p{Zp}|\p{Cs}|\p{Bidi_Control}|[\u00ad\u200b\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/u;
const hostileText = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom('\u202e', '\u2066', '\u0000', '\n', '\u{e0041}', '\ud800', '<'),
  ),
  maxLength: 900,
});

describe('the files under the content security policy', () => {
  it('hold no inline script, style or event handler', () => {
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|javascript:/i);
  });

  it('fetch nothing from elsewhere', () => {
    const addresses = [...html.matchAll(/\s(?:href|src|action)="([^"]*)"/g)].map((match) => match[1] ?? '');
    expect(addresses.length).toBeGreaterThan(10);
    for (const address of addresses) expect(address).toMatch(/^(\/(?!\/)|#|data:image\/svg\+xml,)/);
    expect(styles).not.toMatch(/@import|url\(/);
    expect(script).not.toMatch(/import\s*\(|^import /m);
  });

  it('never make markup or code of text', () => {
    expect(script).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc|createContextualFragment|\beval\b|new Function|\.style\b/,
    );
  });

  it('name only ids that exist', () => {
    const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
    const named = [
      ...[...html.matchAll(/\shref="#([^"]+)"/g)].map((match) => match[1]),
      ...[...html.matchAll(/\s(?:for|data-copies)="([^"]+)"/g)].map((match) => match[1]),
      ...[...html.matchAll(/\saria-(?:labelledby|describedby)="([^"]+)"/g)].flatMap((match) =>
        match[1]?.split(' '),
      ),
      ...[...script.matchAll(/'(icon-[a-z]+)'/g)].map((match) => match[1]),
      ...[...script.matchAll(/byId\('([^']+)'\)/g)].map((match) => match[1]),
    ].filter((id) => id !== 'verdict-title' && id !== 'failure-icon');
    expect(ids).toEqual(expect.arrayContaining(named.filter((id) => id !== 'icon-' && id !== undefined)));
  });

  it('offer a run whose facts the engine knows', () => {
    const snippet = /id="snippet-run"[^>]*>([\s\S]*?)<\/code>/.exec(html)?.[1] ?? '';
    const body = /-d '([\s\S]*)'$/.exec(snippet.trim())?.[1]?.replace(`"'"$PROJECT"'"`, '"prj_1"') ?? '';
    const run = JSON.parse(body) as { facts: { purpose: string }; pipeline: string };
    expect(PURPOSES).toContain(run.facts.purpose);
    expect(run.pipeline).toBe('product-shot');
  });
});

describe('text from a file', () => {
  it('cannot turn around, hide or push away what stands beside it', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const shown = words.readable(text);
        expect(shown).not.toMatch(REWRITING);
        expect(shown.length).toBeLessThanOrEqual(301);
      }),
    );
    expect(words.readable('photo\u202egnp.exe')).toBe('photo\ufffdgnp.exe');
  });

  it('keeps the letters of people', () => {
    for (const name of ['Jörg Müller', 'עברית', 'نمی‌خواهم', '写真.png', 'क्‍ष', '👩‍🎨 art']) {
      expect(words.readable(name)).toBe(name);
    }
  });

  it('that is no text at all is nothing', () => {
    for (const value of [undefined, null, 5, {}, [], { toString: () => 'x' }]) {
      expect(words.readable(value)).toBe('');
    }
  });

  it('stays readable as a record, and shows what it hides', () => {
    const record = words.rawRecord({ title: 'a\u202eb\u0000\u{e0041}', ingredients: [{}, {}] });
    expect(record).toContain('a\\u202eb\\u0000\\udb40\\udc41');
    expect(record).toContain('(2, shown as nodes of their own)');
    expect(words.rawRecord({ title: 'x'.repeat(1e6) }).length).toBeLessThan(21_000);
  });
});

describe('the words of the chain', () => {
  it('tell what the signer says was done, and what the action means', () => {
    expect(words.actionWords({ action: 'c2pa.edited', description: 'Background removed' })).toEqual({
      words: 'Background removed',
      term: 'Edited',
    });
    expect(words.actionWords({ action: 'c2pa.cropped', description: 'cropped' })).toEqual({
      words: 'Cropped',
      term: '',
    });
    expect(words.actionWords({ action: '__proto__' }).words).toBe('“__proto__”');
  });

  it('know every source type that we write ourselves', () => {
    for (const type of Object.values(DIGITAL_SOURCE_TYPES)) {
      expect(words.sourceWords(type)).not.toMatch(/do not know/);
    }
  });

  it('guess no source type: unknown is not human', () => {
    for (const type of [
      'x',
      'humanEdits',
      'http://evil.example/digitalsourcetype/humanEdits',
      'constructor',
    ]) {
      expect(words.sourceWords(type)).toMatch(/^of a kind that we do not know/);
    }
    expect(words.sourceWords(undefined)).toBe('');
  });

  it('say how a part was used', () => {
    expect(words.relationWords(undefined)).toBe('This file');
    expect(words.relationWords(null)).toBe('This file');
    expect(words.relationWords('parentOf')).toBe('Made from');
    expect(words.relationWords('constructor')).toBe('Related as “constructor”');
  });

  it('write sizes and times', () => {
    expect(['0', 999, 1000, 1_834_233, 999_999, 2e12].map((size) => words.sizeWords(size))).toEqual([
      '',
      '999 bytes',
      '1.0 kB',
      '1.8 MB',
      '1.0 MB',
      '2000 GB',
    ]);
    expect(words.timeWords('2026-11-22T18:20:11Z')).toBe('22 November 2026 at 18:20 UTC');
    expect(words.timeWords('yesterday')).toBe('yesterday');
  });
});

describe('links and problems', () => {
  it('lead to a log on this server and nowhere else', () => {
    expect(words.checkpointPath('colophon.example/logs/0193-ab')).toBe('/logs/0193-ab/checkpoint');
    for (const origin of [
      null,
      '',
      'javascript:alert(1)//logs/../x',
      'a/logs/..',
      'a/logs/b/c',
      'a/logs/b?c',
      'a/logs/b\n',
    ]) {
      expect(words.checkpointPath(origin)).toBeUndefined();
    }
  });

  it('explain every error of the API, and when to come back', () => {
    for (const [code, { status, howToFix }] of Object.entries(ERROR_CODES)) {
      const problem = { title: code.replaceAll('_', ' '), detail: 'What happened.', howToFix, code };
      expect(words.problemWords(status, problem, null)).toMatchObject({
        detail: 'What happened.',
        howToFix,
        code,
      });
    }
    expect(words.problemWords(429, { howToFix: 'Wait.' }, '30').howToFix).toBe(
      'Wait. Try again in 30 seconds.',
    );
  });

  it('have words for a server in between that speaks no JSON', () => {
    for (const body of [undefined, null, 'x', []]) {
      expect(words.problemWords(502, body, null)).toEqual({
        title: 'The file could not be checked',
        detail: 'The server answered with status 502 and no explanation.',
        howToFix: '',
        code: '',
      });
    }
  });
});
