import { z } from 'zod';
import { type Policy, POLICY_SEVERITIES } from './policy.js';
import {
  type ParsedPolicy,
  type ParsedText,
  type PolicyReader,
  type TextProblem,
} from './policy-engine.port.js';
import { POLICY_SCHEMA } from './policy-schema.js';
import { checkShape, MAX_POLICIES, placeOf } from './policy-text.js';

/** What a person has to correct, and where. */
export interface PolicyProblem {
  readonly message: string;
  readonly help: string | null;
  /** From 1; null when it is about the whole text. */
  readonly line: number | null;
  readonly column: number | null;
  readonly policyId: string | null;
}

export type ReadPolicies =
  | {
      readonly policies: readonly Policy[];
      /** The text is taken; these places are hardly meant as they stand. */
      readonly warnings: readonly PolicyProblem[];
      readonly problems?: undefined;
    }
  | { readonly policies?: undefined; readonly problems: readonly PolicyProblem[] };

const MAX_PROBLEMS = 50;
const DEFAULT_FIX = 'Change what the policy forbids, or ask the people who keep your policies.';

/** Used by this program itself for what no single policy says. */
const RESERVED_IDS: readonly string[] = ['blocked-term', 'not-evaluated'];

/** People read it in an answer, a report and a log: nothing that hides or reorders what it says. */
const words = z
  .string()
  .min(1)
  .max(500)
  .refine(
    (text) => !/[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029\ufeff]/u.test(text),
    'must not hold control characters or bidirectional overrides',
  );
const annotationsSchema = z.object({
  id: z
    .string({ error: 'is missing: every policy needs an @id' })
    .regex(/^[a-z0-9][a-z0-9-]{0,59}$/, 'needs lower-case letters, digits and dashes, at most 60')
    .refine((id) => !RESERVED_IDS.includes(id), 'is reserved'),
  severity: z.enum(POLICY_SEVERITIES, { error: 'must be "deny" or "review"' }),
  message: words,
  fix: words.default(DEFAULT_FIX),
});
const KNOWN_ANNOTATIONS = Object.keys(annotationsSchema.shape);

/**
 * Reads a customer's text: shape, language, types, then the annotations that this program needs. All or nothing.
 * @throws ColophonError `conflict` when the organization has too many texts in the queue
 */
export async function readPolicies(
  text: string,
  reader: PolicyReader,
  organizationId: string,
): Promise<ReadPolicies> {
  return refusedShape(text) ?? understand(text, await reader.read(text, POLICY_SCHEMA, organizationId));
}

/** A text that is not even given to the reader; undefined for one that is. */
export function refusedShape(text: string): ReadPolicies | undefined {
  const misshapen = checkShape(text);
  return misshapen && refused(text, [misshapen]);
}

/** What the reader found, with what this program asks of a policy. */
export function understand(text: string, { problems, warnings, policies: parsed }: ParsedText): ReadPolicies {
  if (problems.length > 0) return refused(text, problems);
  if (parsed.length > MAX_POLICIES)
    return refused(text, [
      {
        message: `has ${parsed.length} policies; the limit is ${MAX_POLICIES}`,
        help: null,
        offset: null,
      },
    ]);
  const read = parsed.map((policy) => readOne(text, policy));
  const wrong = read.flatMap(({ problems: found }) => found);
  const policies = read.flatMap(({ policy }) => (policy ? [policy] : []));
  const all = [...wrong, ...twice(policies)];
  return all.length > 0
    ? { problems: all.slice(0, MAX_PROBLEMS) }
    : { policies, warnings: placed(text, warnings) };
}

function readOne(text: string, parsed: ParsedPolicy): { policy?: Policy; problems: PolicyProblem[] } {
  const id = parsed.annotations.get('id') ?? null;
  const at = text.indexOf(parsed.text);
  const place = at < 0 ? { line: null, column: null } : placeOf(text, Buffer.byteLength(text.slice(0, at)));
  const problem = (message: string, help: string | null = null): PolicyProblem => ({
    message,
    help,
    ...place,
    policyId: id,
  });
  if (parsed.effect === 'permit') {
    const help =
      'Everything is permitted that the licenses allow; write what you forbid. To allow only some things, forbid unless.';
    return { problems: [problem('permit changes nothing: no policy can allow what a license denies', help)] };
  }
  if ([...parsed.annotations.keys()].some((name) => !KNOWN_ANNOTATIONS.includes(name)))
    return {
      problems: [
        problem(`has another annotation than ${KNOWN_ANNOTATIONS.map((name) => `@${name}`).join(', ')}`),
      ],
    };
  const result = annotationsSchema.safeParse(Object.fromEntries(parsed.annotations));
  if (result.success) return { policy: { ...result.data, text: parsed.text }, problems: [] };
  return {
    problems: result.error.issues.map(({ path: [name], message }) => problem(`@${String(name)}: ${message}`)),
  };
}

function twice(policies: readonly Policy[]): PolicyProblem[] {
  const seen = new Set<string>();
  return policies.flatMap(({ id }) => {
    if (!seen.has(id)) {
      seen.add(id);
      return [];
    }
    return [
      { message: `two policies have the @id "${id}"`, help: null, line: null, column: null, policyId: id },
    ];
  });
}

function refused(text: string, problems: readonly TextProblem[]): ReadPolicies {
  return { problems: placed(text, problems) };
}

function placed(text: string, problems: readonly TextProblem[]): PolicyProblem[] {
  return problems.slice(0, MAX_PROBLEMS).map(({ message, help, offset }) => ({
    message,
    help,
    ...(offset === null ? { line: null, column: null } : placeOf(text, offset)),
    policyId: null,
  }));
}
