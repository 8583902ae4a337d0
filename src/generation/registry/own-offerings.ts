import { readGraph } from '../domain/comfy-graph.js';
import { componentsOf } from '../domain/comfy-lineage.js';
import { type Offering } from '../domain/offering.js';
import { type PriceBook } from './price-book.js';
import {
  type ComfyUiServer,
  type ComfyWorkflow,
  inventoryOf,
  ownEndpoint,
  type OwnServers,
} from './own-servers.js';

/**
 * What the operator adds: further models of vendors, and what own servers offer, with everything that runs along: a LoRA, or each weight of a workflow.
 * @throws Error, GraphRefusedError for a workflow whose weights cannot be read, or do not hold the listing it names
 */
export function ownOfferings(
  { offerings, openAiCompatible, comfyUi }: OwnServers,
  prices: PriceBook,
): Offering[] {
  const vendors = offerings.flatMap(({ listingId, provider, endpoint, operations }) =>
    operations.map((operation): Offering => {
      const price = prices.find(provider, endpoint);
      return { listingId, operation, provider, endpoint, price, trainedModel: true };
    }),
  );
  const served = openAiCompatible.flatMap((server) =>
    server.models.flatMap((model) =>
      model.operations.map((operation): Offering => ({
        listingId: model.listingId,
        operation,
        provider: 'openai-compatible',
        endpoint: ownEndpoint(server.name, model.name),
        price: model.price,
        trainedModel: true,
        components: model.lora === undefined ? [] : [{ listingId: model.lora.listingId, role: 'lora' }],
      })),
    ),
  );
  const workflows = comfyUi.flatMap((server) =>
    server.workflows.map((workflow) => workflowOffering(server, workflow)),
  );
  return [...vendors, ...served, ...workflows];
}

function workflowOffering(server: ComfyUiServer, workflow: ComfyWorkflow): Offering {
  const { weights } = readGraph(workflow.graph, server.nodes);
  const components = componentsOf(weights, inventoryOf(server));
  if (!components.some(({ listingId }) => listingId === workflow.listingId)) {
    throw new Error(
      `${server.name}/${workflow.name}: no weight of the graph is ${workflow.listingId} by the inventory (a name that several kinds of loaders use needs its folder)`,
    );
  }
  return {
    listingId: workflow.listingId,
    operation: workflow.operation,
    provider: 'comfyui',
    endpoint: ownEndpoint(server.name, workflow.name),
    price: workflow.price,
    trainedModel: true,
    components: components.filter(({ listingId }) => listingId !== workflow.listingId),
  };
}
