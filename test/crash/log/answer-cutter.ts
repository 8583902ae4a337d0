import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * When the connection breaks: before the server sees the statement, right behind it, or after the server has
 * answered it (it is committed) and before the program reads that, or right after it has.
 */
export type CutMoment = 'before' | 'behind' | 'answered' | 'after';
const MOMENTS: readonly CutMoment[] = ['before', 'behind', 'answered', 'after'];

/** ReadyForQuery outside a transaction: the statement is done, and so is its transaction. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** Stands between a program and PostgreSQL, and cuts the connection at chosen statements. */
export class AnswerCutter {
  readonly cuts: Record<CutMoment, number> = { before: 0, behind: 0, answered: 0, after: 0 };
  private matched = 0;
  private readonly open = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly folder: string,
    private readonly statement: string,
    private readonly every: number,
  ) {}

  /**
   * @param url of the database, on a Unix socket
   * @param statement what its message contains: its text, or the name of a prepared one
   * @param every how many of them pass between two that are cut
   */
  static async start(url: string, statement: string, every: number): Promise<AnswerCutter> {
    const folder = mkdtempSync(join(tmpdir(), 'colophon-cut-'));
    const target = join(
      new URL(url.replace('@/', '@localhost/')).searchParams.get('host') ?? '',
      '.s.PGSQL.5432',
    );
    const server = createServer((client) => cutter.serve(client, connect(target)));
    const cutter = new AnswerCutter(server, folder, statement, every);
    await new Promise<void>((resolve) => server.listen(join(folder, '.s.PGSQL.5432'), resolve));
    return cutter;
  }

  through(url: string): string {
    return url.replace(/host=.*$/, `host=${encodeURIComponent(this.folder)}`);
  }

  fewestCuts(): number {
    return Math.min(...Object.values(this.cuts));
  }

  async stop(): Promise<void> {
    for (const socket of this.open) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }

  private serve(client: Socket, upstream: Socket): void {
    let awaited: 'answered' | 'after' | undefined;
    const cut = (moment: CutMoment): void => {
      this.cuts[moment]++;
      client.destroy();
      upstream.destroy();
    };
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.open.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.open.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (chunk) => {
      const moment = this.momentFor(chunk);
      if (moment === 'before') return cut(moment);
      if (moment === 'answered' || moment === 'after') awaited = moment;
      upstream.write(chunk, () => moment === 'behind' && cut(moment));
    });
    upstream.on('data', (chunk) => {
      const isDone = awaited !== undefined && chunk.subarray(-READY.length).equals(READY);
      if (awaited !== 'answered') client.write(chunk, () => isDone && cut('after'));
      else if (isDone) cut('answered');
    });
  }

  private momentFor(chunk: Buffer): CutMoment | undefined {
    if (!chunk.includes(this.statement) || ++this.matched % this.every !== 0) return undefined;
    return MOMENTS[(this.matched / this.every) % MOMENTS.length];
  }
}
