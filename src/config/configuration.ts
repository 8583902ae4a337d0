import { resolve } from 'node:path';
import { z } from 'zod';

const SECONDS = z.coerce.number().int().positive();
const roles = ['http', 'worker', 'sequencer'] as const;
export type ProcessRole = (typeof roles)[number];

function list(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** The folder in which the C2PA publishes its trust lists. */
const C2PA_LISTS = 'https://raw.githubusercontent.com/c2pa-org/conformance-public/main/trust-list';

/** Every variable that the program reads, with its default. `colophon config` prints this table. */
export const ENVIRONMENT = z.object({
  COLOPHON_HOME: z
    .string()
    .default('./.colophon')
    .describe('folder for keys, assets, log tiles and the embedded database'),
  HOST: z.string().default('127.0.0.1').describe('address to listen on; 0.0.0.0 for all interfaces'),
  PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(8080)
    .describe('port to listen on; 0 picks a free one'),
  PUBLIC_URL: z.url().optional().describe('address under which clients and providers reach this service'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//)
    .optional()
    .describe('PostgreSQL >= 15 to use instead of the embedded one; its user may create roles and schemas'),
  COLOPHON_ROLES: z
    .string()
    .default(roles.join(','))
    .transform(list)
    .pipe(z.array(z.enum(roles)).min(1))
    .describe('what this process does: http, worker, sequencer'),
  COLOPHON_STEP_LEASE_SECONDS: SECONDS.default(60).describe(
    'a step of a killed worker is taken up again after this time',
  ),
  COLOPHON_STEP_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe('steps worked on at once'),
  COLOPHON_REQUESTS_PER_MINUTE: z.coerce
    .number()
    .int()
    .positive()
    .default(1200)
    .describe('requests per minute and key or address'),
  COLOPHON_VERIFICATIONS_PER_MINUTE: z.coerce
    .number()
    .int()
    .positive()
    .default(60)
    .describe('public verifications per minute and address'),
  COLOPHON_UPLOAD_MAX_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(100 * 1024 * 1024)
    .describe('largest accepted file'),
  COLOPHON_OUTBOUND_ALLOWED_HOSTS: z
    .string()
    .default('')
    .transform(list)
    .describe('host:port pairs on private networks that may be contacted, e.g. 10.0.0.5:8188'),
  COLOPHON_REMOTE_MANIFEST_HOSTS: z
    .string()
    .default('')
    .transform((text) => list(text.toLowerCase()))
    .describe('hosts from which manifests may be fetched that a verified file says lie elsewhere'),
  COLOPHON_TRUST_LIST_URL: z
    .url({ protocol: /^https$/ })
    .default(`${C2PA_LISTS}/C2PA-TRUST-LIST.json`)
    .describe('where "colophon trust update" takes the C2PA trust list from'),
  COLOPHON_TSA_TRUST_LIST_URL: z
    .url({ protocol: /^https$/ })
    .default(`${C2PA_LISTS}/C2PA-TSA-TRUST-LIST.json`)
    .describe('the same for the C2PA time-stamp trust list'),
  COLOPHON_WITNESS_POLICY: z
    .string()
    .optional()
    .describe('file with the witnesses of all logs and how many of them are needed (C2SP tlog-policy)'),
  COLOPHON_TSA_URL: z.url().optional().describe('address of an RFC 3161 time-stamp authority'),
  COLOPHON_TSA_ROOTS: z
    .string()
    .optional()
    .describe('PEM file with the root certificates that this authority must lead to'),
  COLOPHON_ANCHOR_INTERVAL_SECONDS: SECONDS.default(10).describe(
    'how often checkpoints are shown to witnesses and to the time-stamp authority',
  ),
  COLOPHON_TSA_INTERVAL_SECONDS: SECONDS.default(60).describe(
    'a log is time-stamped at most once in this time: tokens may cost money',
  ),
  COLOPHON_REPORT_ANCHOR_WAIT_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .max(600)
    .default(15)
    .describe('so long a report waits for the witnesses and time-stamp that are configured; then it says so'),
  FAL_KEY: z.string().min(1).optional().describe('credentials for fal'),
  FAL_BASE_URL: z.url().optional().describe('another origin that speaks the fal protocol'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
    .default('info')
    .describe('log level'),
  NODE_ENV: z
    .string()
    .default('development')
    .describe('"production" refuses the development certificate authority'),
});

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
  readonly requestsPerMinute: number;
  readonly verificationsPerMinute: number;
  readonly uploadMaxBytes: number;
  readonly outboundAllowedHosts: readonly string[];
  readonly remoteManifestHosts: readonly string[];
  readonly trustListUrls: { readonly signers: string; readonly timeStamps: string };
  readonly anchoring: {
    /** Path of a tlog-policy file. */
    readonly witnessPolicyFile: string | undefined;
    readonly timeStampAuthority: { readonly url: string; readonly rootsFile: string } | undefined;
    readonly intervalMs: number;
    readonly timeStampIntervalMs: number;
    readonly reportWaitMs: number;
  };
  readonly fal: { readonly key: string | undefined; readonly baseUrl: string | undefined };
  readonly logLevel: string;
  readonly production: boolean;
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
    requestsPerMinute: env.COLOPHON_REQUESTS_PER_MINUTE,
    verificationsPerMinute: env.COLOPHON_VERIFICATIONS_PER_MINUTE,
    uploadMaxBytes: env.COLOPHON_UPLOAD_MAX_BYTES,
    outboundAllowedHosts: env.COLOPHON_OUTBOUND_ALLOWED_HOSTS,
    remoteManifestHosts: env.COLOPHON_REMOTE_MANIFEST_HOSTS,
    trustListUrls: { signers: env.COLOPHON_TRUST_LIST_URL, timeStamps: env.COLOPHON_TSA_TRUST_LIST_URL },
    anchoring: {
      witnessPolicyFile: env.COLOPHON_WITNESS_POLICY,
      timeStampAuthority: timeStampAuthority(env),
      intervalMs: env.COLOPHON_ANCHOR_INTERVAL_SECONDS * 1000,
      timeStampIntervalMs: env.COLOPHON_TSA_INTERVAL_SECONDS * 1000,
      reportWaitMs: env.COLOPHON_REPORT_ANCHOR_WAIT_SECONDS * 1000,
    },
    fal: { key: env.FAL_KEY, baseUrl: env.FAL_BASE_URL },
    logLevel: env.LOG_LEVEL,
    production: env.NODE_ENV === 'production',
  };
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

/** One row per variable, for `colophon config`. */
export function describeEnvironment(): { name: string; meaning: string; defaultValue: string }[] {
  return Object.entries(ENVIRONMENT.shape).map(([name, schema]) => {
    const fallback = (schema as z.ZodType).safeParse(undefined);
    const value: unknown = fallback.success ? fallback.data : undefined;
    return {
      name,
      meaning: schema.description ?? '',
      defaultValue: defaultText(value),
    };
  });
}

function defaultText(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
