import { describe, expect, it } from '@jest/globals';
import { effort } from '../../../test/support/effort.js';
import fc from 'fast-check';
import { type Decision, type Finding } from '../domain/finding.js';
import {
  callOf,
  policyFindings,
  strictFindings,
  termFindings,
  withPolicies,
} from '../domain/policies/decide-policies.js';
import { type PolicyEngine } from '../domain/policies/policy-engine.port.js';
import { POLICY_SCOPES, type PolicySet } from '../domain/policies/policy.js';
import { workAttributes } from '../domain/policies/work-attributes.js';
import { PURPOSES } from '../domain/terms.js';
import { seedListings } from '../registry/seed.js';
import {
  decideWith,
  engine,
  factsWith,
  licenseDecision,
  lineageOf,
  listings,
  policy,
  QUESTION,
  setOf,
} from '../testing/policy-workshop.js';

const STRICTNESS: Readonly<Record<Decision, number>> = { allow: 0, review: 1, deny: 2 };
const OPEN = 'flux-1-schnell@self-hosted';
const STUDIO = 'studio-crop@studio';

const conditions = [
  'resource.lineage.vendors.contains("Black Forest Labs")',
  '["studio-crop@studio"].containsAll(resource.lineage.listings)',
  'resource.lineage.trainingDisclosure.contains(Disclosure::"none")',
  'resource.lineage.trainingDisclosure.containsAny([Disclosure::"unknown", Disclosure::"partial"])',
  'resource.generators.indemnified',
  'resource.license.decision == Decision::"allow"',
  'resource.license.findings.contains(LicenseRule::"territory-outputs")',
  'resource.purpose == Purpose::"commercial"',
  'resource.countries.contains(Country::"DE") || resource.worldwide',
  'resource.inEuropeanUnion',
  'resource has useCase && resource.useCase == "hero-image"',
  'resource has project && resource.project like "Sp*"',
  'principal.roles.contains(Role::"creator")',
  'resource.lineage.access.contains(Access::"api")',
  'true',
  'false',
];
const body = fc
  .tuple(fc.constantFrom('when', 'unless'), fc.constantFrom(...conditions), fc.constantFrom(...conditions))
  .chain(([word, a, b]) =>
    fc.constantFrom(a, `${a} && (${b})`, `(${a}) || (${b})`, `!(${a})`).map((text) => `${word} { ${text} }`),
  );
const head = fc
  .constantFrom('deny', 'review')
  .map((severity) => `@severity("${severity}") @message("A policy.")`);
const policySet: fc.Arbitrary<PolicySet> = fc
  .tuple(fc.constantFrom(...POLICY_SCOPES), fc.array(fc.tuple(body, head), { maxLength: 4 }))
  .map(([scope, rules]) =>
    setOf(
      rules
        .map(([text, more], n) => policy(`p-${n}`, `(principal, action, resource) ${text}`, more))
        .join('\n'),
      scope,
    ),
  );
const ids = seedListings().all.map(({ listing }) => listing.id);
const lineage = fc
  .array(fc.oneof(fc.constantFrom(...ids), fc.constantFrom(OPEN, STUDIO, 'nobody@self-hosted')), {
    minLength: 1,
    maxLength: 3,
  })
  .map((chosen) => lineageOf(...chosen));
const facts = fc
  .tuple(
    fc.constantFrom('commercial' as const, 'editorial' as const, 'internal-evaluation' as const),
    fc.constantFrom('worldwide' as const, ['US'], ['DE', 'CH']),
  )
  .map(([purpose, audienceCountries]) => factsWith({ purpose, audienceCountries }));

const ruleIds = (findings: readonly Finding[]) =>
  findings.filter(({ ruleId }) => ruleId.startsWith('policy.')).map(({ ruleId }) => ruleId);

