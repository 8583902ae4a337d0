// TypeScript by @swc/jest, after bound-globals.js.
import { createTransformer } from '@swc/jest';
import { withBoundGlobals } from './bound-globals.js';

const swc = createTransformer();

export default {
  ...swc,
  process: (source, path, options) => swc.process(withBoundGlobals(source), path, options),
  processAsync: (source, path, options) => swc.processAsync(withBoundGlobals(source), path, options),
};
