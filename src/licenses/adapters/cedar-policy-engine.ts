import { createRequire } from 'node:module';
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs';
import { type PolicySet } from '../domain/policies/policy.js';
import {
  type ParsedPolicy,
  type ParsedText,
  type PolicyAnswer,
  type PolicyCall,
  type PolicyEngine,
  type PolicyRecord,
  type TextProblem,
} from '../domain/policies/policy-engine.port.js';

/** What everything is permitted by. Its name has a space, which no @id of a customer can have. */
const BASE = 'base permit';
const BASE_POLICY = 'permit (principal, action, resource);';
/** Parsed sets are kept inside the engine under these names, and the oldest is overwritten: its memory is bounded. */
const MAX_KEPT = 64;
export const CEDAR_MODULE = '@cedar-policy/cedar-wasm/nodejs';
const requireModule = createRequire(import.meta.url);

type CedarModule = typeof Cedar;

/**
 * Cedar (https://www.cedarpolicy.com) in WebAssembly, loaded when the first policy is read: an organization without
 * policies never pays for its 4 MB. It can reach nothing: no clock, no files, no network; and has no loops.
 */
export class CedarPolicyEngine implements PolicyEngine {
  #cedar: CedarModule | undefined;
  #name: string | undefined;
  /** Name of the kept set by the hash of its text, in the order of their last use. */
  readonly #kept = new Map<string, string>();

  /** @param onFailure told when the engine itself fails, which never happens to texts of the checked shape */
  constructor(private readonly onFailure: (error: unknown) => void) {}

  get name(): string {
    try {
      this.#name ??= `Cedar ${this.load().getCedarVersion()}`;
    } catch {
      // Its rules are not evaluated then, and that denies; a list of blocked terms needs no engine.
      return 'Cedar, not loaded';
    }
    return this.#name;
  }

  parse(text: string, schema: string): ParsedText {
    return this.guarded((cedar) => {
      const answer = cedar.validate({ schema, policies: { staticPolicies: text } });
      if (answer.type === 'failure') return refused(answer.errors);
      if (answer.validationErrors.length > 0)
        return refused(answer.validationErrors.map(({ error }) => error));
      const parts = cedar.policySetTextToParts(text);
      if (parts.type === 'failure') return refused(parts.errors);
      const warnings = [...answer.validationWarnings.map(({ error }) => error), ...answer.otherWarnings];
      return {
        problems: [],
        warnings: warnings.map(toProblem),
        policies: parts.policies.map((part) => parsedPolicy(cedar, part)),
      };
    });
  }

  evaluate(set: PolicySet, { action, principal, work, context }: PolicyCall): PolicyAnswer {
    return this.guarded((cedar) => {
      const answer = cedar.statefulIsAuthorized({
        principal: { type: 'Person', id: 'asking' },
        action: { type: 'Action', id: action },
        resource: { type: 'Work', id: 'asked' },
        context: context as Cedar.Context,
        preparsedPolicySetId: this.keptName(cedar, set),
        entities: [entityOf('Person', 'asking', principal), entityOf('Work', 'asked', work)],
      });
      if (answer.type === 'failure') throw new Error(messageOf(answer.errors));
      const { decision, diagnostics } = answer.response;
      const matched = diagnostics.reason.filter((id) => id !== BASE);
      // Forbidden without a reason, or allowed with one: then it was not our set that was asked.
      if ((decision === 'deny') !== matched.length > 0)
        throw new Error(`${decision} with the reasons ${matched.join(', ')}`);
      return { matched, failed: diagnostics.errors.map(({ policyId }) => policyId) };
    });
  }

  /** Parses a set at its first question and keeps it. */
  private keptName(cedar: CedarModule, { ref, policies = [] }: PolicySet): string {
    const known = this.#kept.get(ref.sha256);
    this.#kept.delete(ref.sha256);
    if (known !== undefined) {
      this.#kept.set(ref.sha256, known);
      return known;
    }
    const name = this.freeName();
    const texts = policies.map(({ id, text }) => [id, text] as const);
    const answer = cedar.preparsePolicySet(name, {
      staticPolicies: Object.fromEntries([[BASE, BASE_POLICY], ...texts]),
    });
    if (answer.type === 'failure') throw new Error(messageOf(answer.errors));
    this.#kept.set(ref.sha256, name);
    return name;
  }

  private freeName(): string {
    if (this.#kept.size < MAX_KEPT) {
      const taken = new Set(this.#kept.values());
      for (let slot = 0; ; slot += 1) if (!taken.has(`slot ${slot}`)) return `slot ${slot}`;
    }
    const [[oldest, name] = ['', 'slot 0']] = this.#kept;
    this.#kept.delete(oldest);
    return name;
  }

  private load(): CedarModule {
    this.#cedar ??= requireModule(CEDAR_MODULE) as CedarModule;
    return this.#cedar;
  }

  /** A trap may leave the memory of the instance in any state: nothing is asked of it again. */
  private guarded<Answer>(work: (cedar: CedarModule) => Answer): Answer {
    try {
      return work(this.load());
    } catch (error) {
      this.onFailure(error);
      this.forget();
      throw error;
    }
  }

  private forget(): void {
    this.#cedar = undefined;
    this.#kept.clear();
    delete requireModule.cache[requireModule.resolve(CEDAR_MODULE)];
  }
}

function refused(errors: readonly Cedar.DetailedError[]): ParsedText {
  return { problems: errors.map(toProblem), warnings: [], policies: [] };
}

function parsedPolicy(cedar: CedarModule, text: string): ParsedPolicy {
  const answer = cedar.policyToJson(text);
  if (answer.type === 'failure') throw new Error(messageOf(answer.errors));
  const { effect, annotations = {} } = answer.json;
  const entries = Object.entries(annotations as Record<string, string | null>);
  return { text, effect, annotations: new Map(entries.map(([name, value]) => [name, value ?? ''])) };
}

function entityOf(type: string, id: string, attrs: PolicyRecord): Cedar.EntityJson {
  return { uid: { type, id }, attrs: attrs as Cedar.EntityJson['attrs'], parents: [] };
}

export function toProblem({ message, help, sourceLocations = [] }: Cedar.DetailedError): TextProblem {
  // The engine's own numbering of policies tells a reader nothing: the place does.
  const plain = message
    .replace(/^for policy `policy\d+`[,:] /, '')
    .replace(/^failed to parse policies from string: /, '');
  return { message: plain, help, offset: sourceLocations[0]?.start ?? null };
}

function messageOf(errors: readonly Cedar.DetailedError[]): string {
  return errors
    .map(({ message }) => message)
    .join('; ')
    .slice(0, 1000);
}
