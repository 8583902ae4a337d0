import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { codeOf } from '../../../test/vectors/tlog/refusal.js';
import { readGolden, readVector } from '../../../test/vectors/tlog/vectors.js';
import {
  COSIGNATURE_V1,
  ED25519,
  formatVkey,
  generatePrivateKey,
  type NoteKeyType,
  parseVkey,
  publicKeyOf,
} from './note-key.js';
import {
  cosignersAmong,
  explainLines,
  explainPolicy,
  isSatisfied,
  isSatisfiedByKeys,
} from './policy-quorum.js';
import {
  formatWitnessPolicy,
  NO_WITNESS_POLICY,
  parseOperatorPolicy,
  parseWitnessPolicy,
  policyForLog,
  witnessKeyName,
  type WitnessPolicy,
} from './witness-policy.js';

interface PolicyVectors {
  vkeys: string[];
  cosignatures: string[];
  policies: { policy: string; satisfied: number[] }[];
}
const vectors = readVector('policy.json') as PolicyVectors;
const golden = readGolden();

const vkeyOf = (name: string, type: NoteKeyType = COSIGNATURE_V1): string =>
  formatVkey(publicKeyOf(generatePrivateKey(name, type)));
const [v1 = '', v2 = '', v3 = '', v4 = '', v5 = '', v6 = ''] = ['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3'].map(
  (name) => vkeyOf(`witness.example/${name}`),
);
const logVkey = vkeyOf('log.example', ED25519);

const parse = (text: string): WitnessPolicy => parseWitnessPolicy(Buffer.from(text, 'utf8'));

/** The example of the specification. */
const example = `log ${logVkey}

witness X1 ${v1}
witness X2 ${v2}
witness X3 ${v3}
group X-witnesses 2 X1 X2 X3

witness Y1 ${v4}
witness Y2 ${v5}
witness Y3 ${v6}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`;

describe('which witnesses are enough', () => {
  it.each(vectors.policies)(
    'agrees with Go over all sets of witnesses: $policy',
    ({ policy: text, satisfied }) => {
      const policy = parse(text);
      for (let set = 0; set < 32; set++) {
        const lines = vectors.cosignatures.filter((_, i) => (set & (1 << i)) !== 0);
        const names = cosignersAmong(policy, lines).map(({ name }) => name);
        expect(names).toEqual([0, 1, 2, 3, 4].filter((i) => (set & (1 << i)) !== 0).map((i) => `w${i}`));
        expect(isSatisfied(policy, names)).toBe(satisfied.includes(set));
        const keys = cosignersAmong(policy, lines).map(witnessKeyName);
        expect(isSatisfiedByKeys(policy, [...keys, 'stranger+00000000'])).toBe(satisfied.includes(set));
        expect(explainLines(policy, lines).satisfied).toBe(satisfied.includes(set));
      }
    },
  );

  it('evaluates the example of the specification', () => {
    const policy = parse(example);
    expect(isSatisfied(policy, ['X1', 'X3', 'Y2'])).toBe(true);
    expect(isSatisfied(policy, ['X1', 'X2', 'X3'])).toBe(false);
    expect(isSatisfied(policy, ['X1', 'Y1', 'Y2', 'Y3'])).toBe(false);
  });

  it('counts neither groups nor strangers that somebody names as cosigners', () => {
    const policy = parse(example);
    expect(isSatisfied(policy, ['X-and-Y', 'X-witnesses', 'Y-witnesses'])).toBe(false);
    expect(isSatisfied(policy, ['X1', 'X1', 'X1', 'Y1', 'stranger'])).toBe(false);
  });

  it('never becomes unsatisfied by one cosignature more', () => {
    const policy = parse(example);
    const names = policy.witnesses.map(({ name }) => name);
    fc.assert(
      fc.property(fc.subarray(names), fc.constantFrom(...names), (some, more) => {
        expect(!isSatisfied(policy, some) || isSatisfied(policy, [...some, more])).toBe(true);
      }),
    );
  });

  it('says who cosigned, who did not, and what is needed', () => {
    const policy = parse(example);
    expect(explainPolicy(policy, ['X1', 'X3', 'Y2']).text).toBe(
      '3 of 6 witnesses cosigned (X1, X3, Y2); missing: X2, Y1, Y3. ' +
        'Needed: all 2 of (at least 2 of (X1, X2, X3), at least 1 of (Y1, Y2, Y3)). The policy is met.',
    );
    expect(explainPolicy(policy, ['X1'])).toMatchObject({
      satisfied: false,
      cosigned: ['X1'],
      missing: ['X2', 'X3', 'Y1', 'Y2', 'Y3'],
    });
    expect(explainPolicy(NO_WITNESS_POLICY, [])).toMatchObject({
      satisfied: true,
      text: 'The policy asks for no witness.',
    });
  });

  it('does not take a signature by another key of the same name for the witness', () => {
    const policy = parse(`witness w ${v1}\nquorum w\n`);
    const [name = '', id = ''] = v1.split('+');
    const blob = (keyId: string): string =>
      Buffer.concat([Buffer.from(keyId, 'hex'), Buffer.alloc(72)]).toString('base64');
    expect(cosignersAmong(policy, [`\u2014 ${name} ${blob('00000000')}`])).toEqual([]);
    expect(cosignersAmong(policy, [`\u2014 other ${blob(id)}`])).toEqual([]);
    expect(cosignersAmong(policy, [`\u2014 ${name} ${blob(id)}`])).toHaveLength(1);
    expect(codeOf(() => cosignersAmong(policy, ['no line']))).toBe('malformed');
  });
});

