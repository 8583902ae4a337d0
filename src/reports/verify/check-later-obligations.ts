import { readingId, stateToday } from '../../licenses/domain/obligation-reading.js';
import { parsePublicId } from '../../shared/ids.js';
import { BUNDLE_PATHS } from '../domain/bundle-format.js';
import { type ProvedLog } from './check-log.js';
import { type Checklist } from './checklist.js';
import {
  type CheckedDossier,
  type CheckedLaterObligation,
  type CheckedObligation,
  readObligationSchema,
} from './dossier-schema.js';

const PATH = BUNDLE_PATHS.dossierJson;
const OUTCOMES = ['done', 'waived', 'not_applicable', 'open'] as const;

/**
 * What came after the signing is in no list whose hash is in the log: that it is owed is the word of the collector. But
 * what was said of it was said of these very words, because its id is made of them; and how it stands follows from that.
 */
export function checkLaterObligations(
  dossier: CheckedDossier,
  proved: ProvedLog,
  checklist: Checklist,
): void {
  const { asset, obligations } = dossier;
  for (const later of obligations?.later ?? []) {
    const read = readObligationSchema.safeParse(later.obligation);
    if (!read.success) {
      checklist.fault(PATH, `What ${later.id} says is not the form of an obligation.`);
      continue;
    }
    const id = parsePublicId('obligation', later.id);
    checklist.equal(PATH, `The id of ${later.id}`, id, readingId(asset.id, read.data));
    for (const { id: proofId, entryIndex } of later.proofs) {
      const data = proved.entries.get(entryIndex)?.data;
      checklist.equal(PATH, `The key of ${proofId}`, read.data.key, data?.key);
      if (data?.later === undefined)
        checklist.fault(PATH, `${proofId} is of an obligation of the list, not of a later one.`);
    }
    checklist.equal(PATH, `The state of ${later.id}`, later.state, stateOf(later, read.data, dossier));
  }
}

function stateOf(
  later: CheckedLaterObligation,
  read: ReturnType<typeof readObligationSchema.parse>,
  { obligations }: CheckedDossier,
): string {
  if (later.since === 'earlier') return later.proofs.at(-1)?.outcome ?? 'open';
  const listed = (obligations?.items ?? []).filter(({ obligation }) => obligation.key === read.key);
  const words = [...listed, ...(obligations?.later ?? [])].flatMap(wordsOf(read.key));
  const [first] = listed.map(({ obligation }) => readObligationSchema.safeParse(obligation).data);
  return stateToday(
    read,
    words.sort((a, b) => a.entryIndex - b.entryIndex),
    first,
  );
}

const wordsOf =
  (key: string) =>
  ({ obligation, proofs }: CheckedObligation) => {
    const said = readObligationSchema.safeParse(obligation).data;
    if (said?.key !== key) return [];
    return proofs.flatMap(({ outcome, entryIndex }) => {
      const known = OUTCOMES.find((one) => one === outcome);
      return known === undefined ? [] : [{ outcome: known, said, entryIndex }];
    });
  };
