import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId } from '../../shared/ids.js';

const NAME = /^([a-z][a-z0-9-]{0,59})(?:@([1-9]\d{0,8}))?$/;

/**
 * One version of a pipeline by its id or as `name@version`, or all versions by the name.
 * @throws ColophonError `not_found` for what is no id and no name; whether a name exists is asked later
 */
export async function findPipelineSubject(
  tx: Tx,
  id: string,
): Promise<{ readonly id: string; readonly name: string; readonly version: number | undefined }> {
  const uuid = parsePublicId('pipeline', id);
  if (uuid !== undefined) {
    const [row] = await tx.query<{ name: string; version: number }>(
      'SELECT name, version FROM pipeline WHERE organization_id = $1 AND id = $2',
      [tx.organizationId, uuid],
    );
    if (row) return { id, ...row };
  }
  const [, name, version] = NAME.exec(id) ?? [];
  if (name === undefined) throw new ColophonError('not_found', 'There is no pipeline with this id or name.');
  return { id, name, version: version === undefined ? undefined : Number(version) };
}

/** @throws ColophonError `not_found` */
export async function findUseCaseName(tx: Tx, id: string): Promise<string> {
  const [row] = await tx.query<{ name: string }>(
    'SELECT name FROM use_case WHERE organization_id = $1 AND id = $2',
    [tx.organizationId, id],
  );
  if (!row) throw new ColophonError('not_found', 'There is no useCase with this id.');
  return row.name;
}
