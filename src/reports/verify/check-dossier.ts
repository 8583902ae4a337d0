import { type EntryEnvelope } from '../../audit/core/entry.js';
import { type EntryType } from '../../audit/core/entry-types.js';
import { BUNDLE_PATHS, type BundleIndex } from '../domain/bundle-format.js';
import { checkDiligence } from './check-diligence.js';
import { checkObligations } from './check-obligations.js';
import { parseCanonicalDocument } from './bounded-json.js';
import { type TimeStampOutcome, type WitnessOutcome } from './bundle-verification.js';
import { type ProvedLog } from './check-log.js';
import { type Checklist } from './checklist.js';
import {
  type CheckedAsset,
  type CheckedDossier,
  checkedDossierSchema,
  type CheckedWitness,
} from './dossier-schema.js';

const PATH = BUNDLE_PATHS.dossierJson;

/** What witnesses and time-stamp authorities are proved to have said. */
export interface CheckedAnchors {
  readonly policy: Buffer | undefined;
  readonly witnessing: readonly WitnessOutcome[];
  readonly timeStamps: readonly TimeStampOutcome[];
  /** SHA-256 of each token by its path. */
  readonly tokenSha256: ReadonlyMap<string, string>;
}

/** Reads dossier.json and compares it with what the log proves. */
export function checkDossier(
  bytes: Buffer | undefined,
  index: BundleIndex,
  log: ProvedLog,
  anchors: CheckedAnchors,
  checklist: Checklist,
): CheckedDossier | undefined {
  const parsed = checkedDossierSchema.safeParse(parseCanonicalDocument(bytes ?? Buffer.alloc(0)));
  if (!parsed.success) {
    checklist.fault(PATH, 'The dossier cannot be read, or lacks what the log could confirm.');
    return undefined;
  }
  const dossier = parsed.data;
  const check = new DossierCheck(dossier, log, checklist);
  check.head(index);
  check.log();
  check.anchors(index, anchors);
  for (const asset of dossier.chain) check.asset(asset);
  check.runs();
  check.contributions();
  checkObligations(dossier, log, checklist);
  checkDiligence(dossier, log, checklist);
  check.decisions();
  return dossier;
}

class DossierCheck {
  constructor(
    private readonly dossier: CheckedDossier,
    private readonly proved: ProvedLog,
    private readonly checklist: Checklist,
  ) {}

  /** The dossier is about what the bundle is about, and its asset is the last of its chain. */
  head(index: BundleIndex): void {
    const { asset, chain, reportId, createdAt } = this.dossier;
    const same = (what: string, a: unknown, b: unknown): void => {
      if (a !== b) this.checklist.fault(PATH, `${what} differs from the one in bundle.json.`);
    };
    same('The asset', asset.id, index.asset.id);
    same('The SHA-256 of the asset', asset.sha256, index.asset.sha256);
    same('The report', reportId, index.reportId);
    same('The time of the report', createdAt, index.createdAt);
    const inChain = chain.find(({ id }) => id === asset.id);
    if (JSON.stringify(inChain) !== JSON.stringify(asset)) {
      this.checklist.fault(PATH, 'The asset of the dossier is not in its own chain.');
    }
    const known = new Set(chain.map(({ id }) => id));
    for (const { assetId } of chain.flatMap(({ parents }) => parents)) {
      if (!known.has(assetId))
        this.checklist.fault(PATH, 'The chain lacks an asset from which another was made.');
    }
  }

  log(): void {
    const { log } = this.dossier;
    const { checkpoint } = this.proved.checkpoint;
    const same = (what: string, a: unknown, b: unknown): void => {
      if (a !== b) this.checklist.fault(PATH, `${what} differs from the signed tree head.`);
    };
    same('The origin of the log', log.origin, checkpoint.origin);
    same('The key of the log', log.vkey, this.proved.vkey);
    same('The size of the log', log.treeSize, checkpoint.size);
    same('The root hash', log.rootHash, Buffer.from(checkpoint.root).toString('base64'));
    same('The checkpoint', log.checkpointNote, this.proved.checkpointBytes.toString('utf8'));
    const listed = new Set<number>();
    for (const { index, type, recordedAt, subject } of log.entries) {
      listed.add(index);
      const entry = this.proved.entries.get(index);
      const fits = entry?.type === type && entry.at === recordedAt && entry.subject.id === subject;
      if (!fits) this.checklist.fault(PATH, `Entry ${index} is not in the bundle as the dossier lists it.`);
    }
    for (const index of this.proved.entries.keys()) {
      if (!listed.has(index)) this.checklist.fault(PATH, `The dossier does not list entry ${index}.`);
    }
  }

