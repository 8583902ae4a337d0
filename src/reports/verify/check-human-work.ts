import { flattenedVerify, importJWK } from 'jose';
import { type EntryEnvelope } from '../../audit/core/entry.js';
import { BUNDLE_PATHS } from '../domain/bundle-format.js';
import { type ProvedLog } from './check-log.js';
import { type Checklist } from './checklist.js';
import { type CheckedContribution, type CheckedDossier } from './dossier-schema.js';

const PATH = BUNDLE_PATHS.dossierJson;

/**
 * Records of human work and decisions, as far as they go beyond what every dossier says: signatures by keys that the log
 * knows as the contributor's, and nothing left out that was said later: corrections, decisions, a recall.
 */
export async function checkHumanWork(
  dossier: CheckedDossier,
  proved: ProvedLog,
  checklist: Checklist,
): Promise<void> {
  for (const item of dossier.contributions) {
    const entry = proved.entries.get(item.entryIndex);
    if (entry?.type === 'contribution.recorded') await new RecordCheck(item, entry, proved, checklist).all();
  }
  checkDecisions(dossier, proved, checklist);
}

class RecordCheck {
  constructor(
    private readonly item: CheckedContribution,
    private readonly entry: EntryEnvelope,
    private readonly proved: ProvedLog,
    private readonly checklist: Checklist,
  ) {}

  async all(): Promise<void> {
    const { item, entry } = this;
    for (const field of ['engagement', 'assignment'] as const)
      this.checklist.equal(PATH, `"${field}" of ${item.id}`, item[field], entry.data[field]);
    const change = entry.data.change as { differenceSha256?: unknown } | undefined;
    this.checklist.equal(
      PATH,
      `The picture of what changed in ${item.id}`,
      item.differenceSha256,
      change?.differenceSha256,
    );
    this.checklist.equal(
      PATH,
      `What was shown for ${item.id}`,
      JSON.stringify(item.shown),
      JSON.stringify(entry.data.shown),
    );
    this.record();
    const signed = entry.data.signatureKeyId;
    this.checklist.equal(PATH, `The signature key of ${item.id}`, item.signatureKey?.id, signed);
    if (signed !== undefined)
      await this.signature(item.signature, item.signatureKey?.entryIndex, item.entryIndex);
    await this.corrections();
    this.attachments();
  }

  /** The text that is signed is the one that the log seals, and says what the record says. */
  private record(): void {
    const { item } = this;
    if (item.record === undefined) return;
    this.opened('record', item.record, item.entryIndex);
    const said = parsed(item.record);
    for (const field of [
      'parentAssetId',
      'beforeSha256',
      'afterSha256',
      'actionType',
      'basis',
      'capture',
    ] as const)
      this.checklist.equal(PATH, `"${field}" in the signed text of ${item.id}`, item[field], said[field]);
    if (item.statement !== undefined)
      this.checklist.equal(
        PATH,
        `The statement in the signed text of ${item.id}`,
        item.statement,
        said.statement,
      );
    this.checklist.equal(
      PATH,
      `The person in the signed text of ${item.id}`,
      said.contributorId,
      this.entry.data.contributorId,
    );
  }

  /** @param at the entry by which the signature was recorded: the key was registered before and not revoked by then */
  private async signature(jws: string | undefined, keyIndex: number | undefined, at: number): Promise<void> {
    const { item } = this;
    const key = this.proved.entries.get(keyIndex ?? -1);
    if (key?.type !== 'signature_key.registered' || (keyIndex ?? at) >= at) {
      this.checklist.fault(
        PATH,
        `The key that signed ${item.id} was not registered before, as far as is proved.`,
      );
      return;
    }
    if (key.data.principalId !== this.entry.data.contributorId)
      this.checklist.fault(PATH, `The key that signed ${item.id} belongs to somebody else.`);
    const isRevoked = [...this.proved.entries].some(
      ([index, { type, data }]) =>
        type === 'signature_key.revoked' && data.keyId === key.data.keyId && index < at,
    );
    if (isRevoked) this.checklist.fault(PATH, `The key that signed ${item.id} had been revoked.`);
    if (jws === undefined || item.record === undefined) {
      this.checklist.notProved.push(`The signature of ${item.id} is not in the bundle: it was erased.`);
      return;
    }
    this.opened('signature', jws, at);
    if (!(await verifies(jws, item.record, key.data)))
      this.checklist.fault(PATH, `The signature of ${item.id} does not verify over its record.`);
  }

