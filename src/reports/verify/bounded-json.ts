import { readCanonicalJson } from '../../shared/bounded-json.js';

const MAX_DEPTH = 64;

/** A JSON document of a bundle, as {@link readCanonicalJson} reads it; `undefined` for anything else. */
export function parseCanonicalDocument(bytes: Uint8Array): unknown {
  const result = readCanonicalJson(bytes, MAX_DEPTH);
  return result.ok ? result.value : undefined;
}