  /** Witnesses and time-stamps are those that the bundle holds and that verify. */
  anchors(index: BundleIndex, anchors: CheckedAnchors): void {
    const { witnessing, timeStamps } = this.dossier.log;
    if (witnessing === undefined || timeStamps === undefined) {
      if (index.v > 1) this.checklist.fault(PATH, 'The dossier does not say who has seen the log.');
      return;
    }
    this.witnesses(witnessing, anchors);
    const shown = new Map(timeStamps.map((stamp) => [stamp.tokenSha256, stamp]));
    for (const [path, sha256] of anchors.tokenSha256) {
      const verified = anchors.timeStamps.find((one) => one.path === path && one.roots === 'bundle');
      const stamp = shown.get(sha256);
      shown.delete(sha256);
      const same = stamp?.at === verified?.at && stamp?.authority === verified?.authority;
      if (!same) this.checklist.fault(PATH, `The dossier does not say of ${path} what the token says.`);
    }
    for (const { at, authority } of shown.values()) {
      const text = `The time-stamp of ${at} by ${authority}, which the dossier names, is not in the bundle as it was.`;
      this.checklist.fault(PATH, text);
    }
  }

  private witnesses(
    { policy, isMet, witnesses }: NonNullable<CheckedDossier['log']['witnessing']>,
    anchors: CheckedAnchors,
  ): void {
    if (policy !== anchors.policy?.toString('utf8')) {
      this.checklist.fault(PATH, 'The witness policy differs from log/policy.');
    }
    const proved = anchors.witnessing.find(({ source }) => source === 'bundle');
    const expected = proved && proved.witnesses.length > 0 ? proved.policyMet : undefined;
    if (isMet !== expected) {
      this.checklist.fault(
        PATH,
        'Whether the witness policy is met differs from what the cosignatures show.',
      );
    }
    const text = (list: readonly CheckedWitness[] = []): string =>
      JSON.stringify(list.map(({ name, key, cosignedAt }) => [name, key, cosignedAt]));
    if (text(witnesses) !== text(proved?.witnesses)) {
      this.checklist.fault(PATH, 'The witnesses and their times differ from what the cosignatures show.');
    }
  }

  asset(asset: CheckedAsset): void {
    const entry = this.entry(asset.entryIndex, 'asset.signed', asset.id);
    if (entry === undefined) return;
    const { data } = entry;
    const fields = ['sha256', 'originalSha256', 'claimSha256', 'manifestSha256', 'manifestLabel'] as const;
    for (const field of [...fields, 'mediaType', 'sizeBytes'] as const) {
      this.checklist.equal(PATH, `"${field}" of ${asset.id}`, asset[field], data[field]);
    }
    this.checklist.equal(
      PATH,
      `"certificateSha256" of ${asset.id}`,
      asset.certificateSha256,
      data.certificateSha256,
    );
    this.checklist.equal(
      PATH,
      `The time-stamp of ${asset.id}`,
      sortedJson(asset.timeStamp),
      sortedJson(data.timeStamp),
    );
    const parents = (list: unknown): string => JSON.stringify(parentKeys(list));
    this.checklist.equal(PATH, `The parents of ${asset.id}`, parents(asset.parents), parents(data.parents));
    // The log has the full IPTC address, the dossier its last part.
    const recorded = typeof data.digitalSourceType === 'string' ? data.digitalSourceType : undefined;
    const short = recorded?.slice(recorded.lastIndexOf('/') + 1);
    this.checklist.equal(PATH, `The digital source type of ${asset.id}`, asset.digitalSourceType, short);
  }

