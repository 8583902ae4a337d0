import { setImmediate } from 'node:timers/promises';
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs';
import { type Policy, type PolicySet } from '../domain/policies/policy.js';
import {
  type PolicyAnswer,
  type PolicyCall,
  type PolicyEngine,
  type PolicyRecord,
  type TextProblem,
} from '../domain/policies/policy-engine.port.js';
import { type CedarModule, forgetCedar, loadCedar } from './cedar-module.js';

/** What everything is permitted by. Its name has a space, which no @id of a customer can have. */
const BASE = 'base permit';
const BASE_POLICY = 'permit (principal, action, resource);';
/** Parsed parts are kept inside the engine under these names, and the oldest is overwritten: its memory is bounded. */
const MAX_KEPT = 512;
/** Parsed in one go: some twenty milliseconds. Each part costs a question of its own, about one millisecond. */
const MAX_PART_BYTES = 8_192;

/**
 * Cedar (https://www.cedarpolicy.com) in WebAssembly, loaded when the first policy is read: an organization without
 * policies never pays for its 4 MB. It can reach nothing: no clock, no files, no network; and has no loops.
 */
export class CedarPolicyEngine implements PolicyEngine {
  #cedar: CedarModule | undefined;
  #name: string | undefined;
  /** Name of the kept part by its key, in the order of their last use. */
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

  async prepare(set: PolicySet): Promise<void> {
    for (const part of partsOf(set)) {
      if (this.#kept.has(part.key)) continue;
      await setImmediate();
      this.guarded((cedar) => this.keptName(cedar, part));
    }
  }

  evaluate(set: PolicySet, call: PolicyCall): PolicyAnswer {
    // All of them forbid, so what the parts of a set say together is what the set says.
    const answers = partsOf(set).map((part) => this.guarded((cedar) => this.evaluatePart(cedar, part, call)));
    return {
      matched: answers.flatMap(({ matched }) => matched),
      failed: answers.flatMap(({ failed }) => failed),
    };
  }

  private evaluatePart(
    cedar: CedarModule,
    part: SetPart,
    { action, principal, work, context }: PolicyCall,
  ): PolicyAnswer {
    const answer = cedar.statefulIsAuthorized({
      principal: { type: 'Person', id: 'asking' },
      action: { type: 'Action', id: action },
      resource: { type: 'Work', id: 'asked' },
      context: context as Cedar.Context,
      preparsedPolicySetId: this.keptName(cedar, part),
      entities: [entityOf('Person', 'asking', principal), entityOf('Work', 'asked', work)],
    });
    if (answer.type === 'failure') throw new Error(messageOf(answer.errors));
    const { decision, diagnostics } = answer.response;
    const matched = diagnostics.reason.filter((id) => id !== BASE);
    // Forbidden without a reason, or allowed with one: then it was not our set that was asked.
    if ((decision === 'deny') !== matched.length > 0)
      throw new Error(`${decision} with the reasons ${matched.join(', ')}`);
    return { matched, failed: diagnostics.errors.map(({ policyId }) => policyId) };
  }

  /** Parses a part of a set at its first question and keeps it. */
  private keptName(cedar: CedarModule, { key, policies }: SetPart): string {
    const known = this.#kept.get(key);
    this.#kept.delete(key);
    if (known !== undefined) {
      this.#kept.set(key, known);
      return known;
    }
    const name = this.freeName();
    const texts = policies.map(({ id, text }) => [id, text] as const);
    const answer = cedar.preparsePolicySet(name, {
      staticPolicies: Object.fromEntries([[BASE, BASE_POLICY], ...texts]),
    });
    if (answer.type === 'failure') throw new Error(messageOf(answer.errors));
    this.#kept.set(key, name);
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
    this.#cedar ??= loadCedar();
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
    forgetCedar();
  }
}

/** Policies of one set that are parsed and asked together. */
interface SetPart {
  readonly key: string;
  readonly policies: readonly Policy[];
}

const PARTS = new WeakMap<readonly Policy[], readonly SetPart[]>();

/** In the order of the set, by the size of their texts: so long the event loop waits at most for a parser. */
function partsOf({ ref: { sha256 }, policies = [] }: PolicySet): readonly SetPart[] {
  const known = PARTS.get(policies);
  if (known !== undefined) return known;
  const groups: Policy[][] = [];
  let bytes = 0;
  for (const policy of policies) {
    bytes += Buffer.byteLength(policy.text, 'utf8');
    const last = groups.at(-1);
    if (last !== undefined && bytes <= MAX_PART_BYTES) last.push(policy);
    else {
      groups.push([policy]);
      bytes = Buffer.byteLength(policy.text, 'utf8');
    }
  }
  const parts = groups.map((group, at) => ({ key: `${sha256} ${at}`, policies: group }));
  PARTS.set(policies, parts);
  return parts;
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