describe('policies that are read', () => {
  it.each([
    ['the example of the specification', example, 6, 'X-and-Y'],
    ['a quorum alone', 'quorum none\n', 0, 'none'],
    ['a last line without newline', 'quorum none', 0, 'none'],
    ['no witness needed', `witness w ${v1}\nquorum none\n`, 1, 'none'],
    [
      'spaces, tabs, empty lines and comments',
      `\n# c\n\t # c\n\twitness \t w1  ${v1}   https://w1/  \n\n  quorum\tw1`,
      1,
      'w1',
    ],
    [
      'addresses of any kind',
      `log ${logVkey} https://log/\nwitness w1 ${v1} not-a-url\nquorum w1\n`,
      1,
      'w1',
    ],
    [
      'keywords as names',
      `witness all ${v1}\nwitness any ${v2}\ngroup group 2 all any\nquorum group\n`,
      2,
      'group',
    ],
    [
      'names outside ASCII',
      `witness z\u00e9ro\u00a0\u2014 ${v1}\nquorum z\u00e9ro\u00a0\u2014\n`,
      1,
      'z\u00e9ro\u00a0\u2014',
    ],
    ['a name with a number sign within', `witness w#1 ${v1}\nquorum w#1\n`, 1, 'w#1'],
    ['one key for a log and a witness', `log ${vkeyFrom(v1, ED25519)}\nwitness w ${v1}\nquorum w\n`, 1, 'w'],
  ])('%s', (_name, text, witnesses, quorum) => {
    const policy = parse(text);
    expect(policy.witnesses).toHaveLength(witnesses);
    expect(policy.quorum).toBe(quorum);
    expect(formatWitnessPolicy(parse(formatWitnessPolicy(policy)))).toBe(formatWitnessPolicy(policy));
  });

  it('keeps names that look alike apart', () => {
    const kelvin = '\u212a';
    const policy = parse(`witness K ${v1}\nwitness ${kelvin} ${v2}\ngroup g all K ${kelvin}\nquorum g\n`);
    expect(isSatisfied(policy, ['K'])).toBe(false);
    expect(isSatisfied(policy, ['K', kelvin])).toBe(true);
  });

  it('lets comments hold any octets but control characters', () => {
    const comment = Buffer.concat([
      Buffer.from('# '),
      Buffer.from([0x80, 0xff, 0xc3, 0x85]),
      Buffer.from('\nquorum none\n'),
    ]);
    expect(parseWitnessPolicy(comment).quorum).toBe('none');
    expect(codeOf(() => parseWitnessPolicy(Buffer.from([0x23, 0x01, 0x0a])))).toBe('malformed');
  });

  it('reads 64 logs, witnesses and groups, and no more', () => {
    const many = (count: number): string => {
      const witnesses = Array.from({ length: count }, (_, i) => `witness w${i} ${vkeyOf(`w${i}`)}`);
      const groups = Array.from(
        { length: count },
        (_, i) => `group g${i} 1 ${i === 0 ? 'w0' : `g${i - 1} w${i}`}`,
      );
      return [...witnesses, ...groups, `quorum g${count - 1}`, ''].join('\n');
    };
    const policy = parse(many(64));
    expect(isSatisfied(policy, ['w0'])).toBe(true);
    expect(explainPolicy(policy, []).satisfied).toBe(false);
    expect(codeOf(() => parse(many(65)))).toBe('limit_exceeded');
  });

  it('writes back what it has read, whatever the shape', () => {
    const shape = fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(shape, fc.boolean(), (sizes, withUrl) => {
        const lines: string[] = [];
        let open: string[] = [];
        sizes.forEach((size, g) => {
          const names = Array.from({ length: size + 1 }, (_, i) => `w${g}-${i}`);
          for (const name of names)
            lines.push(`witness ${name} ${vkeyOf(name)}${withUrl ? ' https://w/' : ''}`);
          lines.push(
            `group g${g} ${(size % 3) + 1 > names.length ? 'any' : (size % 3) + 1} ${[...names, ...open].join(' ')}`,
          );
          open = [`g${g}`];
        });
        const policy = parse([...lines, `quorum ${open[0]}`, ''].join('\n'));
        expect(formatWitnessPolicy(parse(formatWitnessPolicy(policy)))).toBe(formatWitnessPolicy(policy));
        expect(
          isSatisfied(
            policy,
            policy.witnesses.map(({ name }) => name),
          ),
        ).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

describe('policies that are refused', () => {
  it.each([
    ['nothing at all', ''],
    ['a control character', 'quorum none\n\x01'],
    ['a carriage return', 'quorum none\r\n'],
    ['a DEL', 'quorum none \x7f\n'],
    ['a NUL in a comment', '# \0\nquorum none\n'],
    ['an unknown keyword', 'quibble w1\nquorum none\n'],
    ['a keyword in capitals', 'QUORUM none\n'],
    ['a comment behind a line', `witness w1 ${v1} https://w1/ # comment\nquorum w1\n`],
    ['a no-break space as separator', `quorum\u00a0none\n`],
    ['a log without key', 'log\nquorum none\n'],
    ['a log with garbage as key', 'log garbage\nquorum none\n'],
    ['a log with a witness key', `log ${v1}\nquorum none\n`],
    ['a log with too many items', `log ${logVkey} https://log/ more\nquorum none\n`],
    ['a log twice', `log ${logVkey}\nlog ${logVkey} https://log/\nquorum none\n`],
    [
      'a log under two names',
      `log ${logVkey}\nlog ${vkeyFrom(logVkey, ED25519, 'other.example')}\nquorum none\n`,
    ],
    ['a witness without key', 'witness w1\nquorum none\n'],
    ['a witness with a plain key', `witness w1 ${logVkey}\nquorum w1\n`],
    ['a witness with a key of another algorithm', `witness w1 ${ecdsaVkey()}\nquorum w1\n`],
    [
      'a witness with a wrong key id',
      `witness w1 ${v1.replace(/\+[0-9a-f]{8}\+/, '+00000000+')}\nquorum w1\n`,
    ],
    ['a witness named none', `witness none ${v1}\nquorum none\n`],
    ['two witnesses of one name', `witness w1 ${v1}\nwitness w1 ${v2}\nquorum w1\n`],
    [
      'one key under two names',
      `witness w1 ${v1}\nwitness w2 ${vkeyFrom(v1, COSIGNATURE_V1, 'impostor')}\nquorum w1\n`,
    ],
    ['a group with the name of a witness', `witness w1 ${v1}\ngroup w1 any w1\nquorum w1\n`],
    ['a group of itself', `witness w1 ${v1}\ngroup g any g\nquorum g\n`],
    ['a group without members', `witness w1 ${v1}\ngroup g1 1\nquorum w1\n`],
    ['a group named none', `witness w1 ${v1}\ngroup none any w1\nquorum none\n`],
    ...['0', '-1', '2', '01', '+1', '1.0', '1e0', '99999', 'ALL', 'some', '18446744073709551617'].map((k) => [
      `the threshold ${k} of 1`,
      `witness w1 ${v1}\ngroup g1 ${k} w1\nquorum g1\n`,
    ]),
    ['an unknown member', `witness w1 ${v1}\ngroup g1 any w2\nquorum g1\n`],
    ['a member that is defined later', `group g1 any w1\nwitness w1 ${v1}\nquorum g1\n`],
    ['none as a member', `witness w1 ${v1}\ngroup g1 any none w1\nquorum g1\n`],
    ['a member twice in a group', `witness w1 ${v1}\ngroup g1 all w1 w1\nquorum g1\n`],
    [
      'a member in two groups',
      `witness w1 ${v1}\nwitness w2 ${v2}\ngroup g1 any w1 w2\ngroup g2 any w1\nquorum g1\n`,
    ],
    ['no quorum', `witness w1 ${v1}\n`],
    ['two quorums', `witness w1 ${v1}\nquorum w1\nquorum w1\n`],
    ['an unknown quorum', 'quorum unknown\n'],
    ['a quorum that is defined later', `quorum w1\nwitness w1 ${v1}\n`],
    ['a quorum without name', 'quorum\n'],
    ['a quorum of two names', `witness w1 ${v1}\nquorum w1 w1\n`],
  ])('%s', (_name, text) => {
    expect(codeOf(() => parse(text))).toBe('malformed');
  });

  it('a name that is not UTF-8: it could not be shown', () => {
    const text = Buffer.concat([
      Buffer.from('witness w'),
      Buffer.from([0x80]),
      Buffer.from(` ${v1}\nquorum none\n`),
    ]);
    expect(codeOf(() => parseWitnessPolicy(text))).toBe('malformed');
  });

  it.each([
    ['a file of 64 kB and more', `# ${'x'.repeat(65_536)}\nquorum none\n`],
    ['a long name', `witness ${'w'.repeat(256)} ${v1}\nquorum none\n`],
    ['a long address', `witness w ${v1} https://${'w'.repeat(2048)}\nquorum none\n`],
  ])('%s', (_name, text) => {
    expect(codeOf(() => parse(text))).toBe('limit_exceeded');
  });

  it('names the line that is wrong', () => {
    expect(() => parse(`# fine\nwitness w1 ${v1}\nquorum w2\n`)).toThrow('line 3 of the policy: the quorum');
  });

  it('never throws anything but its own error', () => {
    const item = fc.constantFrom(
      'log',
      'witness',
      'group',
      'quorum',
      'none',
      'all',
      '1',
      'w',
      v1,
      v2,
      logVkey,
      '#',
      ' ',
      '\t',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(item, { maxLength: 30 }), (items) => {
        expect(['none', 'malformed', 'limit_exceeded', 'ambiguous_key']).toContain(
          codeOf(() => parse(items.join(' '))),
        );
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(['malformed', 'limit_exceeded']).toContain(codeOf(() => parseWitnessPolicy(bytes)));
      }),
    );
  });
});

describe('the policy of an operator', () => {
  it('has addresses and no log, and gets the line of the log when it is shipped', () => {
    const operator = parseOperatorPolicy(Buffer.from(`witness w ${v1} https://w.example\nquorum w\n`));
    const shipped = policyForLog(operator, golden.log.vkey);
    expect(formatWitnessPolicy(shipped)).toBe(
      `log ${golden.log.vkey}\nwitness w ${v1} https://w.example\nquorum w\n`,
    );
    expect(shipped.logs[0]?.verifier.name).toBe(golden.log.name);
    expect(formatWitnessPolicy(policyForLog(NO_WITNESS_POLICY, logVkey, 'https://log/'))).toBe(
      `log ${logVkey} https://log/\nquorum none\n`,
    );
    expect(codeOf(() => policyForLog(operator, v2))).toBe('malformed');
  });

  it('is refused with a log, and with a witness that nobody can ask', () => {
    const operator = (text: string): string => codeOf(() => parseOperatorPolicy(Buffer.from(text)));
    expect(operator(`log ${logVkey}\nquorum none\n`)).toBe('malformed');
    expect(operator(`witness w ${v1}\nquorum w\n`)).toBe('malformed');
  });
});

/** The same public key under another type or name. */
function vkeyFrom(vkey: string, type: NoteKeyType, name?: string): string {
  const key = parseVkey(vkey);
  return formatVkey({ ...key, type, name: name ?? key.name });
}

function ecdsaVkey(): string {
  return `ecdsa.example+00000000+${Buffer.concat([Buffer.of(2), Buffer.alloc(32)]).toString('base64')}`;
}
