import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfiguration } from '../config/configuration.js';
import { guardedFetch } from '../outbound/guarded-fetch.js';
import { namedCertificates, TrustStore } from '../provenance/adapters/trust-store.js';
import {
  C2PA_TRUST_LIST,
  C2PA_TSA_TRUST_LIST,
  isStale,
  OWN_IDENTITY_LIST,
  OWN_TRUST_LIST,
  type TrustList,
  type TrustPurpose,
} from '../provenance/domain/trust-list.js';
import { readTrustListDocument, TrustListUnreadable } from '../provenance/domain/trust-list-document.js';
import { systemClock, timestampUtc } from '../shared/clock.js';
import { EXIT, Unusable } from './exit-code.js';
import { printable, printableJson } from './printable.js';

const USAGE = `Usage: colophon trust list [--json]
       colophon trust add NAME FILE_OR_FOLDER [--time-stamps | --identities]
       colophon trust update [NAME] [--url URL] [--dry-run]
       colophon trust remove NAME

The lists by which verification judges who signed, and which time-stamp authority to believe. The two C2PA lists come
with the program; yours lie in COLOPHON_HOME/trust, and go before one of the same name.

  add     certificates (PEM or ETSI LoTE JSON; of a folder, every .pem, .crt, .cer and .json in it) as a list of yours
  update  fetches the C2PA lists, or the list NAME, over https; shows what changed; refuses a list that is older or
          cannot be read, and then keeps the one that is there
  remove  one of your lists; an updated C2PA list falls back to the one that came with the program

  --time-stamps   the authorities are for time-stamps, not for signers: neither vouches for the other
  --identities    the authorities vouch for names of people and organizations (cawg.identity), for nothing else
  --dry-run       shows what would change

Exit code: 0 done, 1 refused (older, unreadable), 2 the command could not be used.`;

const MAX_LIST_BYTES = 4 * 1024 * 1024;
const DEADLINE_MS = 30_000;

interface Flags {
  readonly json: boolean;
  readonly purpose: TrustPurpose;
  readonly dryRun: boolean;
  readonly url: string | undefined;
}

/** A list that is refused: nothing was changed. */
class Refused extends Error {}

/** `colophon trust ...`: arguments after `trust`. @returns the exit code */
export async function trust(argv: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        'time-stamps': { type: 'boolean', default: false },
        identities: { type: 'boolean', default: false },
        'dry-run': { type: 'boolean', default: false },
        url: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const [command, ...rest] = positionals;
    if (values.help || command === undefined) {
      console.log(USAGE);
      return values.help ? EXIT.ok : EXIT.unusable;
    }
    const flags = {
      json: values.json,
      purpose: purposeOf(values['time-stamps'], values.identities),
      dryRun: values['dry-run'],
      url: values.url,
    };
    await run(command, rest, flags, environment);
    return EXIT.ok;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.error(
      `colophon trust: ${error instanceof Refused ? 'REFUSED: ' : ''}${printable(message, 4000)}`,
    );
    return error instanceof Refused ? EXIT.wrong : EXIT.unusable;
  }
}

async function run(
  command: string,
  rest: string[],
  flags: Flags,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const { home, trustListUrls } = readConfiguration(environment);
  const store = new TrustStore(join(home, 'trust'));
  const [name, path] = rest;
  if (command === 'list' && rest.length === 0) return showLists(store.lists(), flags.json);
  if (command === 'add' && rest.length === 2) return add(store, name ?? '', path ?? '', flags.purpose);
  if (command === 'remove' && rest.length === 1) return remove(store, name ?? '');
  if (command === 'update' && rest.length <= 1) {
    const urls = new Map([
      [C2PA_TRUST_LIST, trustListUrls.signers],
      [C2PA_TSA_TRUST_LIST, trustListUrls.timeStamps],
    ]);
    for (const each of name === undefined ? urls.keys() : [name]) {
      await update(store, each, flags.url ?? urls.get(each), flags.dryRun, environment);
    }
    return;
  }
  throw new Unusable(`this is not understood\n\n${USAGE}`);
}

function showLists(lists: readonly TrustList[], json: boolean): void {
  const now = systemClock.now();
  const rows = lists.map((list) => {
    const { anchorsPem, ...about } = list;
    return { ...about, certificates: namedCertificates(anchorsPem).length, isStale: isStale(list, now) };
  });
  if (json) return console.log(printableJson(rows));
  for (const {
    name,
    purpose,
    certificates,
    issuedAt,
    nextUpdateAt,
    isStale: stale,
    source,
    sha256,
    loadedAt,
  } of rows) {
    console.log(
      [
        `${printable(name)}  (${PURPOSE_WORDS[purpose]}, ${certificates} certificates)`,
        `  issued       ${issuedAt ?? 'not said'}`,
        `  next update  ${nextUpdateAt ?? 'not said'}${stale ? '   OUT OF DATE: colophon trust update' : ''}`,
        `  taken        ${printable(loadedAt)} from ${printable(source)}`,
        `  sha256       ${sha256}`,
      ].join('\n'),
    );
  }
}

const PURPOSE_WORDS: Readonly<Record<TrustPurpose, string>> = {
  signers: 'signers',
  time_stamps: 'time-stamp authorities',
  identities: 'authorities for names',
};

