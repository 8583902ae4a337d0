import { type ShowObligationsToday } from '../../assets/application/show-obligations-today.js';
import { type LoggedEntry } from '../../audit/application/read-log.js';
import { type Tx } from '../../database/organization-tx.js';
import { owedToday } from '../../licenses/application/owed-today.js';
import {
  type ObligationList,
  type ObligationProof,
  type OwedObligation,
  readObligations,
  stateOf,
} from '../../licenses/application/read-obligations.js';
import { type ObligationsToday } from '../../licenses/domain/obligations-today.js';
import { markingDuties } from '../../licenses/registry/marking-duties.js';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { publicId } from '../../shared/ids.js';
import { mapInOrder } from '../../shared/map-in-order.js';
import {
  type DossierLaterObligation,
  type DossierObligation,
  type DossierObligations,
  type DossierProof,
} from '../domain/dossier.js';
import { type People } from './people.js';
import { type SealedTexts } from './sealed-texts.js';

interface Context {
  readonly tx: Tx;
  readonly entries: readonly LoggedEntry[];
  readonly sealedTexts: SealedTexts;
  readonly people: People;
  readonly obligationsToday: Pick<ShowObligationsToday, 'ofId'>;
  /** `undefined` where they are not all known. */
  readonly listingsBehind: ReadonlySet<string> | undefined;
}

/** What is owed for the asset, as far as the collected entries tell: what was proved a moment later is not shown. */
export async function collectObligations(
  context: Context,
  assetId: string,
): Promise<DossierObligations | undefined> {
  const found = await readObligations(context.tx, assetId);
  if (found === undefined) return undefined;
  const indices = new Map(context.entries.map(({ entryId, index }) => [entryId, index]));
  const list = loggedOnly(found, indices);
  const current = markingDuties();
  const today = await context.obligationsToday.ofId(context.tx, assetId, list);
  return {
    sha256: list.sha256,
    calendarSha256: list.calendarSha256,
    calendarReadOn: list.calendarReadOn,
    otherCalendarReadOn: current.sha256 === list.calendarSha256 ? undefined : current.readOn,
    today,
    items: await mapInOrder(list.items, (owed) => toItem(owed, indices, context)),
    later: await mapInOrder(laterOf(assetId, list, today, indices), async ({ since, owed }) => ({
      ...(await toItem(owed, indices, context)),
      since,
    })),
  };
}

type Indices = ReadonlyMap<string, number | undefined>;

function loggedOnly(list: ObligationList, indices: Indices): ObligationList {
  const logged = (owed: OwedObligation): OwedObligation => {
    const proofs = owed.proofs.filter(({ entryId }) => indices.get(entryId) !== undefined);
    return { ...owed, proofs, state: stateOf(owed.obligation, proofs) };
  };
  const later = list.later.map(logged).filter(({ proofs }) => proofs.length > 0);
  return { ...list, items: list.items.map(logged), later };
}

/** Of what was proved, the words as they were proved: their hash is in the log. */
function laterOf(
  assetId: string,
  list: ObligationList,
  today: ObligationsToday,
  indices: Indices,
): { since: DossierLaterObligation['since']; owed: OwedObligation }[] {
  const place = ({ entryId }: ObligationProof): number => indices.get(entryId) ?? NOT_LOGGED;
  const owed = owedToday(assetId, list, today, (a, b) => place(a) - place(b));
  const current = new Set(owed.map(({ id }) => id));
  return [
    ...owed.flatMap(({ id, since, obligation, state, said }) => {
      if (since === 'signing') return [];
      const bytes = canonicalJson(obligation as unknown as JsonValue);
      return [{ since, owed: { ...(said ?? { id, bytes, obligation, proofs: [] }), state } }];
    }),
    ...list.later
      .filter(({ id }) => !current.has(id))
      .map((earlier) => ({ since: 'earlier' as const, owed: earlier })),
  ];
}

async function toItem(owed: OwedObligation, indices: Indices, context: Context): Promise<DossierObligation> {
  return {
    id: publicId('obligation', owed.id),
    sha256: sha256Hex(owed.bytes),
    obligation: owed.obligation,
    state: owed.state,
    ...(isOfOtherModel(owed, context) ? { isOfOtherModel: true as const } : {}),
    proofs: await mapInOrder(owed.proofs, (proof) =>
      toProof(proof, indices.get(proof.entryId) ?? NOT_LOGGED, context),
    ),
  };
}

/** What a license demands is told also of a model that made nothing here: the decision under which the run went on has it. */
function isOfOtherModel({ obligation }: OwedObligation, { listingsBehind }: Context): boolean {
  const { source, listingId } = obligation;
  return (
    source === 'license' &&
    listingId !== null &&
    listingsBehind !== undefined &&
    !listingsBehind.has(listingId)
  );
}

/** Proofs without an entry were left out above. */
const NOT_LOGGED = -1;

async function toProof(
  proof: ObligationProof,
  entryIndex: number,
  { tx, sealedTexts, people }: Context,
): Promise<DossierProof> {
  const { provedBy, createdAt, sealedText, sealedUrl } = proof;
  const text = await sealedTexts.ofRow(tx, provedBy, sealedText, createdAt);
  const url =
    sealedUrl === undefined ? undefined : await sealedTexts.ofRow(tx, provedBy, sealedUrl, createdAt);
  return {
    id: publicId('obligationProof', proof.id),
    outcome: proof.outcome,
    provedBy: await people.named(provedBy),
    provedAt: createdAt.toISOString(),
    text: text.text,
    textErased: text.erased,
    url: url?.text,
    evidenceAssetId:
      proof.evidenceAssetId === undefined ? undefined : publicId('asset', proof.evidenceAssetId),
    evidenceSha256: proof.evidenceSha256,
    entryIndex,
  };
}
