import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

/** Who may import whom (docs/architecture.md). A rule that is broken names the file and the import. */

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const SOURCE = join(ROOT, 'src');

interface Import {
  readonly file: string;
  /** A path below src/, or a package name. */
  readonly target: string;
  readonly typeOnly: boolean;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return name === 'testing' ? [] : sourceFiles(path);
    return name.endsWith('.ts') && !name.endsWith('.spec.ts') ? [path] : [];
  });
}

const IMPORT = /^import\s+(type\s+)?([\s\S]*?)\s*from\s+'([^']+)'|^import\s+'([^']+)'/gm;

function importsOf(path: string): Import[] {
  const file = relative(SOURCE, path);
  return [...readFileSync(path, 'utf8').matchAll(IMPORT)].map((match) => {
    const specifier = match[3] ?? match[4] ?? '';
    const target = specifier.startsWith('.')
      ? relative(SOURCE, resolve(dirname(path), specifier))
      : specifier;
    const names = (match[2] ?? '').replace(/[{}\s]/g, ' ').split(',');
    const typeOnly =
      match[1] !== undefined || names.every((name) => name.trim() === '' || name.trim().startsWith('type '));
    return { file, target, typeOnly: typeOnly && match[3] !== undefined };
  });
}

const imports = sourceFiles(SOURCE).flatMap(importsOf);
const isOurs = (target: string): boolean =>
  /^[a-z-]+\//.test(target) && target.endsWith('.js') && !target.startsWith('node:');
const moduleOf = (path: string): string => path.split('/')[0] ?? '';
const offenders = (found: readonly Import[]): string[] =>
  found.map(({ file, target }) => `${file} imports ${target}`);

/** Modules with business in them. */
const BUSINESS = [
  'identity',
  'assets',
  'generation',
  'provenance',
  'licenses',
  'contributions',
  'audit',
  'reports',
  'recovery',
];
/** Frameworks and drivers that rules must not know. */
const FRAMEWORK =
  /^(@nestjs|fastify|@fastify|typeorm|pg|pg-boss|sharp|pdfkit|undici|@contentauth|@fal-ai|rxjs)/;
const IO = /^node:(fs|net|http|https|child_process|dns|tls|worker_threads)/;

describe('architecture', () => {
  it('looks at the whole source', () => {
    expect(imports.length).toBeGreaterThan(500);
  });

  it('shared imports nothing of ours, no framework, and does no I/O', () => {
    const found = imports.filter(
      ({ file, target }) =>
        moduleOf(file) === 'shared' &&
        ((isOurs(target) && moduleOf(target) !== 'shared') || FRAMEWORK.test(target) || IO.test(target)),
    );
    expect(offenders(found)).toEqual([]);
  });

  it('the pure log and its verifier import no framework, do no I/O, and know nothing but shared', () => {
    const found = imports.filter(
      ({ file, target }) =>
        /^audit\/(core|verify)\//.test(file) &&
        (FRAMEWORK.test(target) ||
          IO.test(target) ||
          (isOurs(target) && !/^(shared|audit\/(core|verify))\//.test(target))),
    );
    expect(offenders(found)).toEqual([]);
  });

  it('domain code imports no framework and does no I/O', () => {
    const found = imports.filter(
      ({ file, target, typeOnly }) =>
        /\/domain\//.test(file) && !typeOnly && (FRAMEWORK.test(target) || IO.test(target)),
    );
    expect(offenders(found)).toEqual([]);
  });

  it('domain code depends on no application, adapter or http code', () => {
    const found = imports.filter(
      ({ file, target }) => /\/domain\//.test(file) && /\/(application|adapters|http)\//.test(target),
    );
    expect(offenders(found)).toEqual([]);
  });

  it('controllers reach storage and vendors through use cases', () => {
    const found = imports.filter(
      ({ file, target }) =>
        /^[a-z]+\/http\//.test(file) &&
        /\/adapters\//.test(target) &&
        // Rows and their repositories: reading a list needs no use case of its own.
        !/\.(repository|entity)\.js$/.test(target),
    );
    expect(offenders(found)).toEqual([]);
  });

  it('nothing but the composition root and the command line imports generation or reports', () => {
    const found = imports.filter(
      ({ file, target }) =>
        BUSINESS.includes(moduleOf(file)) &&
        ['generation', 'reports'].includes(moduleOf(target)) &&
        isOurs(target) &&
        moduleOf(target) !== moduleOf(file),
    );
    expect(offenders(found)).toEqual([]);
  });

  it('modules with the facts do not know those that use them', () => {
    const allowed: Record<string, readonly string[]> = {
      audit: ['identity'],
      licenses: ['audit', 'identity'],
      provenance: ['assets', 'audit', 'identity'],
      recovery: ['assets', 'audit', 'identity', 'provenance'],
      identity: ['audit'],
      assets: ['audit', 'identity', 'provenance', 'licenses'],
      contributions: ['assets', 'audit', 'identity', 'licenses', 'provenance'],
      generation: ['assets', 'audit', 'identity', 'licenses', 'provenance'],
      reports: ['assets', 'audit', 'contributions', 'identity', 'licenses', 'provenance'],
    };
    const found = imports.filter(({ file, target }) => {
      const [from, to] = [moduleOf(file), moduleOf(target)];
      return (
        BUSINESS.includes(from) &&
        BUSINESS.includes(to) &&
        isOurs(target) &&
        from !== to &&
        !allowed[from]?.includes(to)
      );
    });
    expect(offenders(found)).toEqual([]);
  });

  it('provenance takes nothing of the log but its pure verifier of certificates and time-stamps', () => {
    const found = imports.filter(
      ({ file, target }) =>
        moduleOf(file) === 'provenance' &&
        moduleOf(target) === 'audit' &&
        !target.startsWith('audit/verify/'),
    );
    expect(offenders(found)).toEqual([]);
  });

  it('only OrganizationTx and the composition root hold a data source that could reach tenant tables', () => {
    const found = imports.filter(
      ({ file, target, typeOnly }) =>
        target.startsWith('typeorm') &&
        !typeOnly &&
        BUSINESS.includes(moduleOf(file)) &&
        /DataSource/.test(readFileSync(join(SOURCE, file), 'utf8')) &&
        !/type DataSource/.test(readFileSync(join(SOURCE, file), 'utf8')),
    );
    expect(offenders(found)).toEqual([]);
  });

  it('only config reads the environment', () => {
    const found = sourceFiles(SOURCE)
      .map((path) => relative(SOURCE, path))
      .filter((file) => !/^(config|cli)\//.test(file) && file !== 'main.ts')
      .filter((file) => /process\.env/.test(readFileSync(join(SOURCE, file), 'utf8')));
    expect(found).toEqual([]);
  });

  it('every outside address is fetched through the guarded fetch', () => {
    const found = sourceFiles(SOURCE)
      .map((path) => relative(SOURCE, path))
      // The page runs in a browser; the command line fetches what its user names.
      .filter((file) => !/^(outbound|cli)\//.test(file) && !file.includes('start-page'))
      .filter((file) =>
        /(?<![.#\w]|async )fetch\(|from 'undici'|from 'node:https?'/.test(withoutTypes(file)),
      );
    expect(found).toEqual([]);
  });

  it('whoever asks what a decision rests on asks the decision that wrote it down', () => {
    // With the decision's own id there is no row for most of them, and nothing would seem to stand against it.
    const byBasis = ['record-basis.ts', 'recorded-outlooks.ts', 'clearance-standing.ts'];
    const wrong = sourceFiles(SOURCE).filter((path) => {
      const text = readFileSync(path, 'utf8');
      const asked = text.match(/(?:FROM|JOIN) clearance_listing/g)?.length ?? 0;
      const named = text.match(/coalesce\((?:\w+\.)?basis_id, (?:\w+\.)?id\)/g)?.length ?? 0;
      return asked > named && !byBasis.some((name) => path.endsWith(`licenses/application/${name}`));
    });
    expect(wrong.map((path) => relative(SOURCE, path))).toEqual([]);
  });

  it('no file hides behind a name that says nothing', () => {
    const found = sourceFiles(SOURCE).filter((path) =>
      /(^|\/)(index|utils?|helpers?|common|misc|manager)\.ts$/.test(path),
    );
    expect(found).toEqual([]);
  });
});

function withoutTypes(file: string): string {
  return readFileSync(join(SOURCE, file), 'utf8').replace(
    /^import \{ type [^}]*\} from 'node:https?';$/gm,
    '',
  );
}
