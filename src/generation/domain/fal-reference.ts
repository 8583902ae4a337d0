/** `$node_1.images.0.url`: what another node made; `$input.prompt`: what the workflow is given. */
export interface FalReference {
  readonly node: string;
  readonly path: readonly string[];
}

const REFERENCE = /^\$([A-Za-z][A-Za-z0-9_-]{0,39})((?:\.[A-Za-z0-9_-]{1,40}){1,8})$/;
/** A dollar sign and a word, followed by a dot and another one; "$5.99" is a price. */
const INSIDE = /\$[A-Za-z][A-Za-z0-9_-]*\.[A-Za-z0-9_]/;

/** `undefined` for a text that is no reference as a whole. */
export function readReference(text: string): FalReference | undefined {
  const [, node, path] = REFERENCE.exec(text) ?? [];
  return node === undefined || path === undefined ? undefined : { node, path: path.slice(1).split('.') };
}

/** Whether a reference is anywhere in it. */
export function readsAsReference(text: string): boolean {
  return INSIDE.test(text);
}
