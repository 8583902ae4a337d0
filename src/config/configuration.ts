import { resolve } from 'node:path';
import { type z } from 'zod';
import { ENVIRONMENT, type ProcessRole } from './environment.js';

export interface VendorConfiguration {
  readonly key: string | undefined;
  readonly baseUrl: string | undefined;
}

export interface Configuration {
  readonly home: string;
  readonly host: string;
  readonly port: number;
  /** Without trailing slash. When unset it follows from host and port once the server listens. */
  readonly publicUrl: string | undefined;
  readonly databaseUrl: string | undefined;
  readonly roles: readonly ProcessRole[];
  readonly stepLeaseSeconds: number;
  readonly stepConcurrency: number;
  /** How long a call of the gateway waits for its run. */
  readonly gatewayWaitMs: number;
  readonly unknownPriceCeilingMicroUsd: number | undefined;
  readonly requestsPerMinute: number;
  readonly verificationsPerMinute: number;
  readonly uploadMaxBytes: number;
  readonly largeFileMemoryBytes: number;
  readonly outboundAllowedHosts: readonly string[];
  readonly webhookAllowedHosts: readonly string[];
  readonly inputAllowedHosts: readonly string[];
  readonly remoteManifestHosts: readonly string[];
  readonly trustListUrls: { readonly signers: string; readonly timeStamps: string };
  readonly recovery: {
    readonly requestsPerMinute: number;
    readonly byReference: boolean;
    readonly trustmarkModelsFolder: string | undefined;
  };
  readonly anchoring: {
    /** Path of a tlog-policy file. */
    readonly witnessPolicyFile: string | undefined;
    readonly timeStampAuthority: { readonly url: string; readonly rootsFile: string } | undefined;
    readonly intervalMs: number;
    readonly timeStampIntervalMs: number;
    readonly reportWaitMs: number;
  };
  readonly keys: KeysConfiguration;
  readonly fal: VendorConfiguration;
  readonly replicate: VendorConfiguration;
  readonly openai: VendorConfiguration;
  readonly google: VendorConfiguration;
  /** Whether organizations without a key of their own use the operator's. */
  readonly sharesProviderKeys: boolean;
  /** Path of the file of own servers. */
  readonly serversFile: string | undefined;
  readonly logLevel: string;
  readonly production: boolean;
}

export interface KeysConfiguration {
  readonly claimKey: string | undefined;
  readonly reportKey: string | undefined;
  readonly awsKms: { readonly region?: string; readonly endpoint?: string };
  readonly pkcs11:
    | {
        readonly modulePath: string;
        readonly pinFile: string;
        /** Variables for the vendor's library, with their values; nothing else of our environment reaches it. */
        readonly environment: Readonly<Record<string, string>>;
      }
    | undefined;
  readonly vault:
    { readonly address: string; readonly tokenFile: string; readonly namespace?: string } | undefined;
  readonly manifestTimeStamp: 'off' | 'best_effort' | 'required';
}

/**
 * The only reader of the environment.
 * @throws Error that lists every wrong variable by name.
 */
export function readConfiguration(environment: NodeJS.ProcessEnv): Configuration {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = ENVIRONMENT.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`The configuration is not valid:\n${lines.join('\n')}`);
  }
  const env = parsed.data;
  return {
    home: resolve(env.COLOPHON_HOME),
    host: env.HOST,
    port: env.PORT,
    publicUrl: env.PUBLIC_URL?.replace(/\/+$/, ''),
    databaseUrl: env.DATABASE_URL,
    roles: env.COLOPHON_ROLES,
    stepLeaseSeconds: env.COLOPHON_STEP_LEASE_SECONDS,
    stepConcurrency: env.COLOPHON_STEP_CONCURRENCY,
    gatewayWaitMs: env.COLOPHON_GATEWAY_WAIT_SECONDS * 1000,
    unknownPriceCeilingMicroUsd: env.COLOPHON_UNKNOWN_PRICE_CEILING_MICRO_USD,
    requestsPerMinute: env.COLOPHON_REQUESTS_PER_MINUTE,
    verificationsPerMinute: env.COLOPHON_VERIFICATIONS_PER_MINUTE,
    uploadMaxBytes: env.COLOPHON_UPLOAD_MAX_BYTES,
    largeFileMemoryBytes: env.COLOPHON_LARGE_FILE_MEMORY_BYTES,
    outboundAllowedHosts: env.COLOPHON_OUTBOUND_ALLOWED_HOSTS,
    webhookAllowedHosts: env.COLOPHON_WEBHOOK_ALLOWED_HOSTS,
    inputAllowedHosts: env.COLOPHON_INPUT_ALLOWED_HOSTS,
    remoteManifestHosts: env.COLOPHON_REMOTE_MANIFEST_HOSTS,
    trustListUrls: { signers: env.COLOPHON_TRUST_LIST_URL, timeStamps: env.COLOPHON_TSA_TRUST_LIST_URL },
    recovery: {
      requestsPerMinute: env.COLOPHON_SBR_REQUESTS_PER_MINUTE,
      byReference: env.COLOPHON_SBR_BY_REFERENCE === 'on',
      trustmarkModelsFolder:
        env.COLOPHON_TRUSTMARK_MODELS === undefined ? undefined : resolve(env.COLOPHON_TRUSTMARK_MODELS),
    },
    anchoring: {
      witnessPolicyFile: env.COLOPHON_WITNESS_POLICY,
      timeStampAuthority: timeStampAuthority(env),
      intervalMs: env.COLOPHON_ANCHOR_INTERVAL_SECONDS * 1000,
      timeStampIntervalMs: env.COLOPHON_TSA_INTERVAL_SECONDS * 1000,
      reportWaitMs: env.COLOPHON_REPORT_ANCHOR_WAIT_SECONDS * 1000,
    },
    keys: keysConfiguration(env, environment),
    fal: { key: env.FAL_KEY, baseUrl: env.FAL_BASE_URL },
    replicate: { key: env.REPLICATE_API_TOKEN, baseUrl: env.REPLICATE_BASE_URL },
    openai: { key: env.OPENAI_API_KEY, baseUrl: env.OPENAI_BASE_URL },
    google: { key: env.GEMINI_API_KEY, baseUrl: env.GOOGLE_GEMINI_BASE_URL },
    // One organization on one machine pays its own bill; where several could be, nobody pays for another by accident.
    sharesProviderKeys:
      env.COLOPHON_SHARED_PROVIDER_KEYS === undefined
        ? env.DATABASE_URL === undefined
        : env.COLOPHON_SHARED_PROVIDER_KEYS === 'on',
    serversFile: env.COLOPHON_SERVERS_FILE,
    logLevel: env.LOG_LEVEL,
    production: env.NODE_ENV === 'production',
  };
}

