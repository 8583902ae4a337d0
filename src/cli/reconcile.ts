import { parseArgs } from 'node:util';
import { z } from 'zod';
import { EXIT, Unusable } from './exit-code.js';
import { printable, printableJson } from './printable.js';
import { errorText, refusalOf } from './server-refusal.js';

const USAGE = `Usage: colophon reconcile [COMMAND] --url URL [options]

  list             what waits for a person: steps with unknown outcome, reservations without end (the default)
      --ask        ask the vendors, too: Replicate's list, a job that is known by its id
  settle RUN STEP --outcome OUTCOME --reason TEXT
                   end the uncertainty about a step, once; recorded in the log (role admin)
      accepted --upstream-id ID   the vendor has the job: the step goes on with it
      not_accepted                the vendor never got it: it is sent again
      not_charged                 nothing came of it and nothing was charged: the step fails
      charged --cost MICRO_USD    nothing usable came of it and it was charged: the step fails and is paid
  check            compare every counter of every budget with the ledger

  --json           print the answer as JSON

COLOPHON_API_KEY is the key to ask with.

Exit code: 0 nothing is open, or it was done; 1 something is open, or a counter differs; 2 the server could not be used.`;

const DEADLINE_MS = 300_000;
const MAX_PAGES = 1_000;

const pageSchema = z.object({
  items: z.array(
    z.object({
      stepRunId: z.string(),
      runId: z.string(),
      stepKey: z.string(),
      provider: z.string(),
      state: z.string(),
      reservedMicroUsd: z.string(),
      since: z.string(),
      reason: z.string(),
      why: z.string(),
      vendor: z.object({ kind: z.string(), upstreamId: z.string().optional() }).nullable(),
    }),
  ),
  nextCursor: z.string().nullable(),
});
type Open = z.infer<typeof pageSchema>['items'][number];
const integritySchema = z.object({
  agrees: z.boolean(),
  differences: z.array(
    z.object({
      level: z.string(),
      targetId: z.string().nullable(),
      month: z.string().nullable(),
      counter: z.string(),
      countedMicroUsd: z.string(),
      ledgerMicroUsd: z.string(),
    }),
  ),
});

type Values = ReturnType<typeof parse>['values'];

function parse(argv: string[]) {
  return parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      ask: { type: 'boolean', default: false },
      outcome: { type: 'string' },
      'upstream-id': { type: 'string' },
      cost: { type: 'string' },
      reason: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
}

/** `colophon reconcile`. @returns the exit code */
export async function reconcile(argv: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  try {
    const { values, positionals } = parse(argv);
    if (values.help) {
      console.log(USAGE);
      return EXIT.ok;
    }
    const [command = 'list', ...names] = positionals;
    const server = z.url({ protocol: /^https?$/ }).safeParse(values.url);
    if (!server.success) throw new Unusable(`name the server with --url\n\n${USAGE}`);
    const key = environment.COLOPHON_API_KEY;
    if (key === undefined) throw new Unusable('COLOPHON_API_KEY is not set');
    const api = new MoneyApi(server.data, key);
    if (command === 'list' && names.length === 0) return await list(api, values);
    if (command === 'check' && names.length === 0) return await check(api, values);
    if (command === 'settle') return await settle(api, names, values);
    throw new Unusable(`there is no such command\n\n${USAGE}`);
  } catch (error) {
    console.error(`colophon reconcile: ${errorText(error)}`);
    return EXIT.unusable;
  }
}

async function list(api: MoneyApi, values: Values): Promise<number> {
  const open: Open[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const asked = { ask: String(values.ask), ...(cursor === null ? {} : { cursor }) };
    const query = new URLSearchParams(asked).toString();
    const page: z.infer<typeof pageSchema> = await api.ask(`/v1/reconciliation?${query}`, pageSchema);
    open.push(...page.items);
    cursor = page.nextCursor;
    if (cursor === null) break;
  }
  if (values.json) console.log(printableJson(open));
  else console.log(open.length === 0 ? 'Nothing is open.' : open.map(textOf).join('\n\n'));
  return open.length === 0 ? EXIT.ok : EXIT.wrong;
}

function textOf(open: Open): string {
  const vendor =
    open.vendor === null
      ? []
      : [`  vendor    ${printable([open.vendor.kind, open.vendor.upstreamId].filter(Boolean).join(' '))}`];
  return [
    `${printable(open.runId)} ${printable(open.stepKey)}  ${printable(open.reason)}`,
    `  since     ${printable(open.since)}  ${printable(open.state)} at ${printable(open.provider)}`,
    `  reserved  ${printable(open.reservedMicroUsd)} micro-USD`,
    `  why       ${printable(open.why)}`,
    ...vendor,
  ].join('\n');
}

async function check(api: MoneyApi, values: Values): Promise<number> {
  const { agrees, differences } = await api.ask('/v1/reconciliation/integrity', integritySchema);
  if (values.json) console.log(printableJson({ agrees, differences }));
  else if (agrees) console.log('Every counter of every budget is the sum of the ledger.');
  for (const one of values.json ? [] : differences) {
    const where = [one.level, one.targetId, one.month].filter((part) => part !== null).join(' ');
    console.log(
      printable(
        `${where}: ${one.counter} is ${one.countedMicroUsd} micro-USD, the ledger says ${one.ledgerMicroUsd}`,
      ),
    );
  }
  return agrees ? EXIT.ok : EXIT.wrong;
}

async function settle(api: MoneyApi, names: readonly string[], values: Values): Promise<number> {
  const [run, step, ...rest] = names;
  const { outcome, reason } = values;
  if (run === undefined || step === undefined || rest.length > 0 || !outcome || !reason)
    throw new Unusable('name the run, the step, --outcome and --reason');
  const body = {
    outcome,
    reason,
    ...(values['upstream-id'] === undefined ? {} : { upstreamId: values['upstream-id'] }),
    ...(values.cost === undefined ? {} : { costMicroUsd: values.cost }),
  };
  const path = `/v1/runs/${encodeURIComponent(run)}/steps/${encodeURIComponent(step)}/reconcile`;
  const answer = await api.ask(path, z.object({ id: z.string(), state: z.string() }), body);
  if (values.json) console.log(printableJson(answer));
  else console.log(printable(`${answer.id} is ${answer.state} now.`));
  return EXIT.ok;
}

class MoneyApi {
  constructor(
    private readonly url: string,
    private readonly key: string,
  ) {}

  async ask<Answer>(path: string, schema: z.ZodType<Answer>, body?: unknown): Promise<Answer> {
    const response = await fetch(new URL(path, this.url), {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(DEADLINE_MS),
      redirect: 'error',
    });
    if (!response.ok) throw await refusalOf(response);
    const parsed = schema.safeParse(await response.json());
    if (!parsed.success) throw new Unusable('the server answered with something else than was asked');
    return parsed.data;
  }
}
