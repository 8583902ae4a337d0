import { z } from 'zod';
import { LINEAGE_ROLES, type LineageRole } from '../../licenses/domain/listing.js';
import { KNOWN_NODES, type NodeRule, weightFolder } from './comfy-nodes.js';

const MAX_NODES = 500;
const MAX_INPUTS = 100;
const inputNameSchema = z.string().regex(/^[A-Za-z][A-Za-z0-9_.]{0,63}$/);
const scalarSchema = z.union([z.string().max(8000), z.number(), z.boolean(), z.null()]);
/** `["4", 0]`: the first output of node 4. */
const linkSchema = z.tuple([z.string().max(40), z.int().min(0).max(64)]);

const graphNodeSchema = z.strictObject({
  class_type: z.string().min(1).max(100),
  inputs: z
    .record(inputNameSchema, z.union([scalarSchema, linkSchema]))
    .refine((inputs) => Object.keys(inputs).length <= MAX_INPUTS, `at most ${MAX_INPUTS} inputs`),
  /** Titles for people. Not sent to the server. */
  _meta: z.unknown().optional(),
});

/** A graph in ComfyUI's API format: nodes by id. */
export const graphSchema = z
  .record(z.string().regex(/^[A-Za-z0-9:_-]{1,40}$/), graphNodeSchema)
  .refine((graph) => Object.keys(graph).length <= MAX_NODES, `at most ${MAX_NODES} nodes`);
export type ComfyGraph = z.output<typeof graphSchema>;

/** Of a ComfyUI server, below its folder of models. */
export const folderSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,60}$/)
  .transform(weightFolder);

/** What an operator says of nodes that are not among the known ones. */
export const nodeRulesSchema = z.record(
  z.string().min(1).max(100),
  z.strictObject({
    weights: z.record(inputNameSchema, z.enum(LINEAGE_ROLES)).optional(),
    folders: z.record(inputNameSchema, folderSchema).optional(),
    files: z.array(inputNameSchema).max(10).optional(),
  }),
);

/** A weight file that takes part in a graph. */
export interface GraphWeight {
  readonly nodeId: string;
  readonly fileName: string;
  readonly role: LineageRole;
  /** Where the file lies on the server; `undefined` when the operator has not said what the node loads it from. */
  readonly folder: string | undefined;
  /** The kind of the node. */
  readonly loader: string;
}

export interface GraphReading {
  readonly weights: readonly GraphWeight[];
  /** Inputs that take an uploaded file. */
  readonly fileInputs: readonly { readonly nodeId: string; readonly input: string }[];
}

export class GraphRefusedError extends Error {}

/** An embedding in a prompt is a weight file that no input names: `embedding:style.pt`. */
const EMBEDDING = /\bembedding\s*:/i;
/** Values that look like weight files where no rule expects one. */
const WEIGHT_FILE = /\.(?:safetensors|sft|ckpt|pt|pth|bin|gguf|onnx)$/i;

/**
 * Everything in a graph that the output descends from. Each node counts, also one that nothing seems to use: what the
 * server makes of it is not our knowledge.
 * @param ownNodes the operator's rules; they stand before the known ones
 * @throws GraphRefusedError for an unknown node, and for a weight whose name cannot be read in the graph
 */
export function readGraph(
  graph: ComfyGraph,
  ownNodes: Readonly<Record<string, NodeRule>> = {},
): GraphReading {
  const weights: GraphWeight[] = [];
  const fileInputs: { nodeId: string; input: string }[] = [];
  for (const [nodeId, { class_type: type, inputs }] of Object.entries(graph)) {
    const rule = Object.hasOwn(ownNodes, type) ? ownNodes[type] : KNOWN_NODES.get(type);
    if (rule === undefined)
      throw new GraphRefusedError(`node ${nodeId} is of an unknown kind, so what it loads is not known`);
    for (const [input, role] of Object.entries(rule.weights ?? {}))
      weights.push({
        nodeId,
        fileName: weightName(nodeId, input, inputs[input]),
        role,
        folder: rule.folders?.[input],
        loader: type,
      });
    for (const input of rule.files ?? []) {
      if (typeof inputs[input] !== 'string')
        throw new GraphRefusedError(`node ${nodeId}: "${input}" is not a plain name`);
      fileInputs.push({ nodeId, input });
    }
    refuseHiddenWeights(nodeId, inputs, rule);
  }
  requireLinks(graph);
  return { weights, fileInputs };
}

function weightName(nodeId: string, input: string, value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '')
    throw new GraphRefusedError(
      `node ${nodeId}: "${input}" comes from elsewhere, so the weight cannot be read`,
    );
  return value;
}

function refuseHiddenWeights(
  nodeId: string,
  inputs: Readonly<Record<string, unknown>>,
  rule: NodeRule,
): void {
  for (const [input, value] of Object.entries(inputs)) {
    if (typeof value !== 'string') continue;
    if (namesEmbedding(value))
      throw new GraphRefusedError(
        `node ${nodeId}: "${input}" names an embedding, which is a weight of its own`,
      );
    const isExpected = Object.hasOwn(rule.weights ?? {}, input);
    if (!isExpected && WEIGHT_FILE.test(value.trim()))
      throw new GraphRefusedError(`node ${nodeId}: "${input}" names a weight file where none is known`);
  }
}

/** Also asked of what a step puts into a graph. */
export function namesEmbedding(text: string): boolean {
  return EMBEDDING.test(text);
}

function requireLinks(graph: ComfyGraph): void {
  for (const [nodeId, { inputs }] of Object.entries(graph)) {
    for (const value of Object.values(inputs)) {
      if (Array.isArray(value) && !Object.hasOwn(graph, value[0]))
        throw new GraphRefusedError(`node ${nodeId} takes something from a node that is not there`);
    }
  }
}
