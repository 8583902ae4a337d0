import { parseArgs } from 'node:util';
import { EntryProgress } from './entry-progress.js';
import { EXIT, Unusable } from './exit-code.js';
import { LogFolder } from './log-folder.js';
import { keyInLog, type LogKey, trustOf } from './log-key.js';
import { openLogSource } from './log-source.js';
import { mirrorLog, type Mirrored, MirrorRefused } from './mirror-log.js';
import { printable, printableJson } from './printable.js';

const USAGE = `Usage: colophon log mirror URL DIR [options]

Copies a log into a folder, and brings the copy up to date when it is there. Everything is verified before it is
taken: the signature, that the log only grew, and that every entry lies under the signed root. A log that shows another
history than the copy is refused, and the copy stays as it was. May be interrupted at any time and run again.

URL is a Colophon server (https://host/logs/org_...), any static host, a folder, or a zip of GET /v1/audit/archive.
COLOPHON_API_KEY is sent to it: entries of a Colophon server are for its own organization.

  --vkey VKEY      the log's public key: <name>+<8 hex digits>+<base64>
                   (without it, the key that the copy holds; for a new copy, the one beside the log)
  --new-vkey VKEY  the log has changed its key to this one: the copy is checked with the key it holds, what is shown
                   with the new one, and from then on the copy holds the new one
  --origin ORIGIN  the log's origin (default: the name in the key)
  --json           print the result as JSON

Exit code: 0 the copy is up to date, 1 refused, 2 the log or the folder could not be used.`;

/**
 * `colophon log mirror URL DIR`: arguments after `mirror`. Prints the result to stdout, progress to stderr.
 * @returns the exit code: 0 up to date, 1 refused (a fork, a damaged file, a wrong key), 2 unusable
 */
export async function logMirror(argv: string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        vkey: { type: 'string' },
        'new-vkey': { type: 'string' },
        origin: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return EXIT.ok;
    }
    const [location, path, ...rest] = positionals;
    if (location === undefined || path === undefined || rest.length > 0)
      throw new Unusable(`name the log and one folder\n\n${USAGE}`);
    const { key, mirrored } = await mirror(location, path, { ...values, newVkey: values['new-vkey'] });
    console.log(values.json ? printableJson({ ...mirrored, ...keyFields(key) }) : textOf(mirrored, key));
    return EXIT.ok;
  } catch (error) {
    if (error instanceof MirrorRefused) {
      console.error(`colophon log mirror: REFUSED (${error.code}): ${printable(error.message, 4000)}`);
      return EXIT.wrong;
    }
    console.error(`colophon log mirror: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT.unusable;
  }
}

interface Given {
  readonly vkey?: string | undefined;
  readonly newVkey?: string | undefined;
  readonly origin?: string | undefined;
}

const keyFile = ({ vkey }: LogKey): Buffer => Buffer.from(`${vkey}\n`, 'utf8');

async function mirror(
  location: string,
  path: string,
  given: Given,
): Promise<{ key: LogKey; mirrored: Mirrored }> {
  const source = await openLogSource(location, process.env.COLOPHON_API_KEY);
  const progress = new EntryProgress();
  try {
    const folder = await LogFolder.open(path);
    try {
      const held = await keyInLog(folder, 'held');
      const key = await chooseKey(given.vkey, held, () => keyInLog(source, 'found_in_log'));
      // The mark by which the next run knows the folder, should this one be interrupted.
      await folder.write('vkey', keyFile(key));
      const next: LogKey =
        given.newVkey === undefined ? key : { vkey: given.newVkey.trim(), origin: 'given' };
      const mirrored = await mirrorLog(source, folder, trustOf(next.vkey, given.origin), {
        onProgress: progress.show,
        formerTrust: next === key ? undefined : trustOf(key.vkey, given.origin),
      });
      // Last: until the copy is up to date under the new key, it is known by the old one.
      if (next !== key && mirrored.outcome === 'older')
        throw new MirrorRefused(
          'checkpoint',
          'what is shown with the new key is older than this copy; the copy goes on by the key that it holds',
        );
      if (next !== key) {
        await folder.write('vkey', keyFile(next));
        await folder.settle();
      }
      return { key: next, mirrored };
    } finally {
      await folder.close();
    }
  } finally {
    progress.end();
    source.close();
  }
}

async function chooseKey(
  given: string | undefined,
  held: LogKey | undefined,
  findBesideLog: () => Promise<LogKey | undefined>,
): Promise<LogKey> {
  const vkey = given?.trim();
  if (vkey !== undefined && held !== undefined && held.vkey !== vkey)
    throw new Unusable('the folder holds a copy of a log with another key');
  if (vkey !== undefined) return { vkey, origin: 'given' };
  const found = held ?? (await findBesideLog());
  if (found === undefined)
    throw new Unusable('give the key of the log with --vkey (there is no file "vkey" beside its checkpoint)');
  return found;
}

const keyFields = ({ vkey, origin }: LogKey) => ({ vkey, keyOrigin: origin });

const SELF_ONLY =
  'The key was taken from the log itself: this shows that the log agrees with itself, not whose log it is.';

function textOf({ outcome, heldSize, size, rootHash }: Mirrored, key: LogKey): string {
  const lines = {
    copied: `copied: ${size} entries, all under the signed root`,
    grown: `grown: ${size - heldSize} new entries, ${size} in all; the first ${heldSize} are those of this copy`,
    up_to_date: `up to date: ${size} entries`,
    older: `the source shows an earlier state of the same log; this copy is newer and stays: ${size} entries`,
  };
  return [
    lines[outcome],
    `root   ${rootHash}`,
    `key    ${printable(key.vkey)}`,
    ...(key.origin === 'found_in_log' ? [`note   ${SELF_ONLY}`] : []),
  ].join('\n');
}
