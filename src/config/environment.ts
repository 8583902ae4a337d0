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
  COLOPHON_GATEWAY_WAIT_SECONDS: z.coerce
    .number()
    .min(0.1)
    .max(3600)
    .default(280)
    .describe(
      "so long a call of a vendor's SDK waits for its run; below the time in which proxies and clients give up",
    ),
  COLOPHON_UNKNOWN_PRICE_CEILING_MICRO_USD: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000_000)
    .optional()
    .describe(
      'reserved for a step whose price nobody knows, and settled where the vendor gives no number; unset: such a step is refused',
    ),
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
    .default(256 * 1024 * 1024)
    .describe('largest accepted file, of people, SDKs and providers'),
  COLOPHON_LARGE_FILE_MEMORY_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(1024 * 1024 * 1024)
    .describe(
      'memory for files above 20 MiB that are signed or read at once, up to 512 MiB each; further ones wait',
    ),
  COLOPHON_SBR_REQUESTS_PER_MINUTE: z.coerce
    .number()
    .int()
    .positive()
    .default(120)
    .describe('requests per minute and address to the public soft binding resolution (/sbr)'),
  COLOPHON_SBR_BY_REFERENCE: z
    .enum(['on', 'off'])
    .default('off')
    .describe('"on" lets strangers name a public https file that is fetched and compared'),
  COLOPHON_TRUSTMARK_MODELS: z
    .string()
    .optional()
    .describe(
      'folder with the ONNX models of TrustMark, checked at the start; nothing is downloaded, and no step embeds a watermark yet',
    ),
  COLOPHON_OUTBOUND_ALLOWED_HOSTS: z
    .string()
    .default('')
    .transform(list)
    .describe('host:port pairs on private networks that may be contacted, e.g. 10.0.0.5:8188'),
  COLOPHON_WEBHOOK_ALLOWED_HOSTS: z
    .string()
    .default('')
    .transform(list)
    .describe(
      'host:port pairs on private networks to which webhooks may be sent; the list above does not count for them',
    ),
  COLOPHON_INPUT_ALLOWED_HOSTS: z
    .string()
    .default('')
    .transform(list)
    .describe(
      'host:port pairs on private networks from which files are fetched that calls of SDKs name by an address; no other list counts for them',
    ),
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
  COLOPHON_MANIFEST_TIME_STAMP: z
    .enum(['off', 'best_effort', 'required'])
    .optional()
    .describe(
      'time-stamps in manifests: required holds assets while the authority fails, best_effort signs without and says so (default with an authority), off (default without one)',
    ),
  COLOPHON_CLAIM_KEY: z
    .string()
    .optional()
    .describe(
      'where the key lies that "colophon keys csr" asks a certificate for: file:, awskms:, pkcs11: or vault:; without it a development authority is made',
    ),
  COLOPHON_REPORT_KEY: z.string().optional().describe('the same for the key that signs reports'),
  COLOPHON_AWS_REGION: z.string().optional().describe('region of keys in AWS KMS that are not named by ARN'),
  COLOPHON_AWS_KMS_ENDPOINT: z
    .url()
    .optional()
    .describe('another address of AWS KMS, e.g. in your own network'),
  COLOPHON_PKCS11_MODULE: z.string().optional().describe('shared library of the vendor of a PKCS#11 token'),
  COLOPHON_PKCS11_PIN_FILE: z.string().optional().describe('file (mode 0600) with the PIN of the token'),
  COLOPHON_PKCS11_ENVIRONMENT: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*( *, *[A-Za-z_][A-Za-z0-9_]*)*$/)
    .optional()
    .describe(
      "names of the variables that the vendor's library needs, separated by commas, e.g. SOFTHSM2_CONF; it gets no others",
    ),
  COLOPHON_VAULT_ADDR: z.url().optional().describe('address of Vault or OpenBao'),
  COLOPHON_VAULT_TOKEN_FILE: z.string().optional().describe('file (mode 0600) with the token for it'),
  COLOPHON_VAULT_NAMESPACE: z.string().optional().describe('namespace in Vault'),
  COLOPHON_SHARED_PROVIDER_KEYS: z
    .enum(['on', 'off'])
    .optional()
    .describe(
      'whether organizations without a key of their own use the keys below; default on with the embedded database, off with DATABASE_URL',
    ),
  COLOPHON_SERVERS_FILE: z
    .string()
    .optional()
    .describe('JSON file (mode 0600) with own servers of models (OpenAI-compatible, ComfyUI) and own prices'),
  REPLICATE_API_TOKEN: z.string().min(1).optional().describe('credentials for Replicate'),
  REPLICATE_BASE_URL: z
    .url()
    .optional()
    .describe('another origin that speaks the Replicate protocol, with /v1'),
  OPENAI_API_KEY: z.string().min(1).optional().describe('credentials for OpenAI'),
  OPENAI_BASE_URL: z.url().optional().describe('another origin that speaks the OpenAI protocol, with /v1'),
  GEMINI_API_KEY: z.string().min(1).optional().describe('credentials for the Gemini API of Google'),
  GOOGLE_GEMINI_BASE_URL: z.url().optional().describe('another origin that speaks the Gemini protocol'),
  FAL_KEY: z.string().min(1).optional().describe('credentials for fal'),
  FAL_BASE_URL: z.url().optional().describe('another origin that speaks the fal protocol'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
    .default('info')
    .describe('log level'),
  NODE_ENV: z
    .string()
    .default('development')
    .describe('"production" refuses certificates of the development authority'),
});

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
