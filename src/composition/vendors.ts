import { type Configuration } from '../config/configuration.js';
import { FalProvider } from '../generation/adapters/fal/fal-provider.js';
import { SandboxProvider } from '../generation/adapters/sandbox-provider.js';
import { type OutputDownloader } from '../generation/application/capture-output.js';
import { type Provider } from '../generation/domain/provider.port.js';
import { downloadToFile } from '../outbound/download-to-file.js';
import { type OutboundPolicy } from '../outbound/guarded-fetch.js';
import { allowedHostOf, parseAllowedHost } from '../outbound/outbound-target.js';

const OUTPUT_DEADLINE_MS = 5 * 60_000;

export function outputDownloader(configuration: Configuration, outbound: OutboundPolicy): OutputDownloader {
  const limits = { maxResponseBytes: configuration.uploadMaxBytes, deadlineMs: OUTPUT_DEADLINE_MS };
  return {
    download: async (url, destinationPath) => {
      await downloadToFile({ ...outbound, ...limits, url, destinationPath });
    },
  };
}

export function configuredProviders(configuration: Configuration, outbound: OutboundPolicy): Provider[] {
  const providers: Provider[] = [new SandboxProvider()];
  const { key, baseUrl } = configuration.fal;
  if (key !== undefined) {
    const { publicUrl } = configuration;
    providers.push(
      new FalProvider({
        credentials: key,
        outbound,
        ...(baseUrl === undefined ? {} : { baseUrlOverride: baseUrl }),
        // Without a public address fal cannot reach us: then its queue is polled only.
        webhookUrl: (stepRunId) =>
          publicUrl === undefined ? undefined : new URL(`${publicUrl}/v1/webhooks/fal/${stepRunId}`),
      }),
    );
  }
  return providers;
}

/** The operator's list, and the address that the operator gave for fal. A wrong entry stops the start. */
export function allowedHosts(configuration: Configuration): string[] {
  const hosts = [...configuration.outboundAllowedHosts];
  if (configuration.fal.baseUrl !== undefined) hosts.push(allowedHostOf(configuration.fal.baseUrl));
  for (const host of hosts) parseAllowedHost(host);
  return hosts;
}
