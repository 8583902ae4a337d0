#!/usr/bin/env node
import { existsSync } from 'node:fs';

const program = new URL('../dist/src/cli/colophon.js', import.meta.url);
if (existsSync(program)) {
  await import(program.href);
} else {
  console.error('colophon: the program is not built yet; run: npm run build');
  process.exitCode = 2;
}
