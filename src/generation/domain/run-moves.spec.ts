import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { holds, type OutputFacts } from './condition.js';
import { isHopeless, type Move, nextMoves, type PlannedNode, runStateOf } from './run-moves.js';
import { TERMINAL_RUN_STATES, TERMINAL_STEP_STATES, type StepState } from './run-states.js';
import { type StepPlan } from './step-plan.js';

/** A graph in which steps need earlier ones, all or any of them, and may ask what an earlier one came to. */
const graph: fc.Arbitrary<PlannedNode[]> = fc
  .array(
    fc.record({
      needs: fc.uniqueArray(fc.nat(9), { maxLength: 3 }),
      any: fc.boolean(),
      asks: fc.option(fc.nat(9), { nil: undefined }),
      wanted: fc.constantFrom('SUCCEEDED', 'FAILED', 'SKIPPED'),
      passes: fc.boolean(),
      goesOn: fc.boolean(),
      human: fc.boolean(),
    }),
    { minLength: 1, maxLength: 10 },
  )
  .map((drawn) =>
    drawn.map(({ needs, any, asks, wanted, passes, goesOn, human }, index) => {
      const needed = needs.filter((other) => other < index).map((other) => `s${other}`);
      const asked = asks !== undefined && asks < index ? `s${asks}` : undefined;
      const plan: StepPlan = {
        needs: needed,
        onFailure: goesOn ? 'continue' : 'stop',
        ...(any ? { needsAny: true as const } : {}),
        ...(asked === undefined
          ? {}
          : {
              when: { stepKey: asked, fact: 'outcome' as const, compare: 'equals' as const, value: wanted },
            }),
        ...(passes && needed[0] !== undefined ? { passOn: { stepKey: needed[0] } } : {}),
        ...(human
          ? {
              human: {
                operation: 'choose' as const,
                roles: ['creator' as const],
                deadlineMinutes: 1,
                givenAssetIds: [],
              },
            }
          : {}),
      };
      const dependsOn = [...new Set([...needed, ...(asked === undefined ? [] : [asked])])];
      return { key: `s${index}`, state: 'RESERVED', dependsOn, plan, hasOutput: false };
    }),
  );

/** Plays a run: makes every move, and lets each step that was begun end as drawn. */
function play(start: readonly PlannedNode[], ends: readonly boolean[], cancelAfter: number) {
  let nodes = [...start];
  const begun: { node: PlannedNode; at: readonly PlannedNode[] }[] = [];
  let ended: Set<string> | undefined;
  for (let round = 0; round < 100; round++) {
    const canceled = round >= cancelAfter;
    const facts = (key: string): OutputFacts | undefined => {
      const state = nodes.find((node) => node.key === key)?.state;
      return (
        state && {
          outcome: state,
          width: undefined,
          height: undefined,
          mediaType: undefined,
          chosen: undefined,
        }
      );
    };
    const moves = nextMoves(nodes, canceled, facts, canceled ? undefined : ended);
    const state = runStateOf(nodes, canceled);
    if (moves.length === 0) return { nodes, begun, state, canceled };
    ended = new Set();
    const at = nodes;
    nodes = nodes.map((node) => {
      const move = moves.find(({ key }) => key === node.key);
      if (move === undefined) return node;
      const next = after(node, move, ends[Number(node.key.slice(1)) % ends.length] ?? true);
      if (move.kind === 'wake' || move.kind === 'ask') begun.push({ node, at });
      if (TERMINAL_STEP_STATES.includes(next.state)) ended?.add(node.key);
      return next;
    });
  }
  throw new Error('the run never ends');
}

function after(node: PlannedNode, { kind }: Move, succeeds: boolean): PlannedNode {
  const states: Record<Move['kind'], StepState> = {
    wake: succeeds ? 'SUCCEEDED' : 'FAILED',
    ask: succeeds ? 'SUCCEEDED' : 'FAILED',
    skip: 'SKIPPED',
    pass: 'SKIPPED',
    cancel: 'CANCELED',
  };
  const state = states[kind];
  return { ...node, state, hasOutput: state === 'SUCCEEDED' || kind === 'pass' };
}

const ends = fc.array(fc.boolean(), { minLength: 1, maxLength: 10 });

describe('the course of a run', () => {
  it('always comes to an end, with every step at its end, looking only at what an end concerns', () => {
    fc.assert(
      fc.property(graph, ends, fc.constantFrom(100, 100, 0, 1, 2), (nodes, drawn, cancelAfter) => {
        const { nodes: last, state } = play(nodes, drawn, cancelAfter);
        expect(last.every((node) => TERMINAL_STEP_STATES.includes(node.state))).toBe(true);
        expect(TERMINAL_RUN_STATES).toContain(state);
      }),
      { numRuns: 400 },
    );
  });

  it('begins a step only when what it works on is there, and its condition holds', () => {
    fc.assert(
      fc.property(graph, ends, (nodes, drawn) => {
        for (const { node, at } of play(nodes, drawn, 100).begun) {
          const there = (node.plan?.needs ?? []).filter(
            (key) => at.find((other) => other.key === key)?.hasOutput,
          );
          const needed = node.plan?.needs.length ?? 0;
          expect(there.length).toBeGreaterThanOrEqual(
            node.plan?.needsAny === true ? Math.min(1, needed) : needed,
          );
          const when = node.plan?.when;
          if (when === undefined) continue;
          expect(at.find((other) => other.key === when.stepKey)?.state).toBe(when.value);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('never calls a run with a failure a success, and never begins anything without hope', () => {
    fc.assert(
      fc.property(graph, ends, (nodes, drawn) => {
        const { nodes: last, begun, state } = play(nodes, drawn, 100);
        if (last.some((node) => node.state === 'FAILED'))
          expect(['FAILED', 'PARTIALLY_SUCCEEDED']).toContain(state);
        for (const { at } of begun) expect(isHopeless(at, false)).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  it('is unfinished as long as a person is asked or an outcome is unknown', () => {
    const waiting = { plan: undefined, state: 'WAITING' as const };
    expect(runStateOf([waiting], false)).toBe('RUNNING');
    expect(runStateOf([waiting, { plan: undefined, state: 'OUTCOME_UNKNOWN' }], true)).toBe(
      'NEEDS_RECONCILIATION',
    );
  });
});

describe('a comparison', () => {
  it('is not fulfilled by what is unknown, and never by another type', () => {
    for (const compare of ['equals', 'not-equals', 'at-least', 'at-most', 'above', 'below'] as const) {
      expect([compare, holds(undefined, compare, 1)]).toEqual([compare, false]);
      expect([compare, holds('2', compare, 1)]).toEqual([compare, false]);
    }
  });

  it('compares numbers as numbers', () => {
    expect(holds(10, 'above', 9)).toBe(true);
    expect(holds(9, 'above', 9)).toBe(false);
    expect(holds(9, 'at-least', 9)).toBe(true);
    expect(holds(9, 'at-most', 9)).toBe(true);
    expect(holds(9, 'below', 9)).toBe(false);
    expect(holds('image/png', 'not-equals', 'image/jpeg')).toBe(true);
  });
});
