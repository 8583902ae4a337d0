import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FORMAT_ERROR_CODES, type FormatErrorCode } from './format-error.js';
import { importDocument } from './import-document.js';
import { IMPORT_FORMATS, type ImportFormat } from './imported-listing.js';
import { MAX_DEPTH, MAX_HEADER_BYTES } from './limits.js';

const origin = { name: 'owner/model', revision: null };
const read = (format: ImportFormat, content: Uint8Array | string) =>
  importDocument({ format, content, origin });
const card = (header: string, body = '# Model\n') => `---\n${header}\n---\n${body}`;
const refusal = (format: ImportFormat, content: Uint8Array | string) => {
  const result = read(format, content);
  if (result.ok) throw new Error('the document was not refused');
  const { code, place } = result.refusal;
  return [code, place.line, place.column, place.pointer];
};

/** Time of the processor, so that other work on the machine does not count. */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
}

const LAUGHS = [
  'a: &a [lol, lol, lol]',
  ...'bcdefgh'.split('').map((to, i) => {
    const from = 'abcdefg'[i] ?? '';
    return `${to}: &${to} [*${from}, *${from}, *${from}, *${from}, *${from}, *${from}, *${from}, *${from}, *${from}]`;
  }),
].join('\n');

describe('hostile cards are refused with the place of the error', () => {
  it.each<[string, string, FormatErrorCode, number, number, string]>([
    ['a YAML bomb', card(LAUGHS), 'alias-not-allowed', 2, 7, '/a'],
    ['an alias', card('license: mit\nbase_model: *x'), 'alias-not-allowed', 3, 13, '/base_model'],
    ['an anchor', card('license: &x mit'), 'alias-not-allowed', 2, 13, '/license'],
    ['a merge key', card('x: &x {license: mit}\n<<: *x'), 'alias-not-allowed', 2, 7, '/x'],
    [
      'a tag that runs code elsewhere',
      card('license: !!js/function "x"'),
      'tag-not-allowed',
      2,
      24,
      '/license',
    ],
    ['a tag of its own', card('license: !mit x'), 'tag-not-allowed', 2, 15, '/license'],
    ['a tag of the core schema', card('license: !!str mit'), 'tag-not-allowed', 2, 16, '/license'],
    ['a key twice', card('license: mit\ntags: [a]\nlicense: other'), 'duplicate-key', 4, 1, '/license'],
    ['a key twice further in', card('license: mit\nx:\n  a: 1\n  a: 2'), 'duplicate-key', 5, 3, '/x/a'],
    [
      'a key that reaches the prototype',
      card('license: mit\n__proto__: {x: 1}'),
      'forbidden-key',
      3,
      1,
      '/__proto__',
    ],
    ['another one', card('x: {constructor: {prototype: 1}}'), 'forbidden-key', 2, 5, '/x/constructor'],
    ['a second document', card('license: mit\n...\nlicense: other'), 'multiple-documents', 4, 1, ''],
    ['no header', '# Model\n', 'header-missing', 1, 1, ''],
    ['an empty document', '', 'header-missing', 1, 1, ''],
    ['a header that does not end', '---\nlicense: mit\n', 'header-not-closed', 1, 1, ''],
    ['a second byte order mark', '\ufeff\ufeff---\nlicense: mit\n---\n', 'header-missing', 1, 1, ''],
    ['a license that is a number', card('license: 3.0'), 'wrong-type', 2, 10, '/license'],
    ['a license that is a map', card('license: {id: mit}'), 'wrong-type', 2, 10, '/license'],
    ['a license that is true', card('license: true'), 'wrong-type', 2, 10, '/license'],
    ['a license that is empty', card('license: ""'), 'wrong-type', 2, 10, '/license'],
    ['a list in a list', card('base_model: [[a]]'), 'wrong-type', 2, 14, '/base_model/0'],
    ['a header that is a list', card('- license'), 'wrong-type', 2, 1, ''],
    ['a header that is a text', card('license'), 'wrong-type', 2, 1, ''],
    ['an empty header', card(''), 'wrong-type', 2, 1, ''],
    ['not a number', card('x: .nan'), 'non-finite-number', 2, 4, '/x'],
    ['infinity', card('x: [-.inf]'), 'non-finite-number', 2, 5, '/x/0'],
    ['a key that is a map', card('? {a: 1}\n: 2'), 'wrong-type', 2, 3, ''],
    ['a tab as indentation', card('x:\n\ta: 1'), 'malformed', 3, 1, ''],
    ['a quotation that does not end', card('license: "mit'), 'malformed', 2, 14, ''],
    ['brackets without end', card(`x: ${'['.repeat(100_000)}`), 'too-deep', 2, 68, ''],
    ['indicators without end', card(`${'- '.repeat(50_000)}x`), 'too-deep', 2, 1, ''],
    ['keys without end', card(`${'? '.repeat(50_000)}x`), 'too-deep', 2, 1, ''],
    [
      'indentation without end',
      card(Array.from({ length: 400 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')),
      'too-deep',
      259,
      1,
      '',
    ],
    ['a list too long', card(`tags: [${'a,'.repeat(1_001)}]`), 'too-many-values', 2, 7, '/tags'],
    ['a name too long', card(`license: ${'a'.repeat(301)}`), 'too-long', 2, 10, '/license'],
  ])('%s', (_what, content, code, line, column, pointer) => {
    expect(refusal('hugging-face-model', content)).toEqual([code, line, column, pointer]);
  });

  it('refuses 10 MB before it looks at them', () => {
    const started = process.cpuUsage();
    expect(refusal('hugging-face-model', card(`x: ${'a'.repeat(10_000_000)}`))[0]).toBe('too-large');
    expect(refusal('hugging-face-model', card(`x: ${'a'.repeat(MAX_HEADER_BYTES)}`))[0]).toBe('too-large');
    expect(refusal('cyclonedx', `"${'a'.repeat(10_000_000)}"`)[0]).toBe('too-large');
    expect(cpuMs(started)).toBeLessThan(2_000);
  });

  it.each([
    ['many keys', Array.from({ length: 15_000 }, (_, i) => `a${String(i)}:`).join('\n')],
    ['many quotes', '"\n'.repeat(60_000)],
    ['many colons', ': '.repeat(60_000)],
    ['many comments', '#\n'.repeat(60_000)],
    ['one long line', `x: ${'a '.repeat(60_000)}`],
    ['many anchors', '&a '.repeat(40_000)],
    ['many tags', '!a '.repeat(40_000)],
    ['many dashes', '---x\n'.repeat(25_000)],
    ['many pairs of brackets', '[]'.repeat(60_000)],
    ['a block text', `x: |\n${' \n'.repeat(60_000)}`],
    ['many commas', `[${','.repeat(120_000)}]`],
    ['many percent signs', '%a\n'.repeat(40_000)],
  ])('does not hang over %s', (_what, header) => {
    const started = process.cpuUsage();
    read('hugging-face-model', card(header));
    expect(cpuMs(started)).toBeLessThan(10_000);
  });

  it('reads what editors make of a card', () => {
    for (const content of [
      '\ufeff---\nlicense: mit\n---\n',
      '---\r\nlicense: mit\r\n---\r\n# Model\r\n',
      '---  \nlicense: mit\n---',
      Buffer.from('---\nlicense: mit\n---\nGrüße'),
    ]) {
      const result = read('hugging-face-model', content);
      expect(result.ok && result.listings[0]?.declaredLicense.spdx).toBe('MIT');
    }
  });

  it('never reads the body', () => {
    const result = read(
      'hugging-face-model',
      card('tags: [a]', 'license: mit\n---\nlicense: apache-2.0\n---\n'),
    );
    expect(result.ok && result.listings[0]?.declaredLicense.status).toBe('absent');
  });

  it('refuses other encodings', () => {
    expect(refusal('hugging-face-model', Buffer.from('\ufeff---\nlicense: mit\n---\n', 'utf16le'))[0]).toBe(
      'not-utf8',
    );
    expect(refusal('cyclonedx', Uint8Array.from([0x22, 0xff, 0x22]))[0]).toBe('not-utf8');
  });
});

const BOM = '"bomFormat":"CycloneDX","specVersion":"1.6"';

describe('hostile JSON is refused with the place of the error', () => {
  it.each<[string, string, FormatErrorCode, number, number, string]>([
    ['nothing', '', 'malformed', 1, 1, ''],
    ['half a value', '{"a":', 'malformed', 1, 6, '/a'],
    ['two values', '{}\n{}', 'malformed', 2, 1, ''],
    ['a comment', '{} // x', 'malformed', 1, 4, ''],
    ['a comma too many', '[1,]', 'malformed', 1, 4, '/1'],
    ['a key without quotes', '{a:1}', 'malformed', 1, 2, ''],
    ['a key twice', '{"a":1,\n "a":2}', 'duplicate-key', 2, 2, '/a'],
    ['the same key in another spelling', '{"a":1,"\\u0061":2}', 'duplicate-key', 1, 8, '/a'],
    ['a key that reaches the prototype', '{"x":{"__proto__":{}}}', 'forbidden-key', 1, 7, '/x/__proto__'],
    ['the same key in another spelling', '{"\\u005f_proto__":{}}', 'forbidden-key', 1, 2, '/__proto__'],
    ['another one', '[{"constructor":1}]', 'forbidden-key', 1, 3, '/0/constructor'],
    ['NaN', '{"a":NaN}', 'non-finite-number', 1, 6, '/a'],
    ['Infinity', '[Infinity]', 'non-finite-number', 1, 2, '/0'],
    ['minus infinity', '[-Infinity]', 'non-finite-number', 1, 2, '/0'],
    ['a number too large', '{"a":1e999}', 'non-finite-number', 1, 6, '/a'],
    ['a number with a zero before it', '[01]', 'malformed', 1, 3, ''],
    ['an unpaired surrogate', '["\\ud800"]', 'malformed', 1, 2, '/0'],
    ['an escape that does not exist', '["\\x41"]', 'malformed', 1, 2, '/0'],
    ['a control character', '["a\nb"]', 'malformed', 1, 4, '/0'],
    ['a text without end', '["a', 'malformed', 1, 2, '/0'],
    ['brackets without end', '['.repeat(1_000_000), 'too-deep', 1, MAX_DEPTH + 1, '/0'.repeat(MAX_DEPTH)],
    ['another format', '{"bomFormat":"SPDX"}', 'format-not-recognized', 1, 14, '/bomFormat'],
    [
      'an unknown version',
      '{"bomFormat":"CycloneDX","specVersion":"9.9"}',
      'version-not-supported',
      1,
      40,
      '/specVersion',
    ],
    ['components that are a text', `{${BOM},"components":"x"}`, 'wrong-type', 1, 59, '/components'],
    [
      'a license that is a list',
      `{${BOM},"components":[{"type":"data","name":"x","licenses":[[]]}]}`,
      'wrong-type',
      1,
      98,
      '/components/0/licenses/0',
    ],
    [
      'a component without a name',
      `{${BOM},"components":[{"type":"data"}]}`,
      'missing-field',
      1,
      60,
      '/components/0',
    ],
    [
      'one bom-ref twice',
      `{${BOM},"components":[{"bom-ref":"a"},{"bom-ref":"a"}]}`,
      'duplicate-id',
      1,
      76,
      '/components/1',
    ],
  ])('%s', (_what, content, code, line, column, pointer) => {
    expect(refusal('cyclonedx', content)).toEqual([code, line, column, pointer]);
  });

  it('refuses more values than it would keep', () => {
    expect(refusal('cyclonedx', `[${'1,'.repeat(200_000)}1]`)[0]).toBe('too-many-values');
  });
});

describe('contexts of JSON-LD are compared, never fetched', () => {
  const spdx = (context: string) => `{"@context":${context},"@graph":[]}`;
  const croissant = (context: string, more = '') =>
    `{"@context":${context},"@type":"sc:Dataset","name":"x","license":"MIT"${more}}`;

  it.each([
    ['another address', spdx('"https://example.com/context.jsonld"')],
    ['a list', spdx('["https://spdx.org/rdf/3.0.1/spdx-context.jsonld",{"x":"y"}]')],
    ['a map', spdx('{"name":"https://example.com/name"}')],
    ['none', '{"@graph":[]}'],
    [
      'a second one further in',
      '{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[{"@context":"x"}]}',
    ],
  ])('SPDX with %s', (_what, content) => {
    expect(refusal('spdx-3', content)[0]).toBe('context-not-supported');
  });

  it.each([
    ['an unknown address', croissant('"https://example.com/c.jsonld"')],
    ['an unknown address in a list', croissant('["https://schema.org/","https://example.com/c"]')],
    [
      'another meaning of license',
      croissant('{"@vocab":"https://schema.org/","license":"https://example.com/notLicense"}'),
    ],
    ['another meaning of license in a map', croissant('{"license":{"@id":"https://example.com/x"}}')],
    ['another prefix sc', croissant('{"sc":"https://example.com/"}')],
    ['another vocabulary', croissant('{"@vocab":"https://example.com/"}')],
    ['an import', croissant('{"@import":"https://example.com/"}')],
    ['none', '{"@type":"sc:Dataset","name":"x"}'],
    [
      'a second one further in',
      croissant('"https://schema.org/"', ',"creator":{"@context":"https://schema.org/","name":"x"}'),
    ],
  ])('Croissant with %s', (_what, content) => {
    expect(refusal('croissant', content)[0]).toBe('context-not-supported');
  });
});

describe('whatever the document', () => {
  const formats = fc.constantFrom(...IMPORT_FORMATS);

  it('a refusal has a known code and a place, and nothing else is thrown', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc
        .string({ unit: fc.constantFrom(...'-?:{}[]&*!|>#\'"%@, \n\tab\\'.split('')), maxLength: 60 })
        .map((text) => card(text)),
      fc.json().map((text) => card(text)),
      fc.json(),
    );
    fc.assert(
      fc.property(formats, noise, (format, content) => {
        const result = read(format, content);
        if (result.ok) return;
        expect(FORMAT_ERROR_CODES).toContain(result.refusal.code);
        expect(result.refusal.place.line).toBeGreaterThan(0);
        expect(result.refusal.place.column).toBeGreaterThan(0);
      }),
      { numRuns: 600 },
    );
  });

  it('fields of any type in the right places are read or refused, and pollute nothing', () => {
    const names = fc.constantFrom(
      'license',
      'license_name',
      'license_link',
      'base_model',
      'base_model_relation',
      'datasets',
      'tags',
      '__proto__',
      'constructor',
    );
    const header = fc.array(fc.tuple(names, fc.jsonValue({ maxDepth: 3 })), { maxLength: 6 });
    fc.assert(
      fc.property(header, (fields) => {
        read(
          'hugging-face-model',
          card(fields.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join('\n')),
        );
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
