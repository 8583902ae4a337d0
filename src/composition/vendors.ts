import { type WebhookAddress } from '../generation/domain/webhook-address.js';
import { type Configuration } from '../config/configuration.js';
import { ComfyUiProvider } from '../generation/adapters/comfyui/comfyui-provider.js';
import { SandboxProvider } from '../generation/adapters/sandbox-provider.js';
import { type OutputDownloader } from '../generation/application/capture-output.js';
import { type ProvidersOptions } from '../generation/application/providers.js';
import {
  KEYED_PROVIDERS,
  type KeyedProviderName,
  type Provider,
} from '../generation/domain/provider.port.js';
import { builtinOfferings, Offerings } from '../generation/domain/offering.js';
import { ownOfferings } from '../generation/registry/own-offerings.js';
import { type OwnServers } from '../generation/registry/own-servers.js';
import { readOwnServers } from '../generation/registry/read-own-servers.js';
import { PriceBook } from '../generation/registry/price-book.js';
import { downloadToFile } from '../outbound/download-to-file.js';
import { type OutboundPolicy } from '../outbound/guarded-fetch.js';
import { allowedHostOf, parseAllowedHost } from '../outbound/outbound-target.js';

const OUTPUT_DEADLINE_MS = 5 * 60_000;

export function outputDownloader(configuration: Configuration, outbound: OutboundPolicy): OutputDownloader {
  const limits = { maxResponseBytes: configuration.uploadMaxBytes, deadlineMs: OUTPUT_DEADLINE_MS };
  return {
    download: async (url, destinationPath, headers = {}) => {
      await downloadToFile({ ...outbound, ...limits, url, headers, destinationPath });
    },
  };
}

/** What this deployment can execute. A wrong file of own servers stops the start. */
export function composeOfferings(configuration: Configuration): {
  readonly ownServers: OwnServers;
  readonly offerings: Offerings;
  readonly priceBook: PriceBook;
} {
  const ownServers = readOwnServers(configuration.serversFile);
  const priceBook = new PriceBook(ownServers.prices);
  const builtin = builtinOfferings((provider, endpoint) => priceBook.find(provider, endpoint));
  const offerings = new Offerings([...builtin, ...ownOfferings(ownServers, priceBook)]);
  return { ownServers, offerings, priceBook };
}

/**
 * Providers that need no key of a vendor, beside the studio.
 * @param jobKey by which our jobs on a server without a login are known from those of others
 */
export async function unkeyedProviders(
  ownServers: OwnServers,
  outbound: OutboundPolicy,
  jobKey: Uint8Array,
): Promise<Provider[]> {
  const { openAiCompatible, comfyUi } = ownServers;
  const providers: Provider[] = [new SandboxProvider()];
  if (openAiCompatible.length > 0) {
    const { OpenAiCompatibleProvider } =
      await import('../generation/adapters/openai-compatible/openai-compatible-provider.js');
    providers.push(new OpenAiCompatibleProvider({ servers: openAiCompatible, outbound }));
  }
  if (comfyUi.length > 0) providers.push(new ComfyUiProvider({ servers: comfyUi, outbound, jobKey }));
  return providers;
}

/**
 * How each vendor is made from a key, whosever it is. The vendors' clients are large, and an installation that has no
 * key of a vendor never loads its client.
 */
export function keyedProviders(
  configuration: Configuration,
  outbound: OutboundPolicy,
  falAddresses: WebhookAddress,
  ownServers: OwnServers,
): ProvidersOptions['keyed'] {
  const { fal, replicate, openai, google, publicUrl } = configuration;
  // Without a public address a vendor cannot reach us: then its jobs are polled only.
  const webhookUrl = (path: string) =>
    publicUrl === undefined ? undefined : new URL(`${publicUrl}/v1/webhooks/${path}`);
  return {
    fal: async (credentials) => {
      const { FalProvider } = await import('../generation/adapters/fal/fal-provider.js');
      return new FalProvider({
        credentials,
        outbound,
        ...(fal.baseUrl === undefined ? {} : { baseUrlOverride: fal.baseUrl }),
        webhookUrl: (stepRunId) => webhookUrl(`fal/${falAddresses.of(stepRunId)}`),
      });
    },
    replicate: async (token) => {
      const { ReplicateProvider } = await import('../generation/adapters/replicate/replicate-provider.js');
      return new ReplicateProvider({
        token,
        outbound,
        ...baseUrlOf(replicate),
        deployedModels: deployedModelsOf(ownServers),
        // Signed with a secret of the account, and the address is how a lost job is found again.
        webhookUrl: (stepRunId) => webhookUrl(`replicate/${stepRunId}`),
      });
    },
    openai: async (apiKey) => {
      const { OpenAiProvider } = await import('../generation/adapters/openai/openai-provider.js');
      return new OpenAiProvider({ apiKey, outbound, ...baseUrlOf(openai) });
    },
    google: async (apiKey) => {
      const { GoogleProvider } = await import('../generation/adapters/google/google-provider.js');
      return new GoogleProvider({ apiKey, outbound, ...baseUrlOf(google) });
    },
  };
}

/** The operator's keys, where the operator shares them with organizations that have none of their own. */
export function sharedKeys(configuration: Configuration): ProvidersOptions['sharedKeys'] {
  if (!configuration.sharesProviderKeys) return {};
  const keys: Partial<Record<KeyedProviderName, string>> = {};
  for (const name of KEYED_PROVIDERS) {
    const { key } = configuration[name];
    if (key !== undefined) keys[name] = key;
  }
  return keys;
}

/** Vendors whose keys were given and are used by nobody. */
export function unsharedKeys(configuration: Configuration): KeyedProviderName[] {
  if (configuration.sharesProviderKeys) return [];
  return KEYED_PROVIDERS.filter((name) => configuration[name].key !== undefined);
}

export function baseUrlOf({ baseUrl }: { readonly baseUrl: string | undefined }): { baseUrl?: string } {
  return baseUrl === undefined ? {} : { baseUrl };
}

/** The operator's list, and the addresses that the operator gave for vendors. A wrong entry stops the start. */
export function allowedHosts(configuration: Configuration): string[] {
  const hosts = [...configuration.outboundAllowedHosts];
  for (const name of KEYED_PROVIDERS) {
    const { baseUrl } = configuration[name];
    if (baseUrl !== undefined) hosts.push(allowedHostOf(baseUrl));
  }
  for (const host of hosts) parseAllowedHost(host);
  return hosts;
}

/** Hosts of own networks with which clients of the gateway may have to do, beside public addresses. A wrong entry stops the start. */
export function checkedHosts(hosts: readonly string[]): readonly string[] {
  for (const host of hosts) parseAllowedHost(host);
  return hosts;
}

/** What the operator has cleared to run behind deployments of Replicate, by `deployments/owner/name`. */
export function deployedModelsOf({ offerings }: OwnServers) {
  return Object.fromEntries(
    offerings.flatMap(({ endpoint, runs }) => (runs === undefined ? [] : [[endpoint, runs] as const])),
  );
}
