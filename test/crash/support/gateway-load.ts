import { setTimeout as delay } from 'node:timers/promises';
import { type CrashBench } from './crash-bench.js';

/** What a client wants once, however often it has to ask, and the job that it was told. */
export interface Wish {
  readonly words: string;
  readonly requestId: string;
}

/** How a client asks. A client that hangs up by itself names its wish: without a name, what it may have read counts as read. */
interface Manners {
  readonly host: 'queue' | 'run';
  readonly hangsUp: boolean;
}

const CLIENTS: readonly Manners[] = [
  { host: 'queue', hangsUp: false },
  { host: 'queue', hangsUp: true },
  { host: 'run', hangsUp: false },
  { host: 'run', hangsUp: true },
];
const PAUSE_MS = 50;
const LONGEST_PATIENCE_MS = 1_500;

/** Clients of a vendor's SDK that go on asking through every crash, as SDKs do: the same bytes until they are answered. */
export class GatewayLoad {
  readonly wishes: Wish[] = [];
  /** Answers that no client of the vendor would understand. */
  readonly surprises: string[] = [];
  private stopping = false;
  private readonly clients: Promise<void>[];

  constructor(
    private readonly bench: CrashBench,
    private readonly model: string,
    private readonly random: () => number,
  ) {
    this.clients = CLIENTS.map((manners, index) => this.ask(`client ${index}`, manners));
  }

  /** No new wishes; each client gets the answer to its last one. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.clients);
  }

  private async ask(name: string, manners: Manners): Promise<void> {
    for (let count = 1; !this.stopping; count++) {
      const words = `${name}, wish ${count}`;
      this.wishes.push({ words, requestId: await this.insist(words, manners) });
    }
  }

  private async insist(words: string, manners: Manners): Promise<string> {
    for (;;) {
      const requestId = await this.askOnce(words, manners).catch(() => undefined);
      if (requestId !== undefined) return requestId;
      await delay(PAUSE_MS);
    }
  }

  /** `undefined`: no answer, or one after which SDKs ask again. */
  private async askOnce(words: string, { host, hangsUp }: Manners): Promise<string | undefined> {
    const { projectId } = this.bench.program.instance;
    const patience = hangsUp && !this.stopping ? this.random() * LONGEST_PATIENCE_MS : 120_000;
    const answer = await this.bench.program.request(
      `/gateway/fal/p/${projectId}/hero-image/${host}/${this.model}`,
      {
        method: 'POST',
        body: JSON.stringify({ prompt: words, image_size: { width: 64, height: 64 } }),
        headers: {
          'content-type': 'application/json',
          ...(hangsUp ? { 'idempotency-key': words } : {}),
        },
        signal: AbortSignal.timeout(patience),
      },
    );
    const body = (await answer.json()) as { colophon?: { code: string; runId?: string } };
    if (answer.status === 200) return answer.headers.get('x-fal-request-id') ?? undefined;
    if (answer.status >= 500) return undefined;
    // The vendor's answer was lost, or the run is not over: the job is there all the same.
    const { code = '', runId } = body.colophon ?? {};
    if (['outcome_unknown', 'run_unfinished'].includes(code) && runId !== undefined) return uuidOf(runId);
    if (answer.status !== 409) this.surprises.push(`${answer.status} ${code} for "${words}"`);
    return answer.status === 409 ? undefined : 'refused';
  }
}

function uuidOf(runId: string): string {
  return runId.replace(/^run_/, '').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
