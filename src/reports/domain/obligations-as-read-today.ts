import { type DossierObligation, type DossierObligations } from './dossier.js';

/** What is owed on the day of the report: what is listed, in its words of that day where they are others, and what came since. */
export function asReadToday({
  items,
  later = [],
}: Pick<DossierObligations, 'items' | 'later'>): DossierObligation[] {
  const current = later.filter(({ since }) => since !== 'earlier');
  const changed = new Set(
    current.filter(({ since }) => since === 'changed').map(({ obligation }) => obligation.key),
  );
  return [...items.filter(({ obligation }) => !changed.has(obligation.key)), ...current];
}
