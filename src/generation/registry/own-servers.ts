import { z } from 'zod';
import { LINEAGE_ROLES, listingIdSchema } from '../../licenses/domain/listing.js';
import { folderSchema, graphSchema, nodeRulesSchema, readGraph } from '../domain/comfy-graph.js';
import { type Inventory } from '../domain/comfy-lineage.js';
import { OPERATIONS } from '../domain/operation.js';
import { priceSchema } from '../domain/price.js';
import { KEYED_PROVIDERS } from '../domain/provider.port.js';
import { priceBookSchema } from './price-book.js';

const nameSchema = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'lower-case letters, digits and dashes');
const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
const pathSchema = z.string().regex(/^[\x21-\x7e]{1,300}$/);

const server = {
  name: nameSchema,
  baseUrl: z.url({ protocol: /^https?$/ }),
  /** Without it only a public https address is contacted. */
  privateNetwork: z.boolean().default(false),
  /** The operator's word that no part of the server loads a weight for `<lora:...>` in a prompt. */
  ignoresWeightTags: z.boolean().default(false),
};

/** Parameters beyond OpenAI's own that servers of open models take. None of them chooses weights. */
export const EXTRA_PARAMETERS = [
  'negative_prompt',
  'num_inference_steps',
  'guidance_scale',
  'true_cfg_scale',
  'seed',
  'strength',
  'width',
  'height',
] as const;

const servedModelSchema = z.strictObject({
  name: nameSchema,
  /** As the server calls it in requests and in its list of models. */
  servedModel: pathSchema,
  /** What the server must say that it loaded: `root` in the list of vLLM, `model_path` of SGLang. */
  weights: pathSchema.optional(),
  listingId: listingIdSchema,
  operations: z
    .array(z.enum(['generate', 'edit']))
    .min(1)
    .max(2),
  /** Which of the extra parameters this server really knows: others would be ignored silently. */
  extraParameters: z.array(z.enum(EXTRA_PARAMETERS)).default([]),
  lora: z
    .strictObject({
      listingId: listingIdSchema,
      name: z.string().regex(/^[A-Za-z0-9_.-]{1,80}$/),
      path: pathSchema,
      scale: z.number().min(0).max(4).default(1),
    })
    .optional(),
  price: priceSchema,
});

const openAiCompatibleSchema = z
  .strictObject({
    ...server,
    /** `sglang` switches LoRAs for the whole server, `vllm-omni` by request, `plain` not at all. */
    kind: z.enum(['plain', 'vllm-omni', 'sglang']),
    apiKey: z.string().min(1).max(500).optional(),
    models: z.array(servedModelSchema).min(1).max(50),
  })
  .superRefine(({ kind, models }, context) => {
    for (const { name, lora, weights } of models) {
      const problem = (message: string) =>
        context.addIssue({ code: 'custom', message: `${name}: ${message}` });
      if (kind === 'plain' && lora !== undefined) problem('this kind of server takes no LoRA');
      if (kind === 'sglang' && weights === undefined)
        problem('"weights" must say what the server has loaded');
    }
  });
export type OpenAiCompatibleServer = z.output<typeof openAiCompatibleSchema>;
export type ServedModel = OpenAiCompatibleServer['models'][number];

const bindingSchema = z.strictObject({
  node: z.string().regex(/^[A-Za-z0-9:_-]{1,40}$/),
  input: z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/),
});

const workflowSchema = z.strictObject({
  name: nameSchema,
  operation: z.enum(OPERATIONS),
  /** The listing that the step names; one of the weights in the graph must be it. */
  listingId: listingIdSchema,
  graph: graphSchema,
  /** Where the parameters of a step go. */
  parameters: z.record(z.string().regex(/^[a-zA-Z][a-zA-Z0-9_]{0,39}$/), bindingSchema).default({}),
  /** Where its pictures go: nodes that load an uploaded file. */
  images: z.record(z.string().regex(/^[a-zA-Z][a-zA-Z0-9_]{0,39}$/), bindingSchema).default({}),
  /** The node whose first file is the output of the step. */
  outputNode: z.string().regex(/^[A-Za-z0-9:_-]{1,40}$/),
  price: priceSchema,
});
export type ComfyWorkflow = z.output<typeof workflowSchema>;

