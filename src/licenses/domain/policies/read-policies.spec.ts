import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse, policy, read } from '../../testing/policy-workshop.js';
import { checkShape, MAX_POLICIES, MAX_POLICY_BYTES } from './policy-text.js';

const ALL = '(principal, action, resource)';
const problemsOf = (text: string) => read(text).problems ?? [];
const when = (expression: string) => policy('p', `${ALL} when { ${expression} }`);

describe('a text of policies', () => {
  it('is read with what its annotations say', () => {
    const text = `// ours\n${policy('no-x', ALL, '@severity("review") @message("No \\"x\\".") @fix("Take y.")')}`;
    expect(read(text).policies).toMatchObject([
      { id: 'no-x', severity: 'review', message: 'No "x".', fix: 'Take y.' },
    ]);
    expect(read('').policies).toEqual([]);
    expect(read('// nothing yet').policies).toEqual([]);
  });

  it.each<[string, string, RegExp]>([
    ['an attribute that does not exist', when('resource.lineage.vendorz.contains("x")'), /vendorz/],
    ['a word that is none', when('resource.purpose == Purpose::"comercial"'), /comercial/],
    ['a country that is none', when('resource.countries.contains(Country::"UK")'), /UK/],
    ['a string in the place of a word', when('resource.purpose == "commercial"'), /not compatible/],
    ['an action that is none', policy('p', '(principal, action == Action::"publish", resource)'), /publish/],
    ['human work before there is any', when('context.humanContribution'), /humanContribution/],
    ['an attribute that may be missing', when('resource.useCase == "x"'), /optional attribute/],
    [
      'a number for an answer',
      policy('p', '(principal == Person::"x", action, resource) when { 1 }'),
      /Bool/,
    ],
    ['half a policy', `@id("p") forbid (principal`, /unexpected end|invalid/],
    ['a template', policy('p', '(principal == ?principal, action, resource)'), /template/],
  ])('is refused for %s', (_what, text, message) => {
    expect(
      problemsOf(text)
        .map((problem) => problem.message)
        .join(),
    ).toMatch(message);
  });

  it('is refused with the line and the column, counted in characters', () => {
    const text = `// Grüße 👋\n@id("p") @severity("deny") @message("ü") forbid ${ALL}\n  when { resource.nope };`;
    expect(problemsOf(text)).toMatchObject([{ line: 3, column: 10 }]);
  });

  it('is taken with a warning when it can never match', () => {
    const { policies, warnings } = { warnings: undefined, ...read(when('false')) };
    expect(policies).toHaveLength(1);
    expect(warnings).toMatchObject([{ line: 1, message: expect.stringContaining('impossible') }]);
  });

  it('is refused for a permit, which would change nothing', () => {
    const [problem] = problemsOf(`@id("p") @severity("deny") @message("m") permit ${ALL};`);
    expect(problem).toMatchObject({ policyId: 'p', line: 1, column: 1 });
    expect(problem?.message).toContain('permit changes nothing');
  });

  it.each<[string, string]>([
    ['no id', `@severity("deny") @message("m") forbid ${ALL};`],
    ['an id with spaces', policy('a b', ALL)],
    ['an id of this program', policy('blocked-term', ALL)],
    ['an id that every object has', policy('__proto__', ALL)],
    ['no severity', `@id("p") @message("m") forbid ${ALL};`],
    ['a severity that allows', policy('p', ALL, '@severity("allow") @message("m")')],
    ['a note', policy('p', ALL, '@severity("note") @message("m")')],
    ['no message', policy('p', ALL, '@severity("deny")')],
    ['an empty message', policy('p', ALL, '@severity("deny") @message("")')],
    ['a message that reads backward', policy('p', ALL, '@severity("deny") @message("a\\u{202e}b")')],
    ['a message of two lines', policy('p', ALL, '@severity("deny") @message("a\\nb")')],
    ['a message with NUL', policy('p', ALL, '@severity("deny") @message("a\\0b")')],
    ['a very long message', policy('p', ALL, `@severity("deny") @message("${'a'.repeat(501)}")`)],
    ['an annotation that nobody knows', policy('p', ALL, '@severity("deny") @message("m") @waivable')],
    ['an annotation of a prototype', policy('p', ALL, '@severity("deny") @message("m") @__proto__("x")')],
    ['an id twice in a policy', policy('p', ALL, '@id("q") @severity("deny") @message("m")')],
    ['an id twice in a set', `${policy('p', ALL)}\n${policy('p', ALL)}`],
  ])('is refused for %s', (_what, text) => {
    expect(problemsOf(text)).not.toEqual([]);
    expect(read(text).policies).toBeUndefined();
  });

  it('may name a policy as objects name their own parts', () => {
    expect(read(policy('constructor', ALL)).policies).toMatchObject([{ id: 'constructor' }]);
    expect(read(`${policy('constructor', ALL)}${policy('valueof', ALL)}`).policies).toHaveLength(2);
  });

  it('shows words of a message and executes none of them', () => {
    const text = policy('p', ALL, `@severity("deny") @message("'); DROP TABLE x;-- <script> \${1} */")`);
    expect(read(text).policies).toMatchObject([{ message: `'); DROP TABLE x;-- <script> \${1} */` }]);
  });
});