  private async corrections(): Promise<void> {
    const { item } = this;
    const shown = item.corrections ?? [];
    this.same('corrections', shown, 'contribution.corrected');
    for (const one of shown) {
      const entry = this.proved.entries.get(one.entryIndex);
      if (entry?.type !== 'contribution.corrected') continue;
      for (const field of ['kind', 'actionType', 'basis'] as const)
        this.checklist.equal(PATH, `"${field}" of ${one.id}`, one[field], entry.data[field]);
      this.checklist.equal(PATH, `The id of ${one.id}`, one.id, entry.data.correctionId);
      if (one.text !== undefined) this.opened('text', one.text, one.entryIndex);
      if (entry.data.signatureKeyId !== undefined)
        await this.signature(one.signature, one.signatureKey?.entryIndex, one.entryIndex);
    }
  }

  private attachments(): void {
    const shown = this.item.attachments ?? [];
    this.same('attachments', shown, 'contribution.attached');
    for (const one of shown) {
      const entry = this.proved.entries.get(one.entryIndex);
      for (const field of ['kind', 'sha256', 'sizeBytes'] as const)
        this.checklist.equal(PATH, `"${field}" of ${one.id}`, one[field], entry?.data[field]);
    }
  }

  /** All that the log has about this record, in its order: a withdrawal cannot be left out. */
  private same(what: string, shown: readonly { readonly entryIndex: number }[], type: string): void {
    const there = indicesOf(this.proved, (entry) => entry.type === type && entry.subject.id === this.item.id);
    if (JSON.stringify(shown.map(({ entryIndex }) => entryIndex)) !== JSON.stringify(there))
      this.checklist.fault(
        PATH,
        `The ${what} of ${this.item.id} are not all that the bundle holds, or not in their order.`,
      );
  }

  private opened(field: string, shown: string, index: number): void {
    const value = this.proved.opened.get(index)?.[field];
    if (value === undefined)
      this.checklist.notProved.push(
        `The ${field} that the dossier shows for ${this.item.id} was not opened, so it is not proved.`,
      );
    else if (value !== shown)
      this.checklist.fault(PATH, `The ${field} of ${this.item.id} is not the one that the log seals.`);
  }
}

function checkDecisions(dossier: CheckedDossier, proved: ProvedLog, checklist: Checklist): void {
  const { asset, review, recall } = dossier;
  // Reports of before there could be several name one.
  const reviews = dossier.reviews ?? (review ? [review] : []);
  const about = (type: string) =>
    indicesOf(proved, (entry) => entry.type === type && entry.data.assetId === asset.id);
  const shown = reviews.map(({ entryIndex }) => entryIndex);
  if (JSON.stringify(shown) !== JSON.stringify(about('review.decided')))
    checklist.fault(PATH, 'The decisions are not all that the bundle holds, or not in their order.');
  for (const { entryIndex, decision, comment } of reviews) {
    const { data } = proved.entries.get(entryIndex) ?? {};
    checklist.equal(PATH, `The decision of entry ${entryIndex}`, decision, data?.decision);
    checklist.equal(PATH, `The file of the decision of entry ${entryIndex}`, asset.sha256, data?.sha256);
    // That of the review which counts was compared with the dossier itself.
    if (entryIndex !== review?.entryIndex) checkOpened('comment', comment, entryIndex, proved, checklist);
  }
  const recalled = about('asset.recalled');
  if (JSON.stringify(recall ? [recall.entryIndex] : []) !== JSON.stringify(recalled))
    checklist.fault(PATH, 'Whether the release was taken back is not what the log says.');
  if (recall === undefined) return;
  const recorded = proved.entries.get(recall.entryIndex)?.data.reason;
  checklist.equal(PATH, 'The reason of the recall', recall.reason, recorded);
  checkOpened('text', recall.text, recall.entryIndex, proved, checklist);
}

/** Words that the dossier shows of a decision. */
function checkOpened(
  field: string,
  shown: string | undefined,
  index: number,
  proved: ProvedLog,
  checklist: Checklist,
): void {
  if (shown === undefined || shown === '') return;
  const opened = proved.opened.get(index)?.[field];
  if (opened === undefined)
    checklist.notProved.push(
      `The ${field} that the dossier shows for entry ${index} was not opened, so it is not proved.`,
    );
  else if (opened !== shown)
    checklist.fault(PATH, `The ${field} of entry ${index} is not the one that the log seals.`);
}

function indicesOf({ entries }: ProvedLog, fits: (entry: EntryEnvelope) => boolean): number[] {
  return [...entries]
    .filter(([, entry]) => fits(entry))
    .map(([index]) => index)
    .sort((a, b) => a - b);
}

async function verifies(
  jws: string,
  text: string,
  data: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  const [header = '', , signature = ''] = jws.split('.');
  const algorithm = String(data.algorithm);
  try {
    const key = await importJWK(data.jwk as Record<string, string>, algorithm);
    const payload = Buffer.from(text, 'utf8').toString('base64url');
    await flattenedVerify({ protected: header, payload, signature }, key, { algorithms: [algorithm] });
    return true;
  } catch {
    return false;
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
