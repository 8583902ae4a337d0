import {
  type AssetObligation,
  obligationsOfAsset,
  obligationsSha256,
} from '../../../licenses/domain/asset-obligation.js';
import { readingId } from '../../../licenses/domain/obligation-reading.js';
import { dutyQuestion } from '../../../licenses/domain/work-facts.js';
import { markingDuties } from '../../../licenses/registry/marking-duties.js';
import { sha256Hex } from '../../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../../shared/canonical-json.js';
import { newId, publicId } from '../../../shared/ids.js';
import { type DossierObligation, type DossierObligations } from '../../domain/dossier.js';
import { FACTS, OBLIGATIONS } from './example-decision.js';
import { type Append, AT, RAVI, type SignedStep } from './example-people.js';

const PROOF = 'The words "Made with AI" stand in the lower left corner of the poster; see the screenshot.';
const PROOF_URL = 'https://example.com/poster';
/** What is owed for a generated picture that a person edited. */
const LATER_DUTY = 'A duty that the calendar gained after the picture was signed.';
const REWORDED_DUTY = 'A duty of the list, in the words of a later calendar.';
const LATER_PROOF = 'The declaration of the platform was filled in, too.';

/** What is owed for a generated picture that a person edited. */
export function exampleObligations(): DossierObligations {
  const calendar = markingDuties();
  const lineage = [
    { origin: 'edit', digitalSourceType: 'humanEdits' },
    { origin: 'step', digitalSourceType: 'trainedAlgorithmicMedia' },
  ] as const;
  const items = obligationsOfAsset({
    cleared: [{ clearanceId: publicId('clearance', newId()), obligations: OBLIGATIONS, furtherActs: [] }],
    calendar,
    question: dutyQuestion(lineage, [FACTS], AT.slice(0, 10)),
    mark: 'ancestor',
    parents: [],
    waived: [],
  }).map((obligation) => {
    const bytes = canonicalJson(obligation as unknown as JsonValue);
    return { id: publicId('obligation', newId()), bytes, sha256: sha256Hex(bytes), obligation };
  });
  return {
    sha256: obligationsSha256(items),
    calendarSha256: calendar.sha256,
    calendarReadOn: calendar.readOn,
    otherCalendarReadOn: undefined,
    items: items.map(({ bytes: _bytes, ...item }) => ({ ...item, state: 'open' as const, proofs: [] })),
  };
}

/** A duty that came after the signing, and was met; and one of the list that reads otherwise by now. */
export function proveLater(
  append: Append,
  owed: DossierObligations,
  { asset }: SignedStep,
): DossierObligations {
  const [listed] = owed.items.filter(({ obligation }) => obligation.key === 'law:eu-ai-act-50-2-marking');
  if (listed === undefined) throw new Error('the marking of the Union is owed');
  const reading = (obligation: AssetObligation) => ({
    id: publicId('obligation', readingId(asset.id, obligation)),
    sha256: sha256Hex(canonicalJson(obligation as unknown as JsonValue)),
    obligation,
  });
  const added = reading({ ...listed.obligation, key: 'law:eu-later', text: LATER_DUTY, systemProof: null });
  const changed = reading({ ...listed.obligation, text: REWORDED_DUTY, systemProof: null });
  const id = publicId('obligationProof', newId());
  const entryIndex = append(
    'obligation.proved',
    { kind: 'obligation_proof', id },
    {
      assetId: asset.id,
      obligationId: added.id,
      key: added.obligation.key,
      outcome: 'done',
      sha256: asset.sha256,
      obligationSha256: added.sha256,
      later: { since: 'added', asOf: AT.slice(0, 10), calendarSha256: owed.calendarSha256 },
    },
    { text: LATER_PROOF },
  );
  const said = { text: LATER_PROOF, url: undefined, evidenceAssetId: undefined, evidenceSha256: undefined };
  const proof = { id, outcome: 'done', provedBy: RAVI, provedAt: AT, entryIndex, ...said } as const;
  return {
    ...owed,
    today: {
      asOf: AT.slice(0, 10),
      calendar: { sha256: owed.calendarSha256, readOn: owed.calendarReadOn },
      added: [added.obligation],
      changed: [{ key: listed.obligation.key, members: ['text'], today: changed.obligation }],
      gone: [],
    },
    later: [
      { ...changed, since: 'changed', state: 'open', proofs: [] },
      { ...added, since: 'added', state: 'done', proofs: [proof] },
    ],
  };
}

/** Somebody shows that the picture was labeled. */
export function proveOne(
  append: Append,
  owed: DossierObligations,
  { asset }: SignedStep,
): DossierObligations {
  const items = owed.items.map((item): DossierObligation => {
    if (item.obligation.key !== 'law:eu-ai-act-50-4-deep-fake') return item;
    const id = publicId('obligationProof', newId());
    const evidenceSha256 = sha256Hex('screenshot');
    const entryIndex = append(
      'obligation.proved',
      { kind: 'obligation_proof', id },
      {
        assetId: asset.id,
        obligationId: item.id,
        key: item.obligation.key,
        outcome: 'done',
        sha256: asset.sha256,
        obligationSha256: item.sha256,
        evidenceSha256,
      },
      { text: PROOF, url: PROOF_URL },
    );
    const proof = {
      id,
      outcome: 'done',
      provedBy: RAVI,
      provedAt: AT,
      evidenceSha256,
      entryIndex,
    } as const;
    const words = { text: PROOF, url: PROOF_URL, evidenceAssetId: undefined };
    return { ...item, state: 'done', proofs: [{ ...proof, ...words }] };
  });
  return { ...owed, items };
}
