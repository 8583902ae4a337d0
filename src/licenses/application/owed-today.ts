import { publicId } from '../../shared/ids.js';
import { type AssetObligation } from '../domain/asset-obligation.js';
import { readingId, stateToday } from '../domain/obligation-reading.js';
import { type ObligationsToday } from '../domain/obligations-today.js';
import { type ObligationList, type ObligationProof, type OwedObligation } from './read-obligations.js';

/** One obligation of a file as it reads today, with what was said of it on any day. */
export interface ObligationToday {
  /** UUID: of the list, or of this reading where the list does not say it, or not so. */
  readonly id: string;
  /** `signing`: as it is listed. `added`: not listed. `changed`: listed, and reads otherwise today. */
  readonly since: 'signing' | 'added' | 'changed';
  readonly obligation: AssetObligation;
  readonly state: OwedObligation['state'];
  /** The one of the list, where it is `changed`. UUID. */
  readonly listedId: string | undefined;
  /** Listed, and not owed by what counts today: it stays until somebody says that it does not apply. */
  readonly isGone: boolean;
  /** As it stood when somebody first said something of exactly this reading, with all that was said of it. */
  readonly said: OwedObligation | undefined;
}

/**
 * All obligations of a file as they read today: those of the list in their order, then what came since. Pure.
 * @param assetId UUID
 * @param order which of two words came first; reports take the order of the log
 */
export function owedToday(
  assetId: string,
  list: ObligationList,
  today: ObligationsToday,
  order: WordOrder = byTime,
): ObligationToday[] {
  const changed = new Map(today.changed.map((change) => [change.key, change.today]));
  const gone = new Set(today.gone);
  const readOf = (obligation: AssetObligation, listed: OwedObligation | undefined): ObligationToday => {
    const id = readingId(publicId('asset', assetId), obligation);
    return {
      id,
      since: listed === undefined ? 'added' : 'changed',
      // The program proves what it proves when it signs, by the entry of the file: nothing that came later.
      obligation: { ...obligation, systemProof: null },
      state: stateToday(obligation, wordsOn(obligation.key, list, order), listed?.obligation),
      listedId: listed?.id,
      isGone: false,
      said: list.later.find((said) => said.id === id),
    };
  };
  return [
    ...list.items.map((listed): ObligationToday => {
      const { id, obligation } = listed;
      const current = changed.get(obligation.key);
      if (current !== undefined) return readOf(current, listed);
      const state = stateToday(obligation, wordsOn(obligation.key, list, order), obligation);
      const isGone = gone.has(obligation.key);
      return { id, since: 'signing', obligation, state, listedId: undefined, isGone, said: listed };
    }),
    ...today.added.map((obligation) => readOf(obligation, undefined)),
  ];
}

type WordOrder = (a: ObligationProof, b: ObligationProof) => number;

const byTime: WordOrder = (a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1);

/** What people said of any reading of one obligation, oldest first. */
function wordsOn(key: string, { items, later }: ObligationList, order: WordOrder) {
  return [...items, ...later]
    .filter(({ obligation }) => obligation.key === key)
    .flatMap(({ obligation: said, proofs }) => proofs.map((proof) => ({ ...proof, said })))
    .sort(order);
}
