import { publicId } from '../../shared/ids.js';
import { type Clearance } from '../application/decide-clearance.js';

/** A recorded decision as the API shows it. */
export function clearanceView(clearance: Clearance) {
  return {
    id: publicId('clearance', clearance.id),
    decision: clearance.decision,
    findings: clearance.findings,
    obligations: clearance.obligations,
    engineVersion: clearance.engineVersion,
    termsSha256: clearance.termsSha256,
    inputSha256: clearance.inputSha256,
    createdAt: clearance.createdAt.toISOString(),
  };
}
