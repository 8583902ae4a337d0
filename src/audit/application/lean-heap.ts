import { setFlagsFromString } from 'node:v8';

/**
 * By how much the heap may grow over what is in use before the engine looks for garbage, in percent. Its own measure
 * lets it grow to twice of that and more, and what a long walk over a log drops at each step adds up to 100 MB.
 */
const GROWTH_PERCENT = 30;
/** The engine decides by itself again. */
const BY_ITSELF = 0;

/** Walks over whole logs that are under way in this process. */
let walks = 0;

/** Keeps the heap small until the returned function is called, at the price of some time. Calling that twice is harmless. */
export function keepHeapLean(): () => void {
  if (walks++ === 0) setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    if (--walks === 0) setFlagsFromString(`--heap-growing-percent=${BY_ITSELF}`);
  };
}

/** The same for as long as something is made chunk by chunk; also when its taker leaves early. */
export async function* withLeanHeap<T>(chunks: AsyncIterable<T>): AsyncGenerator<T> {
  const end = keepHeapLean();
  try {
    yield* chunks;
  } finally {
    end();
  }
}
