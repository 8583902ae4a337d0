import { AI_SOURCE_TYPES } from '../../contributions/domain/authorship/authorship-facts.js';
import { type AssetDossier, type DossierAsset } from './dossier.js';

/**
 * Files of the chain that came from a person and not from a step of ours: uploads and edits. With what they were made, and
 * from what, no record of ours can know: a question that such a file bears on is not settled (promise P10). Pure.
 */
export function filesOfPeople(chain: readonly DossierAsset[]): DossierAsset[] {
  return chain.filter(({ origin }) => origin !== 'step');
}

/** `one file that a person brought in`; the caller says what is not known of it. */
export function filesOfPeopleWords(files: readonly DossierAsset[]): string {
  return files.length === 1
    ? 'one file that a person brought in'
    : `${files.length} files that people brought in`;
}

/** Tools of edits, as their contributors named them. */
export function toolWords({ contributions, chain }: Pick<AssetDossier, 'contributions' | 'chain'>): string {
  const edits = new Set(chain.filter(({ origin }) => origin === 'edit').map(({ id }) => id));
  const tools = contributions.flatMap(({ assetId, tool, toolErased }) =>
    edits.has(assetId) && toolErased === undefined ? [tool] : [],
  );
  return [...new Set(tools)].join(', ');
}

export function isGenerated({ digitalSourceType }: DossierAsset): boolean {
  return AI_SOURCE_TYPES.includes(digitalSourceType ?? '');
}
