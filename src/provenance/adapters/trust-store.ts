import { randomUUID, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { packageFile } from '../../config/package-root.js';
import { sha256Hex } from '../../shared/bytes.js';
import { type TrustList, TRUST_PURPOSES } from '../domain/trust-list.js';
import { readTrustListDocument, TrustListUnreadable } from '../domain/trust-list-document.js';

/** `lists.json` of a folder: which lists lie there. The certificates lie beside it as PEM. */
const index = z.array(
  z.strictObject({
    name: z.string().min(1).max(100),
    purpose: z.enum(TRUST_PURPOSES),
    file: z.string().regex(/^[a-z0-9][a-z0-9-]{0,80}\.pem$/),
    source: z.string().max(2000),
    issuedAt: z.string().optional(),
    nextUpdateAt: z.string().optional(),
    loadedAt: z.string(),
  }),
);
type IndexEntry = z.infer<typeof index>[number];

const MAX_FILE_BYTES = 1024 * 1024;
const INDEX = 'lists.json';

/** A list to be kept: its text is checked, its certificates are all readable. */
export interface NewTrustList {
  readonly name: string;
  readonly purpose: TrustList['purpose'];
  readonly source: string;
  readonly text: string;
  readonly loadedAt: string;
}

/**
 * The trust lists of an installation: those that came with the program, and those in `COLOPHON_HOME/trust`, which go
 * before one of the same name. Few and small files that change rarely: read again when their index has changed.
 */
export class TrustStore {
  private held: { readonly stamp: string; readonly lists: readonly TrustList[] } | undefined;
  /** Why the lists of the installation could not be read; then those that were read before stay in force. */
  problem: string | undefined;

  /** @param folder `COLOPHON_HOME/trust`; need not exist */
  constructor(
    private readonly folder: string,
    private readonly shippedFolder = packageFile('src/provenance/trust'),
  ) {}

  /** @throws Error when there is no earlier state to fall back to */
  lists(): readonly TrustList[] {
    const stamp = stampOf(join(this.folder, INDEX));
    if (this.held?.stamp === stamp) return this.held.lists;
    try {
      const own = readFolder(this.folder);
      const names = new Set(own.map(({ name }) => name));
      const shipped = readFolder(this.shippedFolder).filter(({ name }) => !names.has(name));
      this.held = { stamp, lists: [...shipped, ...own] };
      this.problem = undefined;
    } catch (error) {
      if (this.held === undefined) throw error;
      this.problem = error instanceof Error ? error.message : 'unknown';
    }
    return this.held.lists;
  }

  /** Keeps a list under its name, in place of an earlier one. @throws TrustListUnreadable */
  async put(list: NewTrustList): Promise<TrustList> {
    const { certificates, issuedAt, nextUpdateAt } = readTrustListDocument(list.text);
    const pem = certificates.map(pemOf).join('\n');
    const { name, purpose, source, loadedAt } = list;
    const file = `${slug(name)}-${sha256Hex(pem).slice(0, 12)}.pem`;
    const entry: IndexEntry = {
      name,
      purpose,
      file,
      source,
      ...(issuedAt !== undefined && { issuedAt }),
      ...(nextUpdateAt !== undefined && { nextUpdateAt }),
      loadedAt,
    };
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    // The index is the mark: a crash between the two leaves a file that nothing names.
    await write(join(this.folder, file), pem);
    await this.writeIndex([...readIndex(this.folder).filter((each) => each.name !== name), entry]);
    return read(this.folder, entry);
  }

  /** @returns false when there is no list of this name in the installation's own folder */
  async remove(name: string): Promise<boolean> {
    const known = readIndex(this.folder);
    const gone = known.find((entry) => entry.name === name);
    if (gone === undefined) return false;
    await this.writeIndex(known.filter((entry) => entry !== gone));
    await rm(join(this.folder, gone.file), { force: true });
    return true;
  }

  private async writeIndex(entries: readonly IndexEntry[]): Promise<void> {
    await write(join(this.folder, INDEX), `${JSON.stringify(entries, null, 2)}\n`);
  }
}

/** Certificates of a list with the names of their subjects. @throws TrustListUnreadable */
export function namedCertificates(anchorsPem: string): { sha256: string; subject: string }[] {
  return readTrustListDocument(anchorsPem).certificates.map((der) => {
    const subject = certificateOf(der).subject.split('\n').reverse().join(', ');
    return { sha256: sha256Hex(der), subject };
  });
}

function readFolder(folder: string): TrustList[] {
  return readIndex(folder).map((entry) => read(folder, entry));
}

function readIndex(folder: string): IndexEntry[] {
  const path = join(folder, INDEX);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new Error(`The trust lists in ${folder} cannot be read.`, { cause: error });
  }
  const parsed = index.safeParse(parse(text));
  if (!parsed.success) throw new Error(`${path} is not a list of trust lists.`);
  return parsed.data;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function read(folder: string, { file, issuedAt, nextUpdateAt, ...entry }: IndexEntry): TrustList {
  const path = join(folder, file);
  let text: string;
  try {
    if (statSync(path).size > MAX_FILE_BYTES) throw new Error('it is larger than 1 MiB');
    text = readFileSync(path, 'latin1');
    readTrustListDocument(text).certificates.forEach(certificateOf);
  } catch (cause) {
    throw new Error(`The trust list "${entry.name}" (${path}) cannot be read.`, { cause });
  }
  return { ...entry, issuedAt, nextUpdateAt, sha256: sha256Hex(text), anchorsPem: text };
}

function certificateOf(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw new TrustListUnreadable('one of its certificates is not valid X.509');
  }
}

function pemOf(der: Uint8Array): string {
  const subject = certificateOf(der).subject.replaceAll(/[^\x20-\x7e]+/g, ', ');
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `# ${subject}\n-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function slug(name: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 40) || 'list'
  );
}

/** Changes when the index does; a folder that is not there has a stamp, too. */
function stampOf(path: string): string {
  try {
    const { mtimeMs, ino, size } = statSync(path);
    return `${mtimeMs} ${ino} ${size}`;
  } catch {
    return 'absent';
  }
}

async function write(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  await writeFile(temporary, text, { mode: 0o600, flush: true });
  await rename(temporary, path);
}
