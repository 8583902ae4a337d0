import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { type Logger } from 'pino';
import { FileLogKeys } from '../../../src/audit/adapters/file-log-keys.js';
import { FileTileStores } from '../../../src/audit/adapters/file-tile-store.js';
import { type PlainEntry } from '../../../src/audit/application/append-entry.js';
import { LogWriter } from '../../../src/audit/application/log-writer.js';
import { PublishLog } from '../../../src/audit/application/publish-log.js';
import { Sequencer } from '../../../src/audit/application/sequencer.js';
import { systemClock } from '../../../src/shared/clock.js';
import { newId, publicId } from '../../../src/shared/ids.js';
import { type Fault, FaultInjector } from './faults.js';
import { type Business, openBusiness } from './business.js';

/**
 * The log's part of the product as a program of its own, to be killed: the real writers, sequencer and publication on
 * a given database and home. It takes one JSON command a line and says on stdout, one JSON line each, what it has
 * acknowledged at the moment in which it acknowledges it.
 */
export interface ProgramOptions {
  readonly applicationUrl: string;
  readonly sequencerUrl: string;
  readonly home: string;
  readonly organizationId: string;
}

export type Command =
  /** Sequences until nothing is left to do. */
  | { readonly do: 'settle' }
  /** One round of the sequencer after one entry that stands alone, with a fault on the way. */
  | { readonly do: 'round'; readonly fault?: Fault }
  /** One business transaction with two entries, with a fault on the way. */
  | { readonly do: 'transaction'; readonly fault?: Fault }
  /** So many writers of each kind, and the sequencer's loop, until told to stop. */
  | { readonly do: 'load'; readonly transactions: number; readonly appends: number }
  | { readonly do: 'stop' }
  | { readonly do: 'disk'; readonly full: boolean }
  /** From now on it writes to another log. */
  | { readonly do: 'log'; readonly organizationId: string };

export type Said =
  | { readonly said: 'ready' }
  /** `name` is in the entry's data: what a caller would call the same fact. */
  | {
      readonly said: 'acknowledged';
      readonly name: string;
      readonly entryId: string;
      readonly index?: number;
    }
  | { readonly said: 'refused'; readonly name: string; readonly code: string; readonly message: string }
  | { readonly said: 'trouble'; readonly message: string }
  | {
      readonly said: 'done';
      readonly sql: readonly string[];
      readonly file: readonly string[];
      readonly failure?: string;
    };

const options = JSON.parse(process.argv[2] ?? '{}') as ProgramOptions;
const faults = new FaultInjector();
faults.install();

function say(said: Said): void {
  const line = Buffer.from(`${JSON.stringify(said)}\n`);
  for (let at = 0; at < line.length;) {
    try {
      at += writeSync(1, line, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const logger = {
  error: ({ err }: { err: unknown }) => say({ said: 'trouble', message: messageOf(err) }),
} as unknown as Logger;

// As in src/services.ts.
const pool = new pg.Pool({
  connectionString: options.sequencerUrl,
  max: 8,
  options: '-c search_path=colophon',
  application_name: 'colophon sequencer',
});
pool.on('error', (error) => say({ said: 'trouble', message: error.message }));
const publishLog = new PublishLog(
  pool,
  new FileTileStores(join(options.home, 'logs')),
  new FileLogKeys(join(options.home, 'keys', 'logs')),
  systemClock,
);
const logWriter = new LogWriter(pool, systemClock, () => sequencer.wake());
const sequencer: Sequencer = new Sequencer(pool, logWriter, publishLog, logger);

let { organizationId } = options;
let written = 0;
function newFact(): { name: string; entry: PlainEntry } {
  const name = `${process.pid}-${Date.now()}-${written++}`;
  const subject = { kind: 'project', id: publicId('project', newId()) } as const;
  const actor = { kind: 'system', id: 'colophon' } as const;
  return { name, entry: { type: 'project.created', actor, subject, data: { name } } };
}

async function append(): Promise<void> {
  const { name, entry } = newFact();
  try {
    say({ said: 'acknowledged', name, ...(await logWriter.append(organizationId, entry)) });
  } catch (error) {
    refused(name, error);
  }
}

async function transact(business: Business): Promise<void> {
  const facts = [newFact(), newFact()];
  try {
    const ids = await business.commit(
      organizationId,
      facts.map(({ entry }) => entry),
    );
    facts.forEach(({ name }, i) => say({ said: 'acknowledged', name, entryId: ids[i] ?? '' }));
  } catch (error) {
    for (const { name } of facts) refused(name, error);
  }
}

function refused(name: string, error: unknown): void {
  const { code } = error as { code?: unknown };
  say({ said: 'refused', name, code: typeof code === 'string' ? code : 'none', message: messageOf(error) });
}

let business: Promise<Business> | undefined;
const openedBusiness = (): Promise<Business> =>
  (business ??= openBusiness(options.applicationUrl, () => sequencer.wake()));

let loading = false;
let load: Promise<unknown> = Promise.resolve();
async function startLoad(transactions: number, appends: number): Promise<void> {
  const opened = transactions > 0 ? await openedBusiness() : undefined;
  loading = true;
  const repeat = async (work: () => Promise<void>): Promise<void> => {
    while (loading) {
      await work();
      // A refused caller comes again a moment later.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  sequencer.start();
  load = Promise.all([
    ...Array.from({ length: appends }, () => repeat(append)),
    ...Array.from({ length: transactions }, () => repeat(() => (opened ? transact(opened) : append()))),
  ]);
}

async function settle(): Promise<void> {
  while ((await sequencer.runOnce()) > 0);
}

async function obey(command: Command): Promise<void> {
  switch (command.do) {
    case 'settle':
      return settle();
    case 'round':
      await Promise.all([append(), new Promise((resolve) => setImmediate(resolve))]);
      await sequencer.runOnce();
      return;
    case 'transaction':
      return transact(await openedBusiness());
    case 'load':
      return startLoad(command.transactions, command.appends);
    case 'stop':
      loading = false;
      await load;
      return sequencer.stop();
    case 'disk':
      faults.diskFull = command.full;
      return;
    case 'log':
      organizationId = command.organizationId;
      return;
  }
}

async function handle(command: Command): Promise<void> {
  // The connections and classes of a transaction are there before its statements are counted.
  if (command.do === 'transaction') await openedBusiness();
  const isArmed = command.do === 'round' || command.do === 'transaction';
  if (isArmed) faults.arm(command.fault);
  const failure = await obey(command).then(() => undefined, messageOf);
  const { sql, file } = faults.disarm();
  say({ said: 'done', sql, file, ...(failure !== undefined && { failure }) });
}

let turn = Promise.resolve();
createInterface({ input: process.stdin })
  .on('line', (line) => {
    turn = turn.then(() => handle(JSON.parse(line) as Command));
  })
  .on('close', () => process.exit(0));
say({ said: 'ready' });
