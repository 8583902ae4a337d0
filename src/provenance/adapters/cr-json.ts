import type * as c2paWasm from '@contentauth/c2pa-wasm';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ColophonError } from '../../shared/errors.js';
import { readManifestStore } from './carried-store.js';
import { readerSettings } from './c2pa-settings.js';
import { type TrustList } from '../domain/trust-list.js';
import { type VerificationJob } from './verification-protocol.js';

/** The module takes the whole file into a memory of its own, twice. */
const MAX_FILE_BYTES = 128 * 1024 * 1024;
/** A document of this size is an attack on whoever reads it. */
const MAX_DOCUMENT_CHARACTERS = 32 * 1024 * 1024;

type Wasm = typeof c2paWasm;
let loading: Promise<Wasm> | undefined;

/** 9 MB are compiled once, and only when somebody asks for crJSON. */
function load(): Promise<Wasm> {
  loading ??= (async () => {
    const wasm = await import('@contentauth/c2pa-wasm');
    const path = createRequire(import.meta.url).resolve('@contentauth/c2pa-wasm/c2pa.wasm');
    wasm.initSync({ module: await readFile(path) });
    return wasm;
  })();
  return loading;
}

/**
 * The manifest store of a file as crJSON, the representation that the C2PA conformance program asks validators for.
 * Made by the C2PA library compiled to WebAssembly, because its binding for Node cannot write it. Files of strangers
 * belong into the child process only.
 *
 * @param settings of the C2PA library, as JSON: trust anchors, what to verify
 * @throws ColophonError `no_manifest`, `manifest_malformed`; WebAssembly.RuntimeError when the module is broken by the
 *   file, after which the process must not use it again
 */
export async function crJsonOf(bytes: Uint8Array, mediaType: string, settings: string): Promise<string> {
  const { WasmReader } = await load();
  let reader: Awaited<ReturnType<Wasm['WasmReader']['fromBytes']>> | undefined;
  try {
    reader = await WasmReader.fromBytes(mediaType, bytes, settings);
    const document = reader.crJson();
    if (document.length > MAX_DOCUMENT_CHARACTERS) {
      throw new ColophonError('manifest_malformed', 'The manifest of this file is too large to represent.');
    }
    return document;
  } catch (cause) {
    if (cause instanceof ColophonError || isTrap(cause)) throw cause;
    // The module throws text, e.g. C2pa(JumbfNotFound).
    throw /JumbfNotFound|RemoteManifest/.test(String(cause))
      ? new ColophonError('no_manifest', 'The file carries no manifest.')
      : new ColophonError('manifest_malformed', 'The manifest of this file cannot be parsed.', { cause });
  } finally {
    if (reader) reader.free();
  }
}

/** WebAssembly.RuntimeError: the module stopped in the midst of its work. */
export function isTrap(error: unknown): boolean {
  return error instanceof Error && error.name === 'RuntimeError';
}

/** For the child process. The anchors are those for signers alone: a time-stamp root shall make no signer trusted. */
export async function crJsonOfFile(
  { path, trust }: Pick<VerificationJob, 'path' | 'trust'>,
  lists: readonly TrustList[],
): Promise<string> {
  if ((await stat(path)).size > MAX_FILE_BYTES) {
    throw new ColophonError('payload_too_large', 'crJSON is made of files of up to 128 MiB.');
  }
  const { mediaType, canCarry } = await readManifestStore(path);
  // The module takes a manifest from nowhere else.
  if (!canCarry)
    throw new ColophonError('no_manifest', 'Files of this kind carry no manifest, so there is no crJSON.');
  const signers = [...(trust ? [trust] : []), ...lists.filter(({ purpose }) => purpose === 'signers')];
  const anchorsPem = signers.map((list) => list.anchorsPem).join('\n');
  const anchors = anchorsPem === '' ? undefined : { name: 'signers', anchorsPem };
  return crJsonOf(await readFile(path), mediaType, readerSettings(anchors));
}
