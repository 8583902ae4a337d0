import { z } from 'zod';
import { literalSchema } from './definition-words.js';
import { MAX_STEPS } from './pipeline-definition.js';

const nodeIdSchema = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,39}$/, 'letters, digits, "_" and "-", at most 40');
const fieldsSchema = z.record(z.string().max(40), z.unknown());
const common = {
  id: z.string().max(40).optional(),
  depends: z.array(z.string().max(40)).max(MAX_STEPS).default([]),
};
const nodeSchema = z.discriminatedUnion('type', [
  z.strictObject({ ...common, type: z.literal('input'), input: fieldsSchema }),
  z.strictObject({
    ...common,
    type: z.literal('run'),
    app: z.string().min(1).max(120),
    input: fieldsSchema,
  }),
  z.strictObject({
    ...common,
    type: z.literal('display'),
    fields: fieldsSchema,
    // The editor writes one into every node; a display is given nothing.
    input: z.strictObject({}).optional(),
  }),
]);
const nodesSchema = z
  .record(nodeIdSchema, nodeSchema)
  .refine((nodes) => Object.keys(nodes).length <= MAX_STEPS + 2, `at most ${MAX_STEPS} nodes`);

/** What the editor's form says of an input. Labels and the order of fields change nothing of what is done. */
const formFieldSchema = z.looseObject({ default: literalSchema.nullable().optional() });

/** The whole file as the editor saves it. Around `contents` are names, owners and dates. */
const editorFileSchema = z.looseObject({
  contents: z.strictObject({
    name: z.string().max(200).optional(),
    nodes: nodesSchema,
    output: fieldsSchema.optional(),
    schema: z
      .strictObject({
        input: z.record(z.string().max(40), formFieldSchema).optional(),
        output: fieldsSchema.optional(),
      })
      .optional(),
    version: z.union([z.string().max(20), z.number()]).optional(),
    metadata: z.unknown().optional(),
  }),
});

export const falWorkflowSchema = z
  .union([nodesSchema, editorFileSchema], { error: firstProblem })
  .meta({ id: 'FalWorkflow' });
export type FalWorkflow = z.infer<typeof falWorkflowSchema>;
export type FalNodes = z.infer<typeof nodesSchema>;
export type FalNode = FalNodes[string];

/** A workflow in either form, with what it says outside of its nodes. */
export interface FalGraph {
  readonly nodes: FalNodes;
  /** What the file as a whole gives out. */
  readonly output: Readonly<Record<string, unknown>>;
}

export function readFalGraph(workflow: FalWorkflow): FalGraph {
  if (!isEditorFile(workflow)) return { nodes: workflow, output: {} };
  const { nodes, output = {}, schema } = workflow.contents;
  const input = nodes.input;
  if (schema?.input === undefined || (input !== undefined && input.type !== 'input'))
    return { nodes, output };
  // The editor names inputs in its form alone; a node of that name, where there is one, says more.
  const named = Object.entries(schema.input).map(([name, field]) => [name, field.default ?? ''] as const);
  const given = { ...Object.fromEntries(named), ...input?.input };
  return { nodes: { ...nodes, input: { type: 'input', depends: [], ...input, input: given } }, output };
}

type EditorFile = z.infer<typeof editorFileSchema>;

function isEditorFile(workflow: unknown): workflow is EditorFile {
  if (typeof workflow !== 'object' || workflow === null || !('contents' in workflow)) return false;
  const { contents } = workflow;
  return typeof contents === 'object' && contents !== null && 'nodes' in contents;
}

interface UnionIssue {
  readonly input?: unknown;
  readonly errors?: readonly (readonly {
    readonly path: readonly PropertyKey[];
    readonly message: string;
  }[])[];
}

/** Of two forms, what is wrong by the one that was meant. */
function firstProblem({ input, errors = [] }: UnionIssue): string | undefined {
  const [problem] = errors[isEditorFile(input) ? 1 : 0] ?? [];
  return problem && `${problem.path.map(String).join('.')}: ${problem.message}`;
}
