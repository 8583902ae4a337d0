import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { RunningColophon } from '../../launch.js';
import { EXIT, Unusable } from '../exit-code.js';
import { printable } from '../printable.js';
import { checkResults } from './check-results.js';
import { DemoClient, DemoFailure } from './demo-client.js';
import { exportLog } from './export-log.js';
import type { FreshInstance } from './fresh-instance.js';
import { box, Progress } from './progress.js';
import { tellStory } from './story.js';
import { writeSummary } from './write-summary.js';

const USAGE = `Usage: npm run demo -- --out DIR
       colophon demo --out DIR

Starts a fresh instance in a temporary folder and does the main job over HTTP, from a refused run to a released
picture. DIR must not exist or be empty; it gets asset.png, dossier.pdf, evidence.zip, summary.json and log/.

Exit code: 0 everything verifies, 1 something does not, 2 the demo cannot be run like this.`;

/** 128 + the number of the signal, as shells count. */
const SIGNAL_EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** `colophon demo --out DIR`. @returns the exit code */
export async function demo(argv: string[]): Promise<number> {
  let folder: string | undefined;
  try {
    folder = await outputFolder(argv);
  } catch (error) {
    console.error(`colophon demo: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return EXIT.unusable;
  }
  if (folder === undefined) {
    console.log(USAGE);
    return EXIT.ok;
  }
  const progress = new Progress(process.stdout);
  const interruption = watchForInterruption(progress);
  const starting = startInstance();
  try {
    return await Promise.race([perform(folder, starting, progress, interruption), interruption.exitCode]);
  } finally {
    const instance = await starting.catch(() => undefined);
    await instance?.close();
  }
}

/** Loading the whole product takes a second or two; the display is there before it. */
async function startInstance(): Promise<FreshInstance> {
  const { startFreshInstance } = await import('./fresh-instance.js');
  return startFreshInstance();
}

/** @throws Unusable; `undefined` when help was asked for */
async function outputFolder(argv: string[]): Promise<string | undefined> {
  const { values } = parseArgs({
    args: argv,
    options: { out: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.help) return undefined;
  if (values.out === undefined || values.out === '') throw new Unusable('name a folder with --out DIR');
  const folder = resolve(values.out);
  const existing = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new Unusable(`${printable(folder)} cannot be used as a folder (${error.code ?? 'unknown reason'})`);
  });
  if (existing.length > 0)
    throw new Unusable(`${printable(folder)} is not empty; name another folder, or empty it first`);
  await mkdir(folder, { recursive: true });
  return folder;
}

interface Interruption {
  readonly happened: boolean;
  /** Resolves at the first signal, never otherwise. */
  readonly exitCode: Promise<number>;
}

/**
 * At Ctrl-C the instance is stopped and its files are removed before the process ends. Further signals must not end
 * it in the middle of that, so the listeners stay.
 */
function watchForInterruption(progress: Progress): Interruption {
  let happened = false;
  const exitCode = new Promise<number>((resolve) => {
    for (const [signal, code] of Object.entries(SIGNAL_EXIT_CODES)) {
      process.on(signal, () => {
        if (happened) return;
        happened = true;
        progress.abandon();
        console.error(`${signal}: stopping and cleaning up ...`);
        resolve(code);
      });
    }
  });
  return {
    get happened() {
      return happened;
    },
    exitCode,
  };
}

async function perform(
  folder: string,
  starting: Promise<FreshInstance>,
  progress: Progress,
  interruption: Interruption,
): Promise<number> {
  try {
    const running = await begin(starting, progress);
    const instance = await starting;
    await work(folder, instance, running, progress);
    await progress.step('Stop the instance, remove its files', () => instance.close());
    progress.print(`\n${farewell(folder, progress.elapsedSeconds)}`);
    return EXIT.ok;
  } catch (error) {
    // What fails during the tear-down fails because of it.
    if (interruption.happened) return interruption.exitCode;
    console.error(`\ncolophon demo: ${reasonOf(error)}`);
    return EXIT.wrong;
  }
}

/** "fetch failed" alone helps nobody. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

async function begin(starting: Promise<FreshInstance>, progress: Progress): Promise<RunningColophon> {
  progress.heading('Colophon: from a request to a picture whose story a stranger can verify');
  return progress.step('Start a fresh instance', async (display) => {
    display.detail('PostgreSQL, keys, organization');
    const instance = await starting;
    const running = await instance.running;
    display.detail(`${running.url}, with its own PostgreSQL and signing keys`);
    return running;
  });
}

async function work(
  folder: string,
  instance: FreshInstance,
  running: RunningColophon,
  progress: Progress,
): Promise<void> {
  const { url, instance: organization } = running;
  const result = await tellStory(organization, progress);
  const client = new DemoClient(url, organization.keys.live);
  const log = await progress.step('Write the results and the log', async (display) => {
    await writeFile(join(folder, 'asset.png'), await client.download(`/v1/assets/${result.assetId}/content`));
    for (const { fileName, bytes } of result.reports) await writeFile(join(folder, fileName), bytes);
    await writeFile(join(folder, 'claim-ca.pem'), await instance.authorityPem());
    await writeFile(join(folder, 'identity-ca.pem'), await instance.nameAuthorityPem());
    const lastReportId = result.reports.at(-1)?.id;
    if (lastReportId === undefined) throw new DemoFailure('no report was made');
    const { organizationId } = result;
    const exported = await exportLog(
      client,
      organizationId,
      organization.log,
      lastReportId,
      join(folder, 'log'),
    );
    await writeSummary(folder, result, exported);
    display.detail(`${exported.treeSize} entries under one signed root`);
    return exported;
  });
  progress.heading('Now as a stranger: does it verify?');
  await checkResults({ folder, log, lineageAssetIds: result.lineageAssetIds }, client, progress);
}

function farewell(folder: string, seconds: number): string {
  const shown = relative(process.cwd(), folder) || '.';
  const path = shown.startsWith('..') ? folder : shown;
  const at = (name: string): string => join(path, name);
  return box([
    `Everything verifies. ${seconds.toFixed(0)} seconds.`,
    '',
    `${at('asset.png')}      the released picture, signed`,
    `${at('dossier.pdf')}    its story, for people`,
    `${at('evidence.zip')}   its story, for machines and courts`,
    `${at('log/')}           the log as static tiles`,
    `${at('summary.json')}   ids and hashes`,
    '',
    'Verify it yourself, offline:',
    `  npx --no-install colophon verify ${at('asset.png')} --trust ${at('claim-ca.pem')} --identity-trust ${at('identity-ca.pem')}`,
    `  npx --no-install colophon verify ${at('dossier.pdf')} --vkey "$(cat ${at('log/vkey')})"`,
    `  npx --no-install colophon verify ${at('evidence.zip')} --vkey "$(cat ${at('log/vkey')})"`,
    `  npx --no-install colophon log fsck ${at('log')}`,
  ]);
}