function purposeOf(timeStamps: boolean, identities: boolean): TrustPurpose {
  if (timeStamps && identities) throw new Unusable('--time-stamps and --identities exclude each other');
  if (identities) return 'identities';
  return timeStamps ? 'time_stamps' : 'signers';
}

async function add(store: TrustStore, name: string, path: string, purpose: TrustPurpose): Promise<void> {
  if (name === OWN_TRUST_LIST || name === OWN_IDENTITY_LIST)
    throw new Unusable(`a list cannot be called "${name}"`);
  const text = await readCertificates(resolve(path));
  const list = await keep(store, { name, purpose, source: resolve(path), text });
  console.log(`${printable(name)}: ${namedCertificates(list.anchorsPem).length} certificates`);
  for (const { subject } of namedCertificates(list.anchorsPem)) console.log(`  + ${printable(subject)}`);
}

async function readCertificates(path: string): Promise<string> {
  const status = await stat(path).catch(() => {
    throw new Unusable(`there is no file or folder ${printable(path)}`);
  });
  const names = status.isDirectory()
    ? (await readdir(path)).filter((name) => /\.(pem|crt|cer|json)$/i.test(name)).sort()
    : [''];
  const texts: string[] = [];
  let bytes = 0;
  for (const name of names) {
    const file = join(path, name);
    bytes += (await stat(file)).size;
    if (bytes > MAX_LIST_BYTES) throw new Refused('the certificates are larger than 4 MiB');
    texts.push(await readFile(file, 'latin1'));
  }
  // One document keeps its dates; several are certificates without one.
  return texts.length === 1 ? (texts[0] ?? '') : texts.join('\n');
}

async function remove(store: TrustStore, name: string): Promise<void> {
  if (!(await store.remove(name))) throw new Unusable(`there is no list "${printable(name)}" of yours`);
  console.log(`${printable(name)}: removed`);
}

async function update(
  store: TrustStore,
  name: string,
  url: string | undefined,
  dryRun: boolean,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const known = store.lists().find((list) => list.name === name);
  if (known === undefined) throw new Unusable(`there is no list "${printable(name)}"; add it first`);
  const source = url ?? (/^https:/.test(known.source) ? known.source : undefined);
  if (source === undefined)
    throw new Unusable(`"${printable(name)}" did not come from an address: give one with --url`);
  const text = await fetchList(source, environment);
  const document = read(text);
  refuseOlder(known, document.issuedAt);
  showChanges(known, text);
  if (dryRun) return console.log(`${printable(name)}: nothing was changed (--dry-run)`);
  const kept = await keep(store, { name, purpose: known.purpose, source, text });
  console.log(`${printable(name)}: now of ${kept.issuedAt ?? 'an unknown date'}`);
}

async function fetchList(url: string, environment: NodeJS.ProcessEnv): Promise<string> {
  if (!url.startsWith('https://')) throw new Refused('a trust list is fetched over https only');
  const { outboundAllowedHosts } = readConfiguration(environment);
  const chunks: Uint8Array[] = [];
  try {
    const response = await guardedFetch({
      url,
      maxResponseBytes: MAX_LIST_BYTES,
      deadlineMs: DEADLINE_MS,
      allowedPrivateHosts: outboundAllowedHosts,
    });
    if (response.status !== 200) {
      response.discard();
      throw new Error(`the server answered ${response.status}`);
    }
    for await (const chunk of response.body) chunks.push(chunk);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown reason';
    throw new Refused(`${printable(url)} cannot be fetched: ${why}. The list that is there stays in force.`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function read(text: string): ReturnType<typeof readTrustListDocument> {
  try {
    namedCertificates(text);
    return readTrustListDocument(text);
  } catch (error) {
    if (!(error instanceof TrustListUnreadable)) throw error;
    throw new Refused(
      `what was fetched is no trust list: ${error.message}. The list that is there stays in force.`,
    );
  }
}

/** An old list brings back authorities that were taken off since: whoever can serve one must not be able to do that. */
function refuseOlder({ issuedAt: known }: TrustList, fetched: string | undefined): void {
  if (known === undefined) return;
  if (fetched === undefined) {
    throw new Refused(
      `what was fetched has no date, and the list that is there is of ${known}. It stays in force.`,
    );
  }
  if (new Date(fetched) < new Date(known)) {
    throw new Refused(
      `what was fetched is of ${fetched}, older than the list that is there (${known}). It stays in force.`,
    );
  }
}

function showChanges(known: TrustList, text: string): void {
  const before = new Map(namedCertificates(known.anchorsPem).map((each) => [each.sha256, each.subject]));
  const after = new Map(namedCertificates(text).map((each) => [each.sha256, each.subject]));
  const added = [...after].filter(([sha256]) => !before.has(sha256));
  const gone = [...before].filter(([sha256]) => !after.has(sha256));
  console.log(
    `${printable(known.name)}: ${after.size} certificates, ${added.length} new, ${gone.length} gone`,
  );
  for (const [, subject] of added) console.log(`  + ${printable(subject)}`);
  for (const [, subject] of gone) console.log(`  - ${printable(subject)}`);
}

async function keep(
  store: TrustStore,
  list: { name: string; purpose: TrustPurpose; source: string; text: string },
): Promise<TrustList> {
  try {
    return await store.put({ ...list, loadedAt: timestampUtc(systemClock) });
  } catch (error) {
    if (!(error instanceof TrustListUnreadable)) throw error;
    throw new Refused(`this is no trust list: ${error.message}`);
  }
}
