import { holds, type OutputFacts } from './condition.js';
import { type StepPlan } from './step-plan.js';
import { type RunState, type StepState, TERMINAL_STEP_STATES } from './run-states.js';

/** A step as far as the course of its run is concerned. */
export interface PlannedNode {
  readonly key: string;
  readonly state: StepState;
  readonly dependsOn: readonly string[];
  readonly plan: StepPlan | undefined;
  readonly hasOutput: boolean;
}

export type SkipReason = 'condition' | 'input_missing';

/** What happens to a reserved step next. */
export type Move =
  | { readonly kind: 'wake'; readonly key: string }
  /** A person is asked. */
  | { readonly kind: 'ask'; readonly key: string }
  | { readonly kind: 'skip'; readonly key: string; readonly reason: SkipReason }
  /** The condition does not hold, and the step hands on its input. */
  | { readonly kind: 'pass'; readonly key: string }
  | { readonly kind: 'cancel'; readonly key: string };

/** Nothing more is begun: somebody wants it so, or a step failed without which the rest is of no use. */
export function isHopeless(nodes: readonly PlannedNode[], cancelRequested: boolean): boolean {
  return (
    cancelRequested ||
    nodes.some(
      ({ state, plan }) => state === 'CANCELED' || (state === 'FAILED' && plan?.onFailure !== 'continue'),
    )
  );
}

/**
 * The next move of every reserved step that has one. Moves that end a step may give others their move: the caller makes
 * them and asks again, until there are only `wake` and `ask`.
 * @param factsOf of a step that has come to its end
 * @param ended steps that ended just now; only what waited for one of them is looked at. Absent: every step
 */
export function nextMoves(
  nodes: readonly PlannedNode[],
  cancelRequested: boolean,
  factsOf: (key: string) => OutputFacts | undefined,
  ended?: ReadonlySet<string>,
): Move[] {
  const hopeless = isHopeless(nodes, cancelRequested);
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  return nodes.flatMap((node): Move[] => {
    if (hopeless) return mayBeCanceled(node.state) ? [{ kind: 'cancel', key: node.key }] : [];
    if (node.state !== 'RESERVED' || !isAffected(node, ended)) return [];
    if (!node.dependsOn.every((key) => isOver(byKey.get(key)))) return [];
    return [moveOf(node, byKey, factsOf)];
  });
}

function moveOf(
  { key, plan, dependsOn }: PlannedNode,
  nodes: ReadonlyMap<string, PlannedNode>,
  factsOf: (key: string) => OutputFacts | undefined,
): Move {
  const needs = plan?.needs ?? dependsOn;
  const there = needs.filter((needed) => nodes.get(needed)?.hasOutput === true);
  // A choice among given files alone needs no step.
  const isAnyEnough = plan?.needsAny === true && needs.length > 0;
  const enough = isAnyEnough ? there.length > 0 : there.length === needs.length;
  if (plan !== undefined && !isWanted(plan, factsOf)) {
    const { passOn } = plan;
    const passes =
      passOn !== undefined && ('assetId' in passOn || nodes.get(passOn.stepKey)?.hasOutput === true);
    return passes ? { kind: 'pass', key } : { kind: 'skip', key, reason: 'condition' };
  }
  if (!enough) return { kind: 'skip', key, reason: 'input_missing' };
  return { kind: plan?.human === undefined ? 'wake' : 'ask', key };
}

function isWanted(plan: StepPlan, factsOf: (key: string) => OutputFacts | undefined): boolean {
  if (plan.notWanted === true) return false;
  if (plan.when === undefined) return true;
  const { stepKey, fact, compare, value } = plan.when;
  return holds(factsOf(stepKey)?.[fact], compare, value);
}

/** Steps whose facts a move may ask for: named in a condition of a step that such an end concerns. */
export function askedAbout(nodes: readonly PlannedNode[], ended?: ReadonlySet<string>): Set<string> {
  return new Set(
    nodes.flatMap((node) =>
      node.state === 'RESERVED' && node.plan?.when !== undefined && isAffected(node, ended)
        ? [node.plan.when.stepKey]
        : [],
    ),
  );
}

function isAffected({ dependsOn }: PlannedNode, ended: ReadonlySet<string> | undefined): boolean {
  return ended === undefined || dependsOn.some((key) => ended.has(key));
}

function mayBeCanceled(state: StepState): boolean {
  return state === 'RESERVED' || state === 'WAITING';
}

function isOver(node: PlannedNode | undefined): boolean {
  return node !== undefined && TERMINAL_STEP_STATES.includes(node.state);
}

/** The state of a run is a function of the states of its steps. */
export function runStateOf(
  nodes: readonly Pick<PlannedNode, 'state' | 'plan'>[],
  cancelRequested: boolean,
): RunState {
  const states = nodes.map(({ state }) => state);
  if (states.includes('OUTCOME_UNKNOWN')) return 'NEEDS_RECONCILIATION';
  if (states.some((state) => !TERMINAL_STEP_STATES.includes(state))) return 'RUNNING';
  const failed = nodes.filter(({ state }) => state === 'FAILED');
  if (failed.some(({ plan }) => plan?.onFailure !== 'continue')) return 'FAILED';
  if (states.includes('CANCELED')) return cancelRequested ? 'CANCELED' : 'FAILED';
  if (failed.length === 0) return 'SUCCEEDED';
  return states.includes('SUCCEEDED') ? 'PARTIALLY_SUCCEEDED' : 'FAILED';
}
