import { type TransportFault } from './vendor/transport-fault.js';

/** What a provider must stand, besides what happens on the way. */
export type ContractFault =
  | TransportFault
  /** It takes its time and gets there. */
  | 'slow'
  /** The vendor says that the work failed. */
  | 'failing'
  /** 200, and nothing in it. */
  | 'empty'
  /** The file that it names lies inside our network. */
  | 'internal-output';

/** What must come of each. `unknown`: the outcome is left open, and nothing is sent a second time. */
export const EXPECTED: Readonly<
  Record<ContractFault, { readonly outcome: 'completed' | 'failed' | 'unknown'; readonly charges: 0 | 1 }>
> = {
  slow: { outcome: 'completed', charges: 1 },
  failing: { outcome: 'failed', charges: 1 },
  empty: { outcome: 'failed', charges: 1 },
  'internal-output': { outcome: 'failed', charges: 1 },
  '429': { outcome: 'failed', charges: 0 },
  '500-before-accept': { outcome: 'unknown', charges: 0 },
  'reset-before-accept': { outcome: 'unknown', charges: 0 },
  'hang-after-accept': { outcome: 'unknown', charges: 1 },
  'reset-after-accept': { outcome: 'unknown', charges: 1 },
  '502-after-accept': { outcome: 'unknown', charges: 1 },
  'garbage-after-accept': { outcome: 'unknown', charges: 1 },
  'wrong-type-after-accept': { outcome: 'unknown', charges: 1 },
  'truncated-after-accept': { outcome: 'unknown', charges: 1 },
  'endless-after-accept': { outcome: 'unknown', charges: 1 },
  'late-after-accept': { outcome: 'unknown', charges: 1 },
};
