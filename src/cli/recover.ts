import { open, readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { EXIT, Unusable } from './exit-code.js';
import { printable, printableJson } from './printable.js';
import { errorText, refusalOf } from './server-refusal.js';

const USAGE = `Usage: colophon recover FILE --url URL [options]

Asks a server for the manifests of pictures that look like FILE (C2PA Soft Binding Resolution API). The file is sent to
that server. What it finds is similar, not the same: compare the pictures before you conclude anything.

COLOPHON_API_KEY, when set, is sent along: then the server of your organization shows what is not public, too.

  --url URL        the server, e.g. https://media.example
  --save FILE      write the manifest store of the most similar picture into a new file (application/c2pa)
  --max N          at most so many candidates (default 10)
  --json           print the result as JSON

Exit code: 0 something similar was found, 1 nothing was found, 2 the file or the server could not be used.`;

const MAX_FILE_BYTES = 256 * 1024 * 1024;
const MAX_STORE_BYTES = 128 * 1024 * 1024;
const DEADLINE_MS = 60_000;

const discoverySchema = z.object({ apiEndpoint: z.url({ protocol: /^https?$/ }).max(2_000) });
const matchesSchema = z.object({
  matches: z
    .array(z.object({ manifestId: z.string().max(1_000), similarityScore: z.number().optional() }))
    .max(1_000)
    .default([]),
});

/**
 * `colophon recover FILE --url URL`: arguments after `recover`. Prints candidates to stdout.
 * @returns the exit code: 0 found, 1 nothing found, 2 unusable
 */
export async function recover(argv: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        url: { type: 'string' },
        save: { type: 'string' },
        max: { type: 'string', default: '10' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return EXIT.ok;
    }
    const [file, ...rest] = positionals;
    if (file === undefined || values.url === undefined || rest.length > 0)
      throw new Unusable(`name one file and the server\n\n${USAGE}`);
    if (!/^[1-9]\d{0,2}$/.test(values.max)) throw new Unusable('--max is a number from 1 to 999');
    const api = new ResolutionApi(await endpointOf(values.url), environment.COLOPHON_API_KEY);
    const matches = await api.byContent(await readPicture(file), values.max);
    const saved = values.save === undefined ? undefined : await save(api, matches, values.save);
    console.log(values.json ? printableJson({ matches, saved: saved ?? null }) : textOf(matches, saved));
    return matches.length > 0 ? EXIT.ok : EXIT.wrong;
  } catch (error) {
    console.error(`colophon recover: ${errorText(error)}`);
    return EXIT.unusable;
  }
}

type Match = z.infer<typeof matchesSchema>['matches'][number];

/** The server says where its API is (RFC 8615); the key goes to the named server alone. */
async function endpointOf(url: string): Promise<string> {
  const server = z.url({ protocol: /^https?$/ }).safeParse(url);
  if (!server.success) throw new Unusable('--url is an http or https address');
  const discovery = new URL('/.well-known/c2pa-soft-binding-resolution', server.data);
  const response = await fetch(discovery, { signal: AbortSignal.timeout(DEADLINE_MS), redirect: 'error' });
  if (!response.ok) throw new Unusable(`the server has no soft binding resolution API (${response.status})`);
  const found = discoverySchema.safeParse(await response.json());
  if (!found.success) throw new Unusable('the server does not say where its API is');
  if (new URL(found.data.apiEndpoint).origin !== discovery.origin)
    throw new Unusable(`the API is on another server: use --url ${new URL(found.data.apiEndpoint).origin}`);
  return found.data.apiEndpoint.replace(/\/+$/, '');
}

class ResolutionApi {
  constructor(
    private readonly endpoint: string,
    private readonly key: string | undefined,
  ) {}

  async byContent(picture: Uint8Array<ArrayBuffer>, max: string): Promise<Match[]> {
    const response = await this.ask(`/matches/byContent?maxResults=${max}`, {
      method: 'POST',
      body: picture,
      headers: { 'content-type': 'image/*' },
    });
    const parsed = matchesSchema.safeParse(await response.json());
    if (!parsed.success) throw new Unusable('the server answered with something that is no list of matches');
    return parsed.data.matches;
  }

  async manifest(manifestId: string): Promise<Uint8Array> {
    const response = await this.ask(`/manifests/${encodeURIComponent(manifestId)}`, {});
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length === 0 || bytes.length > MAX_STORE_BYTES)
      throw new Unusable('the server sent no manifest store of a sensible size');
    return bytes;
  }

  private async ask(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.key !== undefined) headers.set('authorization', `Bearer ${this.key}`);
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const response = await fetch(`${this.endpoint}${path}`, { ...init, headers, signal, redirect: 'error' });
    if (response.ok) return response;
    throw await refusalOf(response);
  }
}

async function readPicture(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > MAX_FILE_BYTES) throw new Unusable('the file is too large to be a picture');
  } finally {
    await file.close();
  }
  return new Uint8Array(await readFile(path));
}

/** Never over an existing file. */
async function save(api: ResolutionApi, [best]: readonly Match[], path: string): Promise<string | undefined> {
  if (best === undefined) return undefined;
  await writeFile(path, await api.manifest(best.manifestId), { flag: 'wx' });
  return path;
}

function textOf(matches: readonly Match[], saved: string | undefined): string {
  if (matches.length === 0) return 'No manifest of a similar picture was found.';
  const lines = matches.map(({ manifestId, similarityScore }) => {
    const score = similarityScore === undefined ? '  ?' : String(similarityScore).padStart(3);
    return `  ${score}  ${printable(manifestId)}`;
  });
  return [
    'Similar pictures (score of 100, manifest):',
    ...lines,
    ...(saved === undefined ? [] : [`Written: ${printable(saved)}`]),
    'Similar is not the same: compare the pictures before you conclude anything about this file.',
  ].join('\n');
}
