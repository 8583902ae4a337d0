import sharp from 'sharp';
import { openCheckpoint } from '../../../audit/core/checkpoint.js';
import { verifierFromVkey } from '../../../audit/core/cosignature.js';
import { type EntryInput } from '../../../audit/core/entry.js';
import { parseNote } from '../../../audit/core/signed-note.js';
import {
  formatWitnessPolicy,
  keyNameOf,
  policyForLog,
  witnessKeyName,
} from '../../../audit/core/witness-policy.js';
import { formatUnixTime, isPolicyMet } from '../../../audit/verify/witness-status.js';
import { ownIdentityLists } from '../../../provenance/adapters/own-identity-lists.js';
import { C2paReader } from '../../../provenance/adapters/c2pa-reader.js';
import { fileSha256 } from '../../../provenance/adapters/media-content.js';
import { DIGITAL_SOURCE_TYPES, type DigitalSourceType } from '../../../provenance/domain/manifest-plan.js';
import { type MediaVerification } from '../../../provenance/domain/media-verifier.port.js';
import {
  action,
  generatedPlan,
  type MediaFile,
  parentOf,
  SigningWorkshop,
} from '../../../provenance/testing/signing-workshop.js';
import { sha256Hex } from '../../../shared/bytes.js';
import { newId, publicId } from '../../../shared/ids.js';
import {
  type AssetDossier,
  type BundleEvidence,
  type DossierAsset,
  type DossierObligations,
  type DossierPicture,
} from '../../domain/dossier.js';
import { renderDossierJson } from '../../adapters/dossier-json.js';
import { type DossierStoryboard } from '../../domain/dossier-human-work.js';
import { BUNDLE_TYPE, DOSSIER_TYPE } from '../../domain/report-kinds.js';
import { type VerifyMedia } from '../bundle-verification.js';
import { type Anchoring, NOBODY } from './anchoring.js';
import { ReportSigning } from './report-signing.js';
import { MemoryLog } from './memory-log.js';
import { exampleRun, MODELS, PROMPT } from './example-decision.js';
import { dossierHead, stepOf, thumbnails, verifiedStamps } from './example-dossier.js';
import { exampleObligations, proveLater, proveOne } from './example-duties.js';
import {
  contributionOf,
  examineAndClaim,
  orderTwice,
  recallIt,
  signedRecord,
  STATEMENT,
} from './example-human-work.js';
import { type Append, AT, JANE, RAVI, type SignedStep } from './example-people.js';

const COMMENT = 'Checked against the brief; handle and spout are right.';

/** For tests: one asset with its whole record, made with a real log, real signatures and real pictures. */
export class EvidenceWorkshop {
  readonly log = new MemoryLog('localhost:8080/logs/org_018f2d1c7a3e7b4c8d5e6f7a8b9c0d1e');
  private readonly signatures = new Map<string, Buffer>();
  private readonly storyboards: DossierStoryboard[] = [];
  readonly clearanceId = publicId('clearance', newId());
  readonly runId = publicId('run', newId());

  private constructor(
    readonly signing: SigningWorkshop,
    readonly reportSigning: ReportSigning,
  ) {}

  static async create(): Promise<EvidenceWorkshop> {
    return new EvidenceWorkshop(await SigningWorkshop.create(), await ReportSigning.create(new Date(AT)));
  }

  close(): Promise<void> {
    return this.signing.close();
  }

  /** What lies beside the evidence: a report that is signed, and something in place of the PDF. */
  async documents(dossier: AssetDossier) {
    return {
      dossierPdf: Buffer.from('%PDF-1.7 stands for the report'),
      dossierJws: await this.signed(renderDossierJson(dossier), DOSSIER_TYPE),
      signIndex: (index: Buffer) => this.signed(index, BUNDLE_TYPE),
    };
  }

  /** ECDSA signs the same bytes differently each time; a bundle with the same documents has the same bytes. */
  private async signed(json: Buffer, type: string): Promise<Buffer> {
    const signer = await this.reportSigning.signer();
    const jws = this.signatures.get(sha256Hex(json)) ?? (await signer.signJson(json, type));
    this.signatures.set(sha256Hex(json), jws);
    return jws;
  }

