// ES modules of packages that spend their time in loops: as they are, after bound-globals.js.
import { withBoundGlobals } from './bound-globals.js';

export default { process: (source) => ({ code: withBoundGlobals(source) }) };
