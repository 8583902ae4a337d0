import { ColophonError } from '../../shared/errors.js';
import { type FalReference, readReference, readsAsReference } from './fal-reference.js';
import { type FalNode, type FalNodes, type FalWorkflow, readFalGraph } from './fal-workflow-file.js';
import { type MediaKind, named } from './media-kind.js';
import { type Offering, type Offerings } from './offering.js';
import { OPERATION_FACTS } from './operation.js';
import { literalSchema } from './definition-words.js';
import { type PipelineDefinition, pipelineDefinitionSchema } from './pipeline-definition.js';

type RunNode = Extract<FalNode, { type: 'run' }>;

interface Problem {
  readonly path: string;
  readonly message: string;
}

/**
 * A workflow of fal as JSON (docs.fal.ai, "How to create a custom workflow UI", read 2026-11-29): nodes by id, of the
 * types `input`, `run` and `display`, alone or in the file of the editor. Whatever its nodes say is either translated or
 * refused with its place; nothing is dropped.
 *
 * @throws ColophonError `pipeline_invalid` with every place that cannot be translated
 */
export function translateFalWorkflow(workflow: FalWorkflow, offerings: Offerings): PipelineDefinition {
  const { nodes, output } = readFalGraph(workflow);
  const translation = new Translation(nodes, output, offerings);
  const steps = translation.steps();
  const [first] = translation.problems;
  if (first !== undefined)
    throw new ColophonError('pipeline_invalid', `${first.path}: ${first.message}`, {
      extensions: { errors: translation.problems.slice(0, 50) },
    });
  return pipelineDefinitionSchema.parse({ steps });
}

class Translation {
  readonly problems: Problem[] = [];
  private readonly runs: readonly (readonly [string, RunNode])[];
  private readonly keys: ReadonlyMap<string, string>;
  private readonly offered = new Map<string, Offering>();

  constructor(
    private readonly workflow: FalNodes,
    private readonly output: Readonly<Record<string, unknown>>,
    private readonly offerings: Offerings,
  ) {
    this.runs = Object.entries(workflow).flatMap(([id, node]) =>
      node.type === 'run' ? [[id, node] as const] : [],
    );
    this.keys = this.stepKeys();
  }

  steps(): object[] {
    if (this.runs.length === 0) this.refuse('', 'the workflow has no node of the type "run"');
    this.checkNodes();
    for (const [id, node] of this.runs) this.offer(id, node);
    const steps = this.runs.flatMap(([id, node]) => this.step(id, node));
    for (const [id, node] of Object.entries(this.workflow))
      if (node.type === 'display') this.checkFields(`${id}.fields`, node.fields);
    this.checkFields('contents.output', this.output);
    return steps;
  }

  private refuse(path: string, message: string): void {
    this.problems.push({ path, message });
  }

  /** Our keys are lower-case with dashes; two ids may become one. */
  private stepKeys(): Map<string, string> {
    const keys = new Map<string, string>();
    for (const [id] of this.runs) {
      const key = id.toLowerCase().replaceAll('_', '-').replaceAll(/-+$/g, '');
      if ([...keys.values()].includes(key))
        this.refuse(id, 'has the same name as another node, but for case and dashes');
      keys.set(id, key);
    }
    return keys;
  }

  private checkNodes(): void {
    for (const [id, node] of Object.entries(this.workflow)) {
      if (node.id !== undefined && node.id !== id)
        this.refuse(`${id}.id`, 'is another one than its name in the workflow');
      if (node.type === 'input' && id !== 'input')
        this.refuse(id, 'a node of the type "input" must be called "input"');
      for (const [index, other] of node.depends.entries())
        if (!Object.hasOwn(this.workflow, other))
          this.refuse(`${id}.depends.${index}`, `there is no node "${other}"`);
    }
  }