  /** The verifier of the command line, with a cache: the same bytes are not parsed 200 times. */
  mediaVerifier(): VerifyMedia {
    const known = new Map<string, MediaVerification>();
    return async (file, anchorsPem, lists) => {
      const key = `${await fileSha256(file.path)} ${sha256Hex(anchorsPem)} ${lists.map((list) => list.sha256).join(' ')}`;
      const reader = new C2paReader({ trust: { name: 'the authority in this bundle', anchorsPem }, lists });
      const result = known.get(key) ?? (await reader.verify(file));
      known.set(key, result);
      return result;
    };
  }

  /**
   * Generated, cut out, edited by a person, approved, released.
   * @param fillers so many entries more, of runs that were accepted
   * @param recalled the release was taken back in the end
   */
  async build(
    anchoring: Anchoring = NOBODY,
    fillers = 0,
    recalled = false,
  ): Promise<{ dossier: AssetDossier; evidence: BundleEvidence; pictures: DossierPicture[] }> {
    const before = this.appendClearance();
    const generated = await this.step(
      await this.picture('#b98a5e', false),
      'generate',
      [],
      'trainedAlgorithmicMedia',
    );
    const cutOut = await this.step(
      await this.picture('#d9c7ae', false),
      'cut-out',
      [generated],
      'algorithmicallyEnhanced',
    );
    const owed = exampleObligations();
    const picture = await this.picture('#d9c7ae', true);
    const edited = await this.step(picture, undefined, [cutOut], 'humanEdits', owed);
    const contributionId = publicId('contribution', newId());
    const act = {
      parentAssetId: cutOut.asset.id,
      actionType: 'MANUAL_PAINT',
      basis: 'expressive_input',
      capture: 'declared_at_time',
    };
    const signed = await signedRecord(this.append, {
      ...{ ...act, beforeSha256: cutOut.asset.sha256, afterSha256: edited.asset.sha256 },
      ...{ statement: STATEMENT, contributorId: JANE.principalId },
    });
    const said = { engagement: 'employee', assignment: 'work_made_for_hire' };
    const contribution = this.append(
      'contribution.recorded',
      { kind: 'contribution', id: contributionId },
      {
        ...{ assetId: edited.asset.id, ...act, ...said, contributorId: JANE.principalId },
        signatureKeyId: signed.signatureKey.id,
      },
      { statement: STATEMENT, record: signed.record, signature: signed.signature },
    );
    const corrected = {
      ...{ kind: 'amended' as const, id: publicId('correction', newId()) },
      ...{ basis: 'modification', text: 'I painted over it.' },
    };
    const correction = this.append(
      'contribution.corrected',
      { kind: 'contribution', id: contributionId },
      {
        ...{ contributionId, correctionId: corrected.id, ordinal: 1 },
        ...{ kind: corrected.kind, basis: corrected.basis },
      },
      { text: corrected.text },
    );
    const later = {
      ...{ ...corrected, actionType: undefined, signature: undefined, signatureKey: undefined },
      ...{ correctedBy: JANE, correctedAt: AT, entryIndex: correction },
    };
    const decided = { assetId: edited.asset.id, sha256: edited.asset.sha256 };
    const review = this.append(
      'review.decided',
      { kind: 'review', id: publicId('review', newId()) },
      { ...decided, decision: 'approve' },
      { comment: COMMENT },
    );
    const attached = await this.attach(contributionId);
    // Its bundle holds the whole log, so its dossier shows every order that was recorded there before, too.
    this.storyboards.push(...orderTwice(this.append, [generated.asset.id, cutOut.asset.id, edited.asset.id]));
    const storyboards = [...this.storyboards];
    const obligations = proveLater(this.append, proveOne(this.append, owed, edited), edited);
    const diligence = examineAndClaim(this.append, edited.asset);
    const release = this.append('asset.released', { kind: 'asset', id: edited.asset.id }, decided);
    const steps = [generated, cutOut, edited];
    const { type, subject, data } = await this.reportSigning.activation();
    this.append(type, subject, data);
    const recall = recalled ? recallIt(this.append, edited.asset) : undefined;
    for (let i = 0; i < fillers; i++) this.appendRun(publicId('run', newId()));
    const checkpoint = await this.log.checkpoint(anchoring.cosigners);
    const text = Buffer.from(parseNote(checkpoint).text, 'utf8');
    const timeStamps = await anchoring.stamp(text);
    const dossier: AssetDossier = {
      ...dossierHead(edited.asset),
      chain: steps.map(({ asset }) => asset),
      runs: [exampleRun(this.runId, this.clearanceId, before.clearance)],
      models: MODELS,
      obligations,
      ...diligence,
      contributions: [
        {
          ...contributionOf(contributionId, contribution, cutOut.asset, edited.asset),
          ...{ ...said, ...signed, corrections: [later], attachments: [attached.shown] },
        },
      ],
      storyboards,
      review: { decision: 'approve', reviewer: RAVI, comment: COMMENT, decidedAt: AT, entryIndex: review },
      release: { releasedAt: AT, releasedBy: RAVI, entryIndex: release },
      recall,
      log: await this.dossierLog(checkpoint, anchoring, timeStamps),
    };
    const evidence: BundleEvidence = {
      ...(await this.evidence(steps, checkpoint)),
      attachments: [attached.file],
      timeStamps,
      timeStampRootsPem: anchoring.rootsPem,
    };
    return { dossier, evidence, pictures: await thumbnails(steps) };
  }

