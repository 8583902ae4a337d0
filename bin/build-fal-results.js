#!/usr/bin/env node
// Writes src/generation/registry/fal-results.json: what each model of fal answers with, as the types of fal's own client
// (made from the schemas of the models) say. Shapes with the endpoints that have them; an endpoint with `[]` beside its
// member answers with a list of files.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const PACKAGE = join(ROOT, 'node_modules/@fal-ai/client');
const TYPES = join(PACKAGE, 'src/types/endpoints.d.ts');
const TARGET = join(ROOT, 'src/generation/registry/fal-results.json');
/** What stands beside the file, as far as it is handed on (gateway/domain/fal-result.ts). */
const BESIDE = ['seed', 'timings', 'has_nsfw_concepts', 'prompt'];
/** In this order: of a result with several files the first one is what the model is used for. */
const FILES = [
  'images',
  'image',
  'videos',
  'video',
  'audios',
  'audio',
  'audio_file',
  'model_glb',
  'model_mesh',
];

const program = ts.createProgram([TYPES], {
  skipLibCheck: true,
  strict: true,
  target: ts.ScriptTarget.ES2022,
});
const checker = program.getTypeChecker();
const source = program.getSourceFile(TYPES);
const declared = source.statements.find(
  (node) => ts.isTypeAliasDeclaration(node) && node.name.text === 'EndpointTypeMap',
);
const endpoints = checker.getTypeAtLocation(declared).getProperties();

const typeOf = (symbol) => checker.getNonNullableType(checker.getTypeOfSymbolAtLocation(symbol, declared));
const members = (type) =>
  (type.isUnion() ? type.types : [type]).flatMap((one) => one.getProperties().map(({ name }) => name));
const isFile = (type) => members(type).includes('url');

const shapes = {};
for (const endpoint of endpoints) {
  const output = checker.getTypeOfSymbolAtLocation(endpoint, declared).getProperty('output');
  const answer = typeOf(output);
  const found = FILES.flatMap((name) => {
    const member = answer.getProperty(name);
    if (member === undefined) return [];
    const type = typeOf(member);
    if (checker.isArrayType(type)) {
      const [item] = checker.getTypeArguments(type);
      return item && isFile(checker.getNonNullableType(item)) ? [`${name}[]`] : [];
    }
    return isFile(type) ? [name] : [];
  });
  if (found.length === 0) continue;
  const beside = BESIDE.filter((name) => answer.getProperty(name) !== undefined);
  (shapes[[found[0], ...beside].join(' ')] ??= []).push(endpoint.name);
}
const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'));
const sorted = Object.fromEntries(
  Object.entries(shapes)
    .sort()
    .map(([shape, names]) => [shape, names.sort()]),
);
writeFileSync(
  TARGET,
  `${JSON.stringify({ source: `types of @fal-ai/client ${version} (MIT)`, shapes: sorted }, null, 2)}\n`,
);
console.log(
  `${Object.values(sorted).flat().length} of ${endpoints.length} endpoints, ${Object.keys(sorted).length} shapes`,
);
