import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformFileSync } from '@swc/core';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** What the program is made of. */
const SOURCES = [
  'src/audit',
  'src/config',
  'src/database',
  'src/identity',
  'src/shared',
  'migrations',
  'test/crash/log',
];

/** The program of log-program.ts as JavaScript, made from the sources as they are now. */
export interface CompiledProgram {
  readonly file: string;
  remove(): void;
}

export function compileProgram(): CompiledProgram {
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  // Below dist/, so that the packages are found.
  const folder = mkdtempSync(join(ROOT, 'dist', 'log-program-'));
  for (const source of SOURCES.flatMap((name) => typeScriptFiles(join(ROOT, name)))) {
    const target = join(folder, relative(ROOT, source).replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(
      target,
      transformFileSync(source, { configFile: join(ROOT, '.swcrc'), sourceMaps: false }).code,
    );
  }
  return {
    file: join(folder, 'test/crash/log/log-program.js'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function typeScriptFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return typeScriptFiles(path);
    return name.endsWith('.ts') && !name.endsWith('.spec.ts') ? [path] : [];
  });
}