describe('policies on top of a license decision', () => {
  it('never make it milder, and take no finding of the licenses away', () => {
    fc.assert(
      fc.property(lineage, facts, fc.array(policySet, { maxLength: 3 }), (used, told, sets) => {
        const license = licenseDecision({ lineage: used, facts: told });
        const both = decideWith(sets, { lineage: used, facts: told });
        expect(STRICTNESS[both.decision]).toBeGreaterThanOrEqual(STRICTNESS[license.decision]);
        expect(both.findings).toEqual(expect.arrayContaining([...license.findings]));
      }),
      { numRuns: effort(20, 1000) },
    );
  });

  it('say the same in every order of sets and of policies in a set', () => {
    const rules = fc.array(fc.tuple(body, head), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(lineage, rules, fc.array(policySet, { maxLength: 3 }), (used, texts, sets) => {
        const all = texts.map(([text, more], n) =>
          policy(`q-${n}`, `(principal, action, resource) ${text}`, more),
        );
        const forward = decideWith([...sets, setOf(all.join('\n'))], { lineage: used });
        const backward = decideWith([setOf(all.toReversed().join('\n')), ...sets.toReversed()], {
          lineage: used,
        });
        expect(backward).toEqual(forward);
      }),
      { numRuns: effort(15, 500) },
    );
  });

  it('grow stricter or stay as they are with every set that is added', () => {
    fc.assert(
      fc.property(lineage, policySet, policySet, (used, one, other) => {
        const alone = decideWith([one], { lineage: used });
        const both = decideWith([one, other], { lineage: used });
        expect(STRICTNESS[both.decision]).toBeGreaterThanOrEqual(STRICTNESS[alone.decision]);
        expect(both.findings).toEqual(expect.arrayContaining([...alone.findings]));
      }),
      { numRuns: effort(15, 500) },
    );
  });

  it.each(PURPOSES)('hold of advertising as of commercial work, although it is called %s', (purpose) => {
    const rule = policy(
      'p',
      '(principal, action, resource) when { resource.purpose == Purpose::"commercial" }',
    );
    const advertising = factsWith({ purpose, fieldsOfUse: ['online-advertising'] });
    const { decision } = decideWith([setOf(rule)], { lineage: lineageOf(OPEN), facts: advertising });
    expect(decision).toBe('deny');
  });

  it.each<[string, string, string, readonly string[]]>([
    ['a blocked vendor', `when { resource.lineage.vendors.contains("Black Forest Labs") }`, OPEN, ['deny']],
    ['only some vendors', `unless { ["Colophon"].containsAll(resource.lineage.vendors) }`, OPEN, ['deny']],
    ['a listing', `when { resource.lineage.listings.contains("${OPEN}") }`, OPEN, ['deny']],
    ['a model on any channel', `when { resource.lineage.models.contains("flux-1-schnell") }`, OPEN, ['deny']],
    [
      'disclosure of training data',
      `when { resource.generators.trainingDisclosure.contains(Disclosure::"none") }`,
      OPEN,
      ['deny'],
    ],
    ['an indemnity', `unless { resource.lineage.indemnified }`, OPEN, ['deny']],
    ['another vendor', `when { resource.lineage.vendors.contains("Tencent") }`, OPEN, []],
    [
      'what tools of this program have learnt',
      `unless { resource.lineage.trainingDisclosure.isEmpty() }`,
      STUDIO,
      [],
    ],
  ])('can be about %s', (_what, text, listingId, severities) => {
    const { findings } = decideWith([setOf(policy('one', `(principal, action, resource) ${text}`))], {
      lineage: lineageOf(listingId),
    });
    const said = findings.filter(({ ruleId }) => ruleId === 'policy.one');
    expect(said.map(({ severity }) => severity)).toEqual(severities);
    for (const finding of said) expect(finding).toMatchObject({ message: 'Not here.', listingId: null });
  });

  it('see hidden components, too', () => {
    const hidden = seedListings().all.flatMap(({ listing }) =>
      listing.components.flatMap((component) =>
        component.use === 'always' && component.listingId !== null
          ? [{ parent: listing.id, component: component.listingId }]
          : [],
      ),
    );
    const [first] = hidden;
    if (!first) throw new Error('no listing of the seed has a hidden component');
    const blocked = `when { resource.lineage.listings.contains("${first.component}") }`;
    const set = setOf(policy('hidden', `(principal, action, resource) ${blocked}`));
    expect(ruleIds(decideWith([set], { lineage: lineageOf(first.parent) }).findings)).toEqual([
      'policy.hidden',
    ]);
  });

  it('take a model that nobody knows for none of the allowed ones', () => {
    const set = setOf(
      policy(
        'known',
        `(principal, action, resource) unless { ["Black Forest Labs"].containsAll(resource.lineage.vendors) }`,
      ),
    );
    const { findings } = decideWith([set], { lineage: lineageOf('nobody@self-hosted') });
    expect(ruleIds(findings)).toEqual(['policy.known']);
  });

  it('see every country in a campaign that is shown worldwide', () => {
    const set = setOf(
      policy(
        'not-there',
        `(principal, action, resource) when { resource.countries.contains(Country::"DE") && resource.inEuropeanUnion }`,
      ),
    );
    const asked = (audienceCountries: 'worldwide' | string[]) =>
      ruleIds(
        decideWith([set], { lineage: lineageOf(STUDIO), facts: factsWith({ audienceCountries }) }).findings,
      );
    expect(asked('worldwide')).toEqual(['policy.not-there']);
    expect(asked(['DE'])).toEqual(['policy.not-there']);
    expect(asked(['US'])).toEqual([]);
  });

  it('ask for human work at the release only', () => {
    const set = setOf(
      policy(
        'hand',
        `(principal, action == Action::"release", resource) unless { context.humanContribution }`,
      ),
    );
    const asked = (action: 'generate' | 'release', humanContribution: boolean) =>
      ruleIds(
        decideWith([set], {
          lineage: lineageOf(STUDIO),
          action,
          human: { humanContribution, contributionKinds: [] },
        }).findings,
      );
    expect([asked('generate', false), asked('release', false), asked('release', true)]).toEqual([
      [],
      ['policy.hand'],
      [],
    ]);
  });

  it('name both scopes when two of them have a policy of one id', () => {
    const text = policy('same', '(principal, action, resource)');
    const sets = [setOf(text, 'organization', 3), setOf(text, 'project', 1)];
    const { findings } = decideWith(sets, { lineage: lineageOf(STUDIO) });
    expect(findings.filter(({ ruleId }) => ruleId === 'policy.same').map(({ fact }) => fact.value)).toEqual([
      'organization, version 3',
      'project, version 1',
    ]);
  });

  it('keep nothing of one set in the next, however many were asked', () => {
    const sets = Array.from({ length: 520 }, (_, n) =>
      setOf(policy(`n-${n}`, `(principal, action, resource) when { ${n % 2 === 0} }`)),
    );
    for (const round of [sets, sets.toReversed()]) {
      for (const set of round) {
        const [only] = set.policies ?? [];
        const said = ruleIds(decideWith([set], { lineage: lineageOf(STUDIO) }).findings);
        expect(said).toEqual(Number(only?.id.slice(2)) % 2 === 0 ? [`policy.${only?.id}`] : []);
      }
    }
  });
});

