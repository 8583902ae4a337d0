import { readFileSync } from 'node:fs';
import { Rfc3161Authority } from '../audit/adapters/rfc3161-authority.js';
import { type TimeStampAuthority } from '../audit/application/time-stamp-authority.port.js';
import { NO_WITNESS_POLICY, parseOperatorPolicy, type WitnessPolicy } from '../audit/core/witness-policy.js';
import { type TimeStampTrust } from '../audit/verify/time-stamp-token.js';
import { type Configuration } from '../config/configuration.js';
import { type OutboundPolicy } from '../outbound/guarded-fetch.js';
import { allowedHostOf } from '../outbound/outbound-target.js';
import { clock } from './services-options.js';

/** @throws Error with one sentence for the operator */
export function witnessPolicy({ anchoring }: Configuration): WitnessPolicy {
  const file = anchoring.witnessPolicyFile;
  if (file === undefined) return NO_WITNESS_POLICY;
  try {
    return parseOperatorPolicy(readFileSync(file));
  } catch (error) {
    throw new Error(`The witness policy ${file} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

/** @throws Error with one sentence for the operator */
export function readTimeStampTrust({ anchoring }: Configuration): TimeStampTrust | undefined {
  if (anchoring.timeStampAuthority === undefined) return undefined;
  const { rootsFile } = anchoring.timeStampAuthority;
  try {
    return { rootsPem: readFileSync(rootsFile, 'utf8') };
  } catch (error) {
    throw new Error(`The roots ${rootsFile} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

export function timeStampAuthority(
  { anchoring }: Configuration,
  trust: TimeStampTrust,
  outbound: OutboundPolicy,
): TimeStampAuthority | undefined {
  if (anchoring.timeStampAuthority === undefined) return undefined;
  const { url, rootsFile } = anchoring.timeStampAuthority;
  try {
    return new Rfc3161Authority({ url, trust, clock, outbound });
  } catch (error) {
    throw new Error(`The roots ${rootsFile} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

/** The operator named these addresses, so they may lie on a private network. */
export function anchoringPolicy(configuration: Configuration, policy: WitnessPolicy): OutboundPolicy {
  const urls = policy.witnesses.map(({ url }) => url);
  const named = [...urls, configuration.anchoring.timeStampAuthority?.url].filter((url) => url !== undefined);
  return {
    allowedPrivateHosts: [...configuration.outboundAllowedHosts, ...named.map(allowedHostOf)],
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
