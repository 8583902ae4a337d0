import { type ComfyGraph, namesEmbedding, readGraph } from '../../domain/comfy-graph.js';
import { wordsOf } from '../../domain/name-words.js';
import { OPERATION_FACTS } from '../../domain/operation.js';
import { type PlannedRequest } from '../../domain/provider.port.js';
import { namesWeightTag, weightTagProblem } from '../../domain/weight-tags.js';
import { type ComfyUiServer, type ComfyWorkflow } from '../../registry/own-servers.js';
import { countProblem } from '../vendor/count-problem.js';
import { inputProblem } from '../vendor/parameters.js';
import { inputsIn } from './job-marks.js';

const BATCH: ReadonlySet<string> = new Set(['batch', 'batches', 'batchsize']);

/** What is wrong with a step for a workflow, or `undefined`. */
export function workflowProblem(
  { ignoresWeightTags }: ComfyUiServer,
  workflow: ComfyWorkflow,
  { operation, parameters, inputs }: PlannedRequest,
): string | undefined {
  if (workflow.operation !== operation) return `this workflow does not do "${operation}"`;
  const problem = inputProblem(parameters, inputs, ['image', 'video', 'audio']);
  if (problem !== undefined) return problem;
  for (const [name, value] of Object.entries(parameters)) {
    if (!Object.hasOwn(workflow.parameters, name)) return 'a parameter is not among those of this workflow';
    if (!['string', 'number', 'boolean'].includes(typeof value))
      return `${name} must be a text, a number or a switch`;
    if (typeof value === 'string' && namesEmbedding(value))
      return `${name} names an embedding, which is a weight that was not cleared`;
    if (typeof value === 'string' && !ignoresWeightTags && namesWeightTag(value))
      return weightTagProblem(name);
    if (typeof value === 'number' && !Number.isFinite(value)) return `${name} is not a finite number`;
    const count = countProblem(name, value) ?? boundCountProblem(workflow, name, value);
    if (count !== undefined) return count;
  }
  const missing = Object.keys(workflow.images).find((name) => !Object.hasOwn(inputs, name));
  if (missing !== undefined) return `needs a picture named "${missing}"`;
  return Object.keys(inputs).some((name) => !Object.hasOwn(workflow.images, name))
    ? 'a picture is not among those of this workflow'
    : undefined;
}

/** By whatever name a caller gives it: what counts is the input of the graph that it goes into. */
function boundCountProblem(workflow: ComfyWorkflow, name: string, value: unknown): string | undefined {
  const binding = workflow.parameters[name];
  const type = binding === undefined ? undefined : workflow.graph[binding.node]?.class_type;
  if (binding === undefined || type === undefined || !multiplies(workflow, type, binding.input))
    return undefined;
  return countProblem('batch_size', value) === undefined
    ? undefined
    : `${name} must be 1: a step makes one file`;
}

/**
 * Whether an input says how many pictures a node makes. In a film they are its frames, and in sound its length: many
 * become one file there.
 */
function multiplies({ operation }: ComfyWorkflow, type: string, input: string): boolean {
  if (OPERATION_FACTS[operation].makes !== 'image') return false;
  return wordsOf(input).some((word) => BATCH.has(word)) || (/batch/i.test(type) && input === 'amount');
}

/**
 * The graph with the values of a step in it.
 * @param files names of the uploaded files on the server, by parameter name
 */
export function graphFor(
  workflow: ComfyWorkflow,
  parameters: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, string>>,
): ComfyGraph {
  const graph = structuredClone(workflow.graph);
  // Titles are for people, and may hold a prompt of somebody else.
  for (const node of Object.values(graph)) delete node._meta;
  const put = (
    bindings: ComfyWorkflow['parameters'],
    name: string,
    value: string | number | boolean,
  ): void => {
    const binding = bindings[name];
    const node = binding === undefined ? undefined : graph[binding.node];
    if (binding !== undefined && node !== undefined) node.inputs[binding.input] = value;
  };
  for (const [name, value] of Object.entries(parameters))
    put(workflow.parameters, name, value as string | number | boolean);
  for (const [name, file] of Object.entries(files)) put(workflow.images, name, file);
  return graph;
}

/** Texts for people in a graph that was sent for a step: what a caller put into it, and sentences of the workflow itself. */
export function textsIn(workflow: ComfyWorkflow, sent: unknown): string[] {
  const bound = new Set(Object.values(workflow.parameters).map(({ node, input }) => `${node} ${input}`));
  return inputsIn(sent).flatMap(([id, inputs]) =>
    Object.entries(inputs).flatMap(([input, value]) =>
      typeof value === 'string' && (bound.has(`${id} ${input}`) || /\s/.test(value)) ? [value] : [],
    ),
  );
}

/**
 * Refuses, at the start of the program, a workflow whose bindings lead nowhere, or into the name of a weight: then a
 * caller could choose what runs. So it does one whose own texts load weights, or that makes several pictures.
 * @throws Error, GraphRefusedError
 */
export function requireSoundWorkflow(server: ComfyUiServer, workflow: ComfyWorkflow): void {
  const { weights, fileInputs } = readGraph(workflow.graph, server.nodes);
  const bound = [...Object.values(workflow.parameters), ...Object.values(workflow.images)];
  for (const { node, input } of bound) {
    if (workflow.graph[node] === undefined) throw new Error(`${workflow.name}: there is no node ${node}`);
    const rule = weights.some(
      ({ nodeId, fileName }) => nodeId === node && workflow.graph[node]?.inputs[input] === fileName,
    );
    if (rule)
      throw new Error(`${workflow.name}: "${input}" of node ${node} names a weight, which no caller chooses`);
  }
  const uploads = Object.values(workflow.images);
  const loose = fileInputs.find(
    ({ nodeId, input }) => !uploads.some((upload) => upload.node === nodeId && upload.input === input),
  );
  if (loose !== undefined)
    throw new Error(
      `${workflow.name}: node ${loose.nodeId} loads a file of the server that no rights are known of`,
    );
  if (workflow.graph[workflow.outputNode] === undefined)
    throw new Error(`${workflow.name}: there is no node ${workflow.outputNode}`);
  for (const [nodeId, { class_type: type, inputs }] of Object.entries(workflow.graph))
    for (const [input, value] of Object.entries(inputs)) {
      const problem = literalProblem(server, workflow, { type, input, value });
      if (problem !== undefined) throw new Error(`${workflow.name}: "${input}" of node ${nodeId} ${problem}`);
    }
}

/** What is wrong with a value that stands in the graph itself. */
function literalProblem(
  { ignoresWeightTags }: ComfyUiServer,
  workflow: ComfyWorkflow,
  { type, input, value }: { readonly type: string; readonly input: string; readonly value: unknown },
): string | undefined {
  if (typeof value === 'string' && !ignoresWeightTags && namesWeightTag(value))
    return 'holds a mark such as <lora:...>: load the weight by a node, so that it is cleared, or say that the server ignores it ("ignoresWeightTags")';
  // A link gives a number that is known only when the server works.
  if (Array.isArray(value) || !multiplies(workflow, type, input)) return undefined;
  return countProblem('batch_size', value) === undefined ? undefined : 'must be 1: a step makes one file';
}
