import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { type DecisionInput } from '../domain/decision-input.js';
import { type Clearance } from './decide-clearance.js';

export interface StoredClearance extends Clearance {
  readonly createdBy: string;
  readonly input: DecisionInput;
}

interface ClearanceRow {
  id: string;
  input: Buffer;
  result: Buffer;
  created_by: string;
  created_at: Date;
}

export async function readClearance(tx: Tx, id: string): Promise<StoredClearance> {
  const [row] = await tx.query<ClearanceRow>(
    'SELECT id, input, result, created_by, created_at FROM clearance WHERE organization_id = $1 AND id = $2',
    [tx.organizationId, id],
  );
  if (!row) throw new ColophonError('not_found', 'There is no clearance with this id.');
  const outcome = JSON.parse(row.result.toString('utf8')) as Omit<Clearance, 'id' | 'createdAt'>;
  return {
    ...outcome,
    id: row.id,
    createdAt: row.created_at,
    createdBy: row.created_by,
    input: JSON.parse(row.input.toString('utf8')) as DecisionInput,
  };
}