  /** Which listing the app is, and what it does: an app that several operations share is told apart by what it is given. */
  private offer(id: string, { app, input }: RunNode): void {
    const found = this.offerings.atEndpoint('fal', app);
    if (found.length === 0)
      return this.refuse(
        `${id}.app`,
        `no listing here is run as "${app}" at fal. Record the model with its license (POST /v1/models), and have the operator name the endpoint with it under "offerings" of the file of own servers (docs/providers.md); a known price alone does not offer it`,
      );
    const isGivenMedia = Object.keys(input).some((name) => mediaParameter(name) !== undefined);
    const fitting = found.filter(({ operation }) =>
      operation === 'generate' ? !isGivenMedia : isGivenMedia,
    );
    const [offering, another] = found.length === 1 ? found : fitting;
    if (offering === undefined || another !== undefined)
      return this.refuse(`${id}.app`, ambiguity(app, fitting));
    this.offered.set(id, offering);
  }

  private step(id: string, { input, depends }: RunNode): object[] {
    const offering = this.offered.get(id);
    const parameters: Record<string, unknown> = {};
    const images: Record<string, unknown> = {};
    const media: Record<string, unknown> = {};
    const used = new Set<string>();
    for (const [name, value] of Object.entries(input)) {
      const path = `${id}.input.${name}`;
      const kind = mediaParameter(name);
      if (kind === undefined) parameters[name] = this.parameter(path, value, used);
      else {
        const source = this.media(path, kind, value, used);
        if (kind === 'image') images[name] = source;
        else if (source !== undefined) media[name] = { kind, ...source };
      }
    }
    this.checkDepends(id, depends, used);
    if (offering === undefined) return [];
    const { operation, listingId, endpoint } = offering;
    const more = Object.keys(media).length === 0 ? {} : { media };
    return [{ key: this.keys.get(id), operation, model: listingId, endpoint, parameters, images, ...more }];
  }

  /** The order of our steps follows from what they use. An order without a use would be lost. */
  private checkDepends(id: string, depends: readonly string[], used: ReadonlySet<string>): void {
    for (const [index, other] of depends.entries())
      if (this.keys.has(other) && !used.has(other))
        this.refuse(`${id}.depends.${index}`, `waits for "${other}" without using what it makes`);
    for (const other of used)
      if (other !== 'input' && !depends.includes(other))
        this.refuse(`${id}.depends`, `uses what "${other}" makes, and does not name it`);
  }

  private parameter(path: string, value: unknown, used: Set<string>): unknown {
    if (typeof value === 'string' && readsAsReference(value)) {
      const reference = readReference(value);
      if (reference?.node === 'input') return this.input(path, reference, used);
      return this.refuse(
        path,
        reference === undefined
          ? 'a reference inside of a text, or one that cannot be read; only "$input.name" alone can stand here'
          : 'takes something other than a file from another node; steps hand on files only',
      );
    }
    const literal = literalSchema.safeParse(value);
    if (literal.success) return literal.data;
    return this.refuse(
      path,
      'objects, nested lists, empty values and texts beyond 4,000 characters have no counterpart',
    );
  }

  private input(path: string, { path: names }: FalReference, used: Set<string>): object | undefined {
    const [name = ''] = names;
    const { input } = this.workflow;
    if (names.length !== 1 || input?.type !== 'input' || !Object.hasOwn(input.input, name)) {
      this.refuse(path, `the node "input" has no "${names.join('.')}"`);
      return undefined;
    }
    used.add('input');
    const given = input.input[name];
    if (given === '' || given === null) return { input: name };
    const literal = literalSchema.safeParse(given);
    if (literal.success) return { input: name, default: literal.data };
    this.refuse(`input.input.${name}`, 'is neither a text, a number, a boolean nor a short list of them');
    return undefined;
  }

  private media(path: string, kind: MediaKind, value: unknown, used: Set<string>): object | undefined {
    // `image_urls` is a list; a step works on one file for each parameter.
    const single: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
    const reference = typeof single === 'string' ? readReference(single) : undefined;
    if (reference === undefined) {
      this.refuse(
        path,
        'must be a reference to one file: an address has no declared rights, so upload the file and name it as an input',
      );
      return undefined;
    }
    if (reference.node === 'input') return this.mediaInput(path, reference, used);
    return this.mediaOfNode(path, kind, reference, used);
  }

