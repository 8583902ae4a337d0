const MAX_INPUT_CHARACTERS = 256 * 1024;
const MAX_DEPTH = 8;
/** Texts for the model, which may begin with anything. */
const FREE_TEXT = new Set(['prompt', 'negative_prompt', 'text']);
const MAX_IMAGES = 16;
const NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
const ADDRESS = /^\s*(?:[a-z][a-z0-9+.-]{1,15}:\/\/|data:)/i;

/**
 * What is wrong with the literal parameters of a step, in words for people, or `undefined`.
 *
 * Addresses are refused wherever they stand: fal would fetch a picture or a LoRA behind them, and what went into
 * the work would neither be cleared nor recorded. Pictures come as inputs of the step instead.
 */
export function parameterProblem(parameters: Readonly<Record<string, unknown>>): string | undefined {
  const problem = problemIn(parameters, '', 0);
  if (problem !== undefined) return problem;
  return JSON.stringify(parameters).length > MAX_INPUT_CHARACTERS
    ? 'the parameters are too large'
    : undefined;
}

/** What is wrong with the names under which pictures join the parameters, or `undefined`. */
export function imageNameProblem(
  parameters: Readonly<Record<string, unknown>>,
  images: object,
): string | undefined {
  const names = Object.keys(images);
  if (names.length > MAX_IMAGES) return `more than ${MAX_IMAGES} input pictures`;
  if (!names.every((name) => NAME.test(name))) return 'an input picture has a name that fal cannot take';
  const twice = names.find((name) => Object.hasOwn(parameters, name));
  return twice === undefined ? undefined : `${twice} is given twice, as a parameter and as a picture`;
}

function problemIn(value: unknown, name: string, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return 'the parameters are nested too deeply';
  switch (typeof value) {
    case 'string':
      return ADDRESS.test(value) && !FREE_TEXT.has(name) ? addressProblem(name) : undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : 'a parameter is not a finite number';
    case 'boolean':
    case 'undefined':
      return undefined;
    case 'object':
      return value === null ? undefined : problemInChildren(value, name, depth);
    case 'bigint':
    case 'symbol':
    case 'function':
      return 'a parameter is not a JSON value';
  }
}

function problemInChildren(value: object, name: string, depth: number): string | undefined {
  for (const [key, child] of Object.entries(value)) {
    const problem = problemIn(child, Array.isArray(value) ? name : key, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function addressProblem(name: string): string {
  const shown = /^[A-Za-z0-9_]{1,64}$/.test(name) ? name : 'a parameter';
  return `${shown} holds an address: give pictures as inputs of the step, so that they are recorded`;
}
