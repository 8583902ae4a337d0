import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs';

export type CedarModule = typeof Cedar;

const NAME = '@cedar-policy/cedar-wasm/nodejs';
/** Node 24 can undo such a call; of the majors between nothing is known. */
const FIRST_SAFE_MAJOR = 24;
const requireModule = createRequire(import.meta.url);

// V8 of Node 20 ends the whole process ("unreachable code" in its Deoptimizer) when optimized JavaScript, into which a
// call of WebAssembly was inlined that returns a reference, is thrown away while that call runs. Every call of Cedar
// returns one. Flags hold for all threads of the process and for functions that are compiled after they were set.
if (Number.parseInt(process.versions.node, 10) < FIRST_SAFE_MAJOR)
  setFlagsFromString('--no-turbo-inline-js-wasm-calls');

/** Its file, for a thread that loads it by itself. */
export const CEDAR_FILE = requireModule.resolve(NAME);

/** Loads the engine, or returns the instance that is loaded. */
export function loadCedar(): CedarModule {
  return requireModule(CEDAR_FILE) as CedarModule;
}

/** The next {@link loadCedar} makes a new instance, with a memory of its own. */
export function forgetCedar(): void {
  delete requireModule.cache[CEDAR_FILE];
}
