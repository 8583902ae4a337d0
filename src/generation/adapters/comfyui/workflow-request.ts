import { type ComfyGraph, namesEmbedding, readGraph } from '../../domain/comfy-graph.js';
import { type PlannedRequest } from '../../domain/provider.port.js';
import { type ComfyUiServer, type ComfyWorkflow } from '../../registry/own-servers.js';
import { inputProblem } from '../vendor/parameters.js';

/** What is wrong with a step for a workflow, or `undefined`. */
export function workflowProblem(
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
    if (typeof value === 'number' && !Number.isFinite(value)) return `${name} is not a finite number`;
  }
  const missing = Object.keys(workflow.images).find((name) => !Object.hasOwn(inputs, name));
  if (missing !== undefined) return `needs a picture named "${missing}"`;
  return Object.keys(inputs).some((name) => !Object.hasOwn(workflow.images, name))
    ? 'a picture is not among those of this workflow'
    : undefined;
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

/**
 * Refuses, at the start of the program, a workflow whose bindings lead nowhere, or into the name of a weight: then a
 * caller could choose what runs.
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
}
