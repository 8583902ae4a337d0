import { type ShowObligationsToday } from '../../assets/application/show-obligations-today.js';
import { type LoggedEntry } from '../../audit/application/read-log.js';
import { type Tx } from '../../database/organization-tx.js';
import {
  type ObligationProof,
  type OwedObligation,
  readObligations,
  stateOf,
} from '../../licenses/application/read-obligations.js';
import { markingDuties } from '../../licenses/registry/marking-duties.js';
import { sha256Hex } from '../../shared/bytes.js';
import { publicId } from '../../shared/ids.js';
import { mapInOrder } from '../../shared/map-in-order.js';
import { type DossierObligation, type DossierObligations, type DossierProof } from '../domain/dossier.js';
import { type People } from './people.js';
import { type SealedTexts } from './sealed-texts.js';

interface Context {
  readonly tx: Tx;
  readonly entries: readonly LoggedEntry[];
  readonly sealedTexts: SealedTexts;
  readonly people: People;
  readonly obligationsToday: Pick<ShowObligationsToday, 'ofId'>;
}

/** What is owed for the asset, as far as the collected entries tell: what was proved a moment later is not shown. */
export async function collectObligations(
  context: Context,
  assetId: string,
): Promise<DossierObligations | undefined> {
  const list = await readObligations(context.tx, assetId);
  if (list === undefined) return undefined;
  const current = markingDuties();
  return {
    sha256: list.sha256,
    calendarSha256: list.calendarSha256,
    calendarReadOn: list.calendarReadOn,
    otherCalendarReadOn: current.sha256 === list.calendarSha256 ? undefined : current.readOn,
    today: await context.obligationsToday.ofId(context.tx, assetId, list),
    items: await mapInOrder(list.items, (owed) => toItem(owed, context)),
  };
}

async function toItem(owed: OwedObligation, context: Context): Promise<DossierObligation> {
  const indices = new Map(context.entries.map(({ entryId, index }) => [entryId, index]));
  const logged = owed.proofs.flatMap((proof) => {
    const index = indices.get(proof.entryId);
    return index === undefined ? [] : [{ proof, index }];
  });
  return {
    id: publicId('obligation', owed.id),
    sha256: sha256Hex(owed.bytes),
    obligation: owed.obligation,
    state: stateOf(
      owed.obligation,
      logged.map(({ proof }) => proof),
    ),
    proofs: await mapInOrder(logged, ({ proof, index }) => toProof(proof, index, context)),
  };
}

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
