#!/usr/bin/env node
// Writes src/reports/verifier-page/verify.html: one file, with everything inside, readable as it is. TypeScript is the
// only tool: each module becomes CommonJS and is joined to the others by a function that looks it up by name.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const FOLDER = join(ROOT, 'src/reports/verifier-page');
const JOSE = join(ROOT, 'node_modules/jose/dist/webapi');

const BUFFER = join(FOLDER, 'browser-buffer.js');

/** What a browser has otherwise, and the parts of a package that are used. */
const REPLACED = {
  'node:crypto': [join(FOLDER, 'browser-crypto.js')],
  jose: [join(JOSE, 'jws/compact/verify.js'), join(JOSE, 'key/import.js')],
  '@noble/hashes/crypto': [join(ROOT, 'node_modules/@noble/hashes/esm/crypto.js')],
  '@noble/hashes/sha2.js': [join(ROOT, 'node_modules/@noble/hashes/esm/sha2.js')],
};

function targetsOf(specifier, importer) {
  if (REPLACED[specifier]) return REPLACED[specifier];
  if (!specifier.startsWith('.')) throw new Error(`${relative(ROOT, importer)} imports ${specifier}`);
  const path = resolve(dirname(importer), specifier);
  const source = path.replace(/\.js$/, '.ts');
  return [existsSync(source) ? source : path];
}

const options = {
  module: ts.ModuleKind.CommonJS,
  target: ts.ScriptTarget.ES2022,
  removeComments: true,
  esModuleInterop: true,
  allowJs: true,
};

function bundle(entry) {
  const modules = new Map();
  const visit = (path) => {
    if (modules.has(path)) return;
    modules.set(path, '');
    const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), {
      compilerOptions: options,
      fileName: path,
    });
    const code = outputText.replace(/\brequire\("([^"]+)"\)/g, (_, specifier) => {
      const targets = targetsOf(specifier, path);
      targets.forEach(visit);
      return `load(${targets.map((target) => JSON.stringify(nameOf(target))).join(', ')})`;
    });
    modules.set(path, code);
  };
  visit(BUFFER);
  visit(entry);
  const parts = [...modules].map(
    ([path, code]) =>
      `modules[${JSON.stringify(nameOf(path))}] = (exports, load${path === BUFFER ? '' : ', Buffer'}) => {\n${code}};\n`,
  );
  return `'use strict';
const modules = {}, loaded = {};
function load(...names) {
  if (names.length > 1) return Object.assign({}, ...names.map((name) => load(name)));
  const [name] = names;
  if (!loaded[name]) {
    loaded[name] = {};
    const buffer = name.endsWith('browser-buffer.js') ? undefined : load('src/reports/verifier-page/browser-buffer.js').Buffer;
    modules[name](loaded[name], load, buffer);
  }
  return loaded[name];
}
${parts.join('')}load(${JSON.stringify(nameOf(entry))});
`;
}

const nameOf = (path) => relative(ROOT, path);
const sourceHash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

export function buildVerifierPage() {
  const read = (name) => readFileSync(join(FOLDER, name), 'utf8');
  // What could end the element early stands in no source; better to notice.
  const script = `\n${bundle(join(FOLDER, 'page.js'))}`;
  if (/<\/script|<!--/i.test(script)) throw new Error('the script would end its own element');
  const style = `\n${read('page.css')}`;
  const policy = [
    "default-src 'none'",
    `script-src ${sourceHash(script)}`,
    `style-src ${sourceHash(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const licenses = ['jose/LICENSE.md', '@noble/hashes/LICENSE']
    .map((path) => `${path}\n\n${readFileSync(join(ROOT, 'node_modules', path), 'utf8').trim()}`)
    .join('\n\n\n')
    .replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  return read('page.html')
    .replace('<pre></pre>', () => `<pre>${licenses}</pre>`)
    .replace('POLICY', () => policy)
    .replace('<style></style>', () => `<style>${style}</style>`)
    .replace('<script></script>', () => `<script>${script}</script>`);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(FOLDER, 'verify.html'), buildVerifierPage());