  /** A sketch of Jane's, as a file and as the log knows it. */
  private async attach(contributionId: string) {
    const bytes = Buffer.from('a sketch of a handle');
    const said = { kind: 'sketch', sha256: sha256Hex(bytes), sizeBytes: bytes.length };
    const id = publicId('attachment', newId());
    const subject = { kind: 'contribution', id: contributionId } as const;
    const entryIndex = this.append('contribution.attached', subject, {
      ...{ contributionId, attachmentId: id },
      ...said,
    });
    const path = await this.signing.write(bytes);
    return { shown: { id, ...said, entryIndex }, file: { attachmentId: id, sha256: said.sha256, path } };
  }

  private async dossierLog(
    checkpoint: Buffer,
    { policy, rootsPem }: Anchoring,
    tokens: BundleEvidence['timeStamps'],
  ): Promise<AssetDossier['log']> {
    const trust = { origin: this.log.origin, log: verifierFromVkey(this.log.vkey), policy };
    const opened = openCheckpoint(checkpoint, trust);
    return {
      witnessing: {
        policy: formatWitnessPolicy(policyForLog(policy, this.log.vkey)),
        isMet: policy.witnesses.length === 0 ? undefined : isPolicyMet(opened, policy),
        witnesses: policy.witnesses.map((witness) => {
          const key = witnessKeyName(witness);
          const found = opened.cosignatures.find((one) => keyNameOf(one) === key);
          return { name: witness.name, key, cosignedAt: found && formatUnixTime(found.timestampSeconds) };
        }),
      },
      timeStamps: await verifiedStamps(tokens, Buffer.from(opened.text), rootsPem),
      timeStampsExpected: rootsPem !== undefined,
      origin: this.log.origin,
      vkey: this.log.vkey,
      treeSize: this.log.entries.length,
      rootHash: Buffer.from(this.log.root()).toString('base64'),
      checkpointNote: checkpoint.toString('utf8'),
      entries: this.log.entries.map(({ input }, index) => ({
        index,
        type: input.type,
        recordedAt: input.at,
        subject: input.subject.id,
      })),
    };
  }

  private appendClearance(): { clearance: number } {
    this.append(
      'organization.created',
      { kind: 'organization', id: 'org_1' },
      {
        origin: this.log.origin,
        vkey: 'key',
      },
    );
    const clearance = this.append(
      'clearance.decided',
      { kind: 'clearance', id: this.clearanceId },
      {
        decision: 'allow',
        engineVersion: '1.0.0',
        termsSha256: sha256Hex('terms'),
        findings: [{ ruleId: 'indemnity', severity: 'note', listingId: 'flux-1-dev@fal' }],
      },
      { input: sha256Hex('input') },
    );
    this.appendRun(this.runId, { prompt: PROMPT });
    return { clearance };
  }

  private appendRun(id: string, sealed: Readonly<Record<string, string>> = {}): void {
    this.append(
      'run.accepted',
      { kind: 'run', id },
      {
        pipeline: 'product-shot',
        pipelineVersion: 1,
        mode: 'live',
        projectId: 'prj_1',
        useCase: 'hero-image',
        clearanceId: this.clearanceId,
        steps: [{ stepRunId: 'stp_1', key: 'generate', provider: 'fal', listingId: 'flux-1-dev@fal' }],
        reservedMicroUsd: '50000',
      },
      sealed,
    );
  }