/** The variables of these names that are set. */
function named(names: string | undefined, environment: NodeJS.ProcessEnv): Record<string, string> {
  const wanted = (names ?? '').split(',').map((name) => name.trim());
  return Object.fromEntries(
    wanted.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function keysConfiguration(
  env: z.infer<typeof ENVIRONMENT>,
  environment: NodeJS.ProcessEnv,
): KeysConfiguration {
  const timeStamp = env.COLOPHON_MANIFEST_TIME_STAMP;
  const hasAuthority = env.COLOPHON_TSA_URL !== undefined;
  if (timeStamp !== undefined && timeStamp !== 'off' && !hasAuthority)
    throw new Error(`The configuration is not valid:\n  COLOPHON_MANIFEST_TIME_STAMP needs COLOPHON_TSA_URL`);
  const modulePath = env.COLOPHON_PKCS11_MODULE;
  const pinFile = env.COLOPHON_PKCS11_PIN_FILE;
  const address = env.COLOPHON_VAULT_ADDR;
  const tokenFile = env.COLOPHON_VAULT_TOKEN_FILE;
  requirePair('COLOPHON_PKCS11_MODULE', modulePath, 'COLOPHON_PKCS11_PIN_FILE', pinFile);
  requirePair('COLOPHON_VAULT_ADDR', address, 'COLOPHON_VAULT_TOKEN_FILE', tokenFile);
  const namespace = env.COLOPHON_VAULT_NAMESPACE;
  return {
    claimKey: env.COLOPHON_CLAIM_KEY,
    reportKey: env.COLOPHON_REPORT_KEY,
    awsKms: {
      ...(env.COLOPHON_AWS_REGION !== undefined && { region: env.COLOPHON_AWS_REGION }),
      ...(env.COLOPHON_AWS_KMS_ENDPOINT !== undefined && { endpoint: env.COLOPHON_AWS_KMS_ENDPOINT }),
    },
    pkcs11:
      modulePath !== undefined && pinFile !== undefined
        ? { modulePath, pinFile, environment: named(env.COLOPHON_PKCS11_ENVIRONMENT, environment) }
        : undefined,
    vault:
      address !== undefined && tokenFile !== undefined
        ? { address, tokenFile, ...(namespace !== undefined && { namespace }) }
        : undefined,
    manifestTimeStamp: timeStamp ?? (hasAuthority ? 'best_effort' : 'off'),
  };
}

function requirePair(
  name: string,
  value: string | undefined,
  other: string,
  otherValue: string | undefined,
): void {
  if ((value === undefined) !== (otherValue === undefined))
    throw new Error(`The configuration is not valid:\n  ${name} and ${other} need each other`);
}

/** A token that leads to no root that somebody chose proves nothing, so the roots must be given. */
function timeStampAuthority({
  COLOPHON_TSA_URL: url,
  COLOPHON_TSA_ROOTS: rootsFile,
}: z.infer<typeof ENVIRONMENT>): Configuration['anchoring']['timeStampAuthority'] {
  if (url === undefined && rootsFile === undefined) return undefined;
  if (url === undefined || rootsFile === undefined)
    throw new Error(
      'The configuration is not valid:\n  COLOPHON_TSA_URL and COLOPHON_TSA_ROOTS need each other',
    );
  return { url, rootsFile };
}