/** Which file is which model: by its place on the server and by the SHA-256 that the operator took of it. */
const inventoryEntrySchema = z.strictObject({
  fileName: z.string().min(1).max(300),
  /** `checkpoints`, `loras`, `vae`...: needed where files of two folders have one name. */
  folder: folderSchema.optional(),
  sha256: sha256Schema,
  listingId: listingIdSchema,
  role: z.enum(LINEAGE_ROLES).optional(),
});
export type InventoryEntry = z.output<typeof inventoryEntrySchema>;

const comfyUiSchema = z.strictObject({
  ...server,
  inventory: z.array(inventoryEntrySchema).max(2000).default([]),
  /** Nodes that the operator knows, beyond those that come with the product. */
  nodes: nodeRulesSchema.default({}),
  workflows: z.array(workflowSchema).min(1).max(100),
});
export type ComfyUiServer = z.output<typeof comfyUiSchema>;

/** @throws GraphRefusedError for a workflow whose weights cannot be read */
export function inventoryOf({ inventory, nodes, workflows }: ComfyUiServer): Inventory {
  return { files: inventory, loaded: workflows.flatMap(({ graph }) => readGraph(graph, nodes).weights) };
}

/** A model of a vendor that the product does not offer by itself; its price is in the price book, or in `prices`. */
const vendorOfferingSchema = z
  .strictObject({
    listingId: listingIdSchema,
    provider: z.enum(KEYED_PROVIDERS),
    endpoint: z.string().min(1).max(120),
    operations: z.array(z.enum(OPERATIONS)).min(1).max(OPERATIONS.length),
    /**
     * Of a deployment on Replicate: the model and version behind its name, which the listing stands for. Each answer
     * is compared with it, because the name stays the same when another model is put behind it.
     */
    runs: z
      .strictObject({
        model: z.string().regex(/^[A-Za-z0-9_.-]{1,64}\/[A-Za-z0-9_.-]{1,64}$/, 'owner/name'),
        version: z.string().regex(/^[0-9a-f]{64}$/, '64 hex digits'),
      })
      .optional(),
  })
  .superRefine(({ provider, endpoint, runs }, context) => {
    const problem = (message: string) =>
      context.addIssue({ code: 'custom', path: ['runs'], message: `${endpoint}: ${message}` });
    const isDeployment = provider === 'replicate' && endpoint.startsWith('deployments/');
    if (isDeployment && runs === undefined)
      problem('state the model and version that the deployment runs: {"model":"owner/name","version":"..."}');
    if (!isDeployment && runs !== undefined) problem('is for deployments on replicate alone');
  });

/** The file that `COLOPHON_SERVERS_FILE` names: the operator's own servers, and prices of the operator's own contracts. */
export const ownServersSchema = z
  .strictObject({
    prices: priceBookSchema.shape.rows.default([]),
    offerings: z.array(vendorOfferingSchema).max(1000).default([]),
    openAiCompatible: z.array(openAiCompatibleSchema).max(50).default([]),
    comfyUi: z.array(comfyUiSchema).max(50).default([]),
  })
  .superRefine(({ offerings, openAiCompatible, comfyUi }, context) => {
    const deployed = new Map<string, string>();
    for (const { endpoint, runs } of offerings) {
      if (runs === undefined) continue;
      const stated = `${runs.model}:${runs.version}`;
      if ((deployed.get(endpoint) ?? stated) !== stated)
        context.addIssue({
          code: 'custom',
          message: `${endpoint}: two rows say that it runs different models`,
        });
      deployed.set(endpoint, stated);
    }
    const names = [...openAiCompatible, ...comfyUi].map(({ name }) => name);
    if (new Set(names).size !== names.length)
      context.addIssue({ code: 'custom', message: 'two servers have one name' });
  });
export type OwnServers = z.output<typeof ownServersSchema>;

export const NO_OWN_SERVERS: OwnServers = { prices: [], offerings: [], openAiCompatible: [], comfyUi: [] };

/** How an offering on an own server is called: `<server>/<model or workflow>`. */
export function ownEndpoint(serverName: string, name: string): string {
  return `${serverName}/${name}`;
}
