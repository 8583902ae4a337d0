import { randomUUID } from 'node:crypto';
import { askUntil } from '../src/shared/ask-until.js';

/** Far longer than any report takes. */
const REPORT_TIMEOUT_MS = 3_600_000;

export interface MadeReport {
  readonly id: string;
  /** From the request until somebody who asks is told that it is done. */
  readonly seconds: number;
  /** Of this process, in which the server runs where it has no process of its own; children are not counted. */
  readonly cpuSeconds: number;
  readonly sizeBytes: number;
  /** What was told of progress meanwhile, ascending, each percentage with the second in which it was first seen. */
  readonly percents: readonly string[];
}

interface View {
  readonly id: string;
  readonly state: string;
  readonly progress: number;
  readonly sizeBytes: number | null;
  readonly errorCode: string | null;
}

export interface Server {
  readonly url: string;
  readonly key: string;
}

/** Asks as a client does, over HTTP; throws with what the service answered. */
export async function asked<Answer>({ url, key }: Server, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      ...(body !== undefined && { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text.slice(0, 1000)}`);
  return JSON.parse(text) as Answer;
}

/** Has a report made and waits for it, as a client that asks every so often how far it is. */
export async function makeReport(
  server: Server,
  body: Record<string, unknown>,
  pollMs: number,
): Promise<MadeReport> {
  const start = performance.now();
  const cpu = process.cpuUsage();
  const { id } = await asked<View>(server, '/v1/reports', body);
  const percents: string[] = [];
  let seen = -1;
  const view = await askUntil(
    async () => {
      const now = await asked<View>(server, `/v1/reports/${id}`);
      const percent = Math.round(now.progress * 100);
      if (percent !== seen) percents.push(`${percent}@${((performance.now() - start) / 1000).toFixed(1)}`);
      seen = percent;
      return now;
    },
    ({ state }) => state === 'DONE' || state === 'FAILED',
    { timeoutMs: REPORT_TIMEOUT_MS, stepMs: pollMs },
  );
  if (view.state !== 'DONE') throw new Error(`the report is ${view.state}: ${view.errorCode ?? ''}`);
  const seconds = Math.round((performance.now() - start) / 10) / 100;
  const { user, system } = process.cpuUsage(cpu);
  const cpuSeconds = Math.round((user + system) / 10_000) / 100;
  return { id, seconds, cpuSeconds, sizeBytes: view.sizeBytes ?? 0, percents };
}

export const mebibytes = (bytes: number): number => Math.round((bytes / 2 ** 20) * 10) / 10;