  private mediaInput(path: string, { path: names }: FalReference, used: Set<string>): object | undefined {
    const [name = ''] = names;
    const { input } = this.workflow;
    if (names.length !== 1 || input?.type !== 'input' || !Object.hasOwn(input.input, name)) {
      this.refuse(path, `the node "input" has no "${names.join('.')}"`);
      return undefined;
    }
    if (input.input[name] !== '' && input.input[name] !== null) {
      this.refuse(
        `input.input.${name}`,
        'a file that is given beforehand has no declared rights: leave it empty',
      );
      return undefined;
    }
    used.add('input');
    return { input: name };
  }

  private mediaOfNode(
    path: string,
    kind: MediaKind,
    { node, path: names }: FalReference,
    used: Set<string>,
  ): object | undefined {
    const step = this.keys.get(node);
    if (step === undefined) {
      this.refuse(path, `there is no node "${node}" that makes something`);
      return undefined;
    }
    used.add(node);
    const problem = this.outputProblem(node, names, kind);
    if (problem !== undefined) this.refuse(path, problem);
    return { step };
  }

  /** A step has one file: the first that the model answers with. */
  private outputProblem(
    node: string,
    names: readonly string[],
    wanted: MediaKind | undefined,
  ): string | undefined {
    const place = outputPlace(names);
    if (place === undefined) return `"${names.join('.')}" is not the first file that a model makes`;
    const offering = this.offered.get(node);
    const makes = offering && OPERATION_FACTS[offering.operation].makes;
    if (makes !== undefined && makes !== place) return `"${node}" makes ${named(makes)}, not ${named(place)}`;
    return wanted !== undefined && place !== wanted ? `must be ${named(wanted)}` : undefined;
  }

  private checkFields(place: string, fields: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(fields)) {
      const path = `${place}.${name}`;
      const reference = typeof value === 'string' ? readReference(value) : undefined;
      if (reference === undefined || !this.keys.has(reference.node))
        this.refuse(path, 'must be a reference to what a node makes, e.g. "$node_1.images.0.url"');
      else {
        const problem = this.outputProblem(reference.node, reference.path, undefined);
        if (problem !== undefined) this.refuse(path, problem);
      }
    }
  }
}

/** Several listings at one endpoint have licenses of their own: nobody but the author can say which is meant. */
function ambiguity(app: string, fitting: readonly Offering[]): string {
  const listings = [...new Set(fitting.map(({ listingId }) => listingId))];
  return listings.length > 1
    ? `"${app}" is run for several listings here (${listings.join(', ')}), and a workflow cannot tell which: write the pipeline with POST /v1/pipelines and name the one that is meant as "model"`
    : `"${app}" does several things here, and its input does not tell which`;
}

/** By the convention of fal: `image_url`, `mask_image_url`, `image_urls`, `video_url`, `audio_url`, `model_mesh_url`. */
function mediaParameter(name: string): MediaKind | undefined {
  const [, word] = /(?:^|_)(image|mask|frame|video|audio|mesh|glb)_urls?$/.exec(name) ?? [];
  switch (word) {
    case undefined:
      return undefined;
    case 'video':
    case 'audio':
      return word;
    case 'mesh':
    case 'glb':
      return 'model3d';
    default:
      return 'image';
  }
}

const OUTPUT_PLACES: Readonly<Record<string, MediaKind>> = {
  images: 'image',
  image: 'image',
  video: 'video',
  videos: 'video',
  audio: 'audio',
  audio_file: 'audio',
  model_mesh: 'model3d',
  model_glb: 'model3d',
};

function outputPlace(names: readonly string[]): MediaKind | undefined {
  const [first = '', ...rest] = names;
  const kind = Object.hasOwn(OUTPUT_PLACES, first) ? OUTPUT_PLACES[first] : undefined;
  const isList = first === 'images' || first === 'videos';
  const allowed = isList ? ['', '0', '0.url'] : ['', 'url'];
  return kind !== undefined && allowed.includes(rest.join('.')) ? kind : undefined;
}
