import { type AssetWithParents } from '../../assets/adapters/asset.repository.js';

/** The edits among the versions that no other edit was made from: the last word of each line of them. */
export function newestEdits(
  versions: ReadonlySet<string>,
  lineage: readonly Pick<AssetWithParents, 'id' | 'origin' | 'parents'>[],
): Set<string> {
  const edits = lineage.filter(({ id, origin }) => origin === 'edit' && versions.has(id));
  const edited = new Set(
    edits.flatMap(({ parents }) =>
      parents.flatMap(({ assetId, relationship }) => (relationship === 'parentOf' ? [assetId] : [])),
    ),
  );
  return new Set(edits.flatMap(({ id }) => (edited.has(id) ? [] : [id])));
}

/** The asset and what it is a later version of. What was only used in it, as a reference or a part, is another work. */
export function versionsOf(
  assetId: string,
  lineage: readonly Pick<AssetWithParents, 'id' | 'parents'>[],
): string[] {
  const byId = new Map(lineage.map((asset) => [asset.id, asset]));
  const versions = new Set<string>();
  const open = [assetId];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (versions.has(id)) continue;
    versions.add(id);
    for (const parent of byId.get(id)?.parents ?? [])
      if (parent.relationship === 'parentOf') open.push(parent.assetId);
  }
  return [...versions];
}
