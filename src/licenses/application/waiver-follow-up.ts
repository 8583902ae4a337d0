import { type Tx } from '../../database/organization-tx.js';
import { type KeyMode } from '../../identity/domain/api-key.js';

/**
 * What happens in the same transaction as the approval of a waiver. The composition root fills it with the start of
 * the runs that waited: licenses know nothing of generation.
 */
export class WaiverFollowUp {
  constructor(readonly afterApproval: (tx: Tx, clearanceId: string, keyMode: KeyMode) => Promise<string[]>) {}
}
