import { readFileSync } from 'node:fs';
import JsonFormula from '@adobe/json-formula';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

/**
 * Evaluates the official rubric (test/vectors/c2pa-rubric/ORIGIN.md) over crJSON, by the conventions of the programme's own
 * evaluator: named expressions are functions whose arguments are the global `$args`; "expected" is the specification.
 */
const RUBRIC = new URL('../vectors/c2pa-rubric/asset-rubric-conformance0.2-spec2.4.yml', import.meta.url);
const EXPECTED_SPECIFICATION = '2.4';

const header = z.object({
  variables: z.record(z.string(), z.array(z.string())),
  expressions: z.record(z.string(), z.string()),
});
const text = z.object({ en: z.string() });
const rule = z.object({
  id: z.string(),
  expression: z.string(),
  failIfMatched: z.boolean().optional(),
  warnIfMatched: z.boolean().optional(),
  reportText: z.object({ true: text, false: text }),
});
type Rule = z.infer<typeof rule>;

interface Interpreter {
  readonly globals: Record<string, unknown>;
  search(ast: unknown, data: unknown): unknown;
}

export interface RubricResult {
  readonly id: string;
  readonly passed: boolean;
  /** The rule's own text for this outcome. */
  readonly reportText: string;
}

export class Rubric {
  private constructor(
    private readonly formula: JsonFormula,
    private readonly globals: Record<string, unknown>,
    readonly rules: readonly Rule[],
  ) {}

  static read(): Rubric {
    const [first, ...others] = parseAllDocuments(readFileSync(RUBRIC, 'utf8')).map(
      (document): unknown => document.toJS() as unknown,
    );
    const { variables, expressions } = header.parse(first);
    const globals = { ...variables, $expected_spec_version: EXPECTED_SPECIFICATION };
    const names = [...Object.keys(globals), '$args'];
    const compiler = new JsonFormula();
    const functions = Object.entries(expressions).map(([name, expression]) => {
      const ast = compiler.compile(expression.trim(), names);
      const takesArguments = expression.includes('$args');
      return [name, namedExpression(ast, takesArguments)] as const;
    });
    return new Rubric(
      new JsonFormula(Object.fromEntries(functions)),
      globals,
      z.array(rule).parse(others.flat()),
    );
  }

  evaluate(crJson: unknown): RubricResult[] {
    return this.rules.map(({ id, expression, failIfMatched, warnIfMatched, reportText }) => {
      const value = this.formula.search(expression.trim(), crJson, this.globals);
      const matches = Array.isArray(value) ? (value as unknown[]) : [];
      const passed = failIfMatched === true || warnIfMatched === true ? matches.length === 0 : value === true;
      const words = reportText[passed ? 'true' : 'false'].en;
      return { id, passed, reportText: words.replace('{{matches}}', matches.map(String).join(', ')) };
    });
  }
}

function namedExpression(ast: unknown, takesArguments: boolean) {
  return {
    _func: (args: unknown[], data: unknown, interpreter: Interpreter): unknown => {
      if (!takesArguments) return interpreter.search(ast, data);
      const outer = interpreter.globals.$args;
      interpreter.globals.$args = args;
      try {
        return interpreter.search(ast, data);
      } finally {
        interpreter.globals.$args = outer;
      }
    },
    _signature: takesArguments ? [{ types: [ANY] }] : [],
  };
}

/** json-formula's code for a parameter of any type. */
const ANY = 1;