describe('a hostile text', () => {
  it.each<[string, string]>([
    ['is too large', ' '.repeat(MAX_POLICY_BYTES + 1)],
    ['is too large in bytes', 'ü'.repeat(MAX_POLICY_BYTES / 2 + 1)],
    ['has a hundred thousand policies', 'forbid(principal,action,resource);'.repeat(100_000)],
    ['has more policies than a person reads', ';'.repeat(MAX_POLICIES + 1)],
    ['has half a character', when('"\ud800" == "a"')],
    ['has NUL', when('"\0" == "a"')],
    ...['(', '[', '{a:', '!(', 'if ('].map((open): [string, string] => [
      `opens ${open} without end`,
      when(open.repeat(500)),
    ]),
    ['nests deep', when(`${'('.repeat(200)}true${')'.repeat(200)}`)],
    [
      'nests deep behind a comment that ends early',
      `// \r${when(`${'('.repeat(200)}true${')'.repeat(200)}`)}`,
    ],
    ['nests deep behind a string', when(`"\\"" == "(" || ${'('.repeat(200)}true${')'.repeat(200)}`)],
    ['chains and', when(`true${' && true'.repeat(1000)}`)],
    ['chains plus', when(`1${'+1'.repeat(1000)} == 1`)],
    ['chains accesses', when(`resource${'.a'.repeat(1000)} == 1`)],
    ['chains indices', when(`resource${'["a"]'.repeat(3000)} == 1`)],
    ['chains arguments', when(`resource${'(1)'.repeat(3000)} == 1`)],
    ['chains annotations', `${'@id("p") '.repeat(3000)}${policy('p', ALL)}`],
    ['chains calls', when(`resource${'.contains(1)'.repeat(1000)}`)],
    ['chains conditions', policy('p', `${ALL}${' when { true }'.repeat(1000)}`)],
    ['chains if', when(`${'if true then true else '.repeat(1000)}true`)],
    ['chains not', when(`${'!'.repeat(1000)}true`)],
    ['never closes a string', when('"')],
  ])('is refused before it can hurt: %s', (_what, text) => {
    expect(problemsOf(text)).not.toEqual([]);
    // The engine still answers the next customer.
    expect(read(policy('next', ALL)).policies).toHaveLength(1);
  });

  it('of any bytes is refused or read, and the engine goes on', () => {
    const parts = fc.constantFrom(
      ...[
        'forbid',
        'permit',
        '(',
        ')',
        'principal',
        ',',
        'action',
        'resource',
        ';',
        '@id("a")',
        'when',
        '{',
        '}',
      ],
      ...[
        '"',
        '\\',
        '//',
        '\r',
        '\n',
        '.',
        '&&',
        '!',
        '-',
        '[',
        ']',
        'if',
        '\u0000',
        '\ud800',
        'ü',
        '?principal',
      ],
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 60 }), (tokens) => {
        const { policies, problems } = read(tokens.join(' '));
        expect((policies === undefined) !== (problems === undefined)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('at the very limits is still answered', () => {
    const deep = when(
      `${'('.repeat(10)}resource.worldwide${')'.repeat(10)}${' && resource.worldwide'.repeat(70)}`,
    );
    expect(checkShape(deep)).toBeUndefined();
    expect(read(deep).policies).toHaveLength(1);
    const many = Array.from({ length: MAX_POLICIES }, (_, n) => policy(`p-${n}`, ALL)).join('\n');
    expect(read(many).policies).toHaveLength(MAX_POLICIES);
  });
});

describe('the schema', () => {
  it('is valid, and without policies there is nothing to refuse', () => {
    expect(parse('')).toEqual({ problems: [], warnings: [], policies: [] });
  });
});