  private async step(
    source: MediaFile,
    stepKey: string | undefined,
    parents: readonly SignedStep[],
    type: DigitalSourceType | undefined,
    owed?: DossierObligations,
  ): Promise<SignedStep> {
    const id = publicId('asset', newId());
    const first = parents.length === 0;
    const title = stepKey === undefined ? 'Teapot, final' : `Teapot, ${stepKey}`;
    const plan = generatedPlan({
      title,
      actions: [first ? action('c2pa.created', type) : action('c2pa.edited', type)],
      ingredients: parents.map(({ file, asset }) => parentOf(file, asset.title)),
      // What a person made is signed by a name, too.
      identities: stepKey === undefined ? [await this.signing.identity(['cawg.creator'])] : [],
    });
    const kind = stepKey === undefined ? 'received_with_declaration' : 'captured_from_provider';
    const { signed, ...file } = await this.signing.sign(source, plan, kind);
    const recorded = {
      originalSha256: await fileSha256(source.path),
      sha256: signed.sha256,
      sizeBytes: signed.sizeBytes,
      mediaType: source.mediaType,
      claimSha256: signed.claimSha256,
      manifestSha256: signed.manifestSha256,
      manifestLabel: signed.manifestLabel,
      parents: parents.map(({ asset }) => ({ assetId: asset.id, relationship: 'parentOf' as const })),
    };
    const index = this.append(
      'asset.signed',
      { kind: 'asset', id },
      {
        ...recorded,
        ...(type && { digitalSourceType: DIGITAL_SOURCE_TYPES[type] }),
        ...(owed && {
          obligations: {
            count: owed.items.length,
            sha256: owed.sha256,
            calendarSha256: owed.calendarSha256,
          },
        }),
      },
    );
    const asset: DossierAsset = {
      ...recorded,
      id,
      title,
      origin: stepKey === undefined ? 'edit' : 'step',
      mode: 'live',
      kind: 'image',
      width: 480,
      height: 360,
      durationMs: undefined,
      manifestPlacement: 'embedded',
      digitalSourceType: type,
      createdAt: AT,
      createdBy: JANE,
      entryIndex: index,
      step: stepKey === undefined ? undefined : stepOf(this.runId, stepKey, first),
      rights: stepKey === undefined ? { basis: 'work_for_hire', reference: 'Contract 2026-114' } : undefined,
    };
    return { file, asset, index };
  }

  private readonly append: Append = (type, subject, data, values = {}) => {
    const actor = { kind: 'user', id: JANE.principalId } as const;
    return this.log.append({ type, at: AT, actor, subject, data } as EntryInput, values);
  };

  private async evidence(
    steps: readonly SignedStep[],
    checkpoint: Buffer,
  ): Promise<Omit<BundleEvidence, 'attachments' | 'timeStamps' | 'timeStampRootsPem'>> {
    const entries = await Promise.all(
      this.log.entries.map(async ({ bytes }, index) => ({
        index,
        bytes,
        proof: await this.log.proof(index, checkpoint),
      })),
    );
    const openings = this.log.openings.map(({ index, field, opening }) => ({
      index,
      field,
      salt: Buffer.from(opening.salt).toString('base64url'),
      value: opening.value,
    }));
    const assets = steps.map(({ file, asset }) => ({
      assetId: asset.id,
      sha256: asset.sha256,
      path: file.path,
      fileName: `${asset.title}.png`,
      sidecar: undefined,
    }));
    return {
      entries,
      openings,
      assets,
      trustAnchorsPem: this.signing.keystore.caCertificatePem,
      reportAnchorsPem: this.reportSigning.anchorsPem,
      identityLists: ownIdentityLists(this.signing.anchors.identities),
    };
  }

  private async picture(background: string, painted: boolean): Promise<MediaFile> {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="480" height="360">
      <rect width="480" height="360" fill="${background}"/><rect y="260" width="480" height="100" fill="#f1e9dc"/>
      <ellipse cx="230" cy="215" rx="105" ry="85" fill="#7d4a2d"/><ellipse cx="230" cy="130" rx="46" ry="14" fill="#5e3620"/>
      <path d="M128 200 L70 150 L82 142 L140 180 Z" fill="#7d4a2d"/>
      <path d="M325 170 C400 150 410 250 322 255" fill="none" stroke="${painted ? '#2f6b4f' : '#7d4a2d'}" stroke-width="16"/></svg>`;
    const path = await this.signing.write(await sharp(Buffer.from(svg)).png().toBuffer());
    return { path, mediaType: 'image/png' };
  }
}