describe('a set that is parsed in parts', () => {
  it('says what all of its policies say, prepared or not', async () => {
    const filling = ' '.repeat(300);
    const texts = Array.from({ length: 150 }, (_, n) =>
      policy(`n-${n}`, `(principal, action, resource) when { ${n % 50 === 7} }${filling}`),
    );
    const expected = ['policy.n-107', 'policy.n-57', 'policy.n-7'];
    for (const [round, isPrepared] of [true, false].entries()) {
      const set = setOf(`${texts.join('\n')}// ${round}`);
      if (isPrepared) await engine.prepare(set);
      const { findings } = decideWith([set], { lineage: lineageOf(STUDIO) });
      expect(ruleIds(findings).filter((id) => id.startsWith('policy.'))).toEqual(expected);
    }
  });
});

describe('what cannot be answered', () => {
  const work = workAttributes(
    lineageOf(STUDIO),
    factsWith(),
    listings,
    { decision: 'allow', findings: [] },
    QUESTION,
  );
  const call = callOf('generate', QUESTION, work);

  it('asks a person: a value that is missing is never "does not match"', () => {
    const broken: PolicySet = {
      ref: { kind: 'cedar', scope: 'organization', version: 1, sha256: 'not-checked' },
      policies: [
        {
          id: 'older',
          severity: 'deny',
          message: 'm',
          fix: 'f',
          text: 'forbid (principal, action, resource) when { resource.gone == 1 };',
        },
      ],
    };
    const [finding] = policyFindings([broken], call, engine);
    expect(finding).toMatchObject({ ruleId: 'policy.older', severity: 'review' });
  });

  it('asks a person: a number out of range', () => {
    const text = policy('sum', '(principal, action, resource) when { 9223372036854775807 + 1 == 0 }');
    const [finding] = policyFindings([setOf(text)], call, engine);
    expect(finding).toMatchObject({ ruleId: 'policy.sum', severity: 'review' });
  });

  it.each<[string, Partial<PolicyEngine>, readonly { id: string }[] | undefined]>([
    [
      'the engine fails',
      {
        evaluate: () => {
          throw new Error('trap');
        },
      },
      [{ id: 'a' }],
    ],
    [
      'the engine names what nobody wrote',
      { evaluate: () => ({ matched: ['b'], failed: [] }) },
      [{ id: 'a' }],
    ],
    ['the text is not understood any more', {}, undefined],
  ])('denies when %s', (_when, behavior, policies) => {
    const ref = { kind: 'cedar', scope: 'project', version: 2, sha256: 'x' } as const;
    const set = {
      ref,
      policies: policies?.map(({ id }) => ({ id, severity: 'review', message: 'm', fix: 'f', text: '' })),
    } as PolicySet;
    const failing: PolicyEngine = {
      name: 'failing',
      prepare: engine.prepare.bind(engine),
      evaluate: engine.evaluate.bind(engine),
      ...behavior,
    };
    const found = policyFindings([set], call, failing);
    expect(found).toMatchObject([{ ruleId: 'policy.not-evaluated', severity: 'deny' }]);
    expect(withPolicies({ decision: 'allow', findings: [] }, found).decision).toBe('deny');
  });
});

describe('a change of policies', () => {
  const finding = (ruleId: `policy.${string}`, severity: 'deny' | 'review') =>
    ({
      ...termFindings([{ stepKey: 's', scope: 'project', version: 1, listSha256: '', termId: 't' }])[0],
      ruleId,
      severity,
    }) as Finding;

  it('opens a decision again only when it asks for more', () => {
    const [soft, hard] = [finding('policy.a', 'review'), finding('policy.a', 'deny')];
    expect(strictFindings([soft], [soft])).toEqual([]);
    expect(strictFindings([soft], [hard])).toEqual([]);
    expect(strictFindings([hard], [soft])).toEqual([hard]);
    expect(strictFindings([soft], [])).toEqual([soft]);
    const reworded = { ...soft, message: 'Something else.' };
    expect(strictFindings([reworded], [soft])).toEqual([reworded]);
    expect(strictFindings([], [hard])).toEqual([]);
  });
});
