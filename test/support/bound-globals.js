// Jest runs modules in a context of its own, whose global object answers each look-up (of Math, of Uint8Array) through an
// interceptor: a loop over bytes takes several times as long there. So each module gets the globals of hot loops as
// constants of its own. Not those that tests may replace: timers, Date, fetch, process, console.
const BOUND = [
  'Array',
  'ArrayBuffer',
  'BigInt',
  'Boolean',
  'Buffer',
  'DataView',
  'Error',
  'Float32Array',
  'Float64Array',
  'Int32Array',
  'JSON',
  'Map',
  'Math',
  'Number',
  'Object',
  'Promise',
  'Set',
  'SharedArrayBuffer',
  'String',
  'Uint32Array',
  'Uint8Array',
  'Uint8ClampedArray',
];

/** On the first line, so that places in stack traces stay right. */
export function withBoundGlobals(source) {
  const names = BOUND.filter((name) => uses(source, name) && !declares(source, name));
  return names.length === 0 ? source : `const { ${names.join(', ')} } = globalThis; ${source}`;
}

function uses(source, name) {
  return new RegExp(`\\b${name}\\b`).test(source);
}

/** Too much taken for a declaration costs speed only. */
function declares(source, name) {
  return new RegExp(
    `\\b(?:import|export|const|let|var|class|function|type|interface)\\b[^;=(]*\\b${name}\\b`,
  ).test(source);
}