  runs(): void {
    for (const run of this.dossier.runs) {
      const { clearance } = run;
      const entry = this.entry(clearance.entryIndex, 'clearance.decided', clearance.id);
      for (const field of ['decision', 'engineVersion', 'termsSha256'] as const) {
        if (entry)
          this.checklist.equal(PATH, `"${field}" of ${clearance.id}`, clearance[field], entry.data[field]);
      }
      // Entries of before it was sealed say it in clear.
      const plain = entry?.data.inputSha256;
      if (plain === undefined) this.opened('input', clearance.inputSha256, 'clearance.decided', clearance.id);
      else this.checklist.equal(PATH, `"inputSha256" of ${clearance.id}`, clearance.inputSha256, plain);
      this.opened('prompt', run.prompt, 'run.accepted', run.id);
    }
  }

  contributions(): void {
    const assets = new Map(this.dossier.chain.map((asset) => [asset.id, asset]));
    for (const item of this.dossier.contributions) {
      const entry = this.entry(item.entryIndex, 'contribution.recorded', item.id);
      for (const field of ['assetId', 'parentAssetId', 'actionType', 'basis', 'capture'] as const) {
        if (entry) this.checklist.equal(PATH, `"${field}" of ${item.id}`, item[field], entry.data[field]);
      }
      this.isHashOf(item.beforeSha256, assets.get(item.parentAssetId), `before ${item.id}`);
      this.isHashOf(item.afterSha256, assets.get(item.assetId), `after ${item.id}`);
      this.opened('statement', item.statement, 'contribution.recorded', item.id);
    }
  }

  private isHashOf(sha256: string, asset: CheckedAsset | undefined, what: string): void {
    if (asset === undefined || (sha256 !== asset.sha256 && sha256 !== asset.originalSha256)) {
      this.checklist.fault(PATH, `The SHA-256 ${what} is not that of a file in the chain.`);
    }
  }

  decisions(): void {
    const { asset, review, release } = this.dossier;
    const recorded = (entry: EntryEnvelope | undefined, what: string): void => {
      if (entry === undefined) return;
      this.checklist.equal(PATH, `The asset of the ${what}`, asset.id, entry.data.assetId);
      this.checklist.equal(PATH, `The SHA-256 of the ${what}`, asset.sha256, entry.data.sha256);
    };
    if (review) {
      const entry = this.entry(review.entryIndex, 'review.decided', undefined);
      recorded(entry, 'review');
      if (entry)
        this.checklist.equal(PATH, 'The decision of the review', review.decision, entry.data.decision);
      this.opened('comment', review.comment, 'review.decided', entry?.subject.id);
    }
    if (release) recorded(this.entry(release.entryIndex, 'asset.released', asset.id), 'release');
  }

  private entry(index: number, type: EntryType, subjectId: string | undefined): EntryEnvelope | undefined {
    const entry = this.proved.entries.get(index);
    if (entry === undefined) {
      this.checklist.fault(PATH, `The dossier rests on entry ${index}, which is not proved by this bundle.`);
      return undefined;
    }
    const fits = entry.type === type && (subjectId === undefined || entry.subject.id === subjectId);
    if (!fits) this.checklist.fault(PATH, `Entry ${index} is not the ${type} that the dossier says it is.`);
    return fits ? entry : undefined;
  }

  /** A sealed text that the dossier shows must be the one that the entry seals. */
  private opened(
    field: string,
    shown: string | undefined,
    type: EntryType,
    subjectId: string | undefined,
  ): void {
    if (shown === undefined || shown === '') return;
    const found = [...this.proved.entries].find(
      ([, entry]) =>
        entry.type === type && entry.subject.id === subjectId && entry.sealed?.[field] !== undefined,
    );
    const value = found && this.proved.opened.get(found[0])?.[field];
    if (value === undefined) {
      const text = `The ${field} that the dossier shows for ${subjectId ?? 'an entry'} was not opened, so it is not proved.`;
      this.checklist.notProved.push(text);
    } else if (value !== shown) {
      this.checklist.fault(
        PATH,
        `The ${field} of ${subjectId ?? 'an entry'} is not the one that the log seals.`,
      );
    }
  }
}

function parentKeys(list: unknown): string[] {
  if (!Array.isArray(list)) return [];
  return (list as { assetId?: unknown; relationship?: unknown }[])
    .map(({ assetId, relationship }) => JSON.stringify([assetId, relationship]))
    .sort();
}

function sortedJson(value: unknown): string {
  return JSON.stringify(Object.entries(value ?? {}).sort(([left], [right]) => (left < right ? -1 : 1)));
}
