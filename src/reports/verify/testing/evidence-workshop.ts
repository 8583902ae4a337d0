import { exportJWK, FlattenedSign, generateKeyPair } from 'jose';
import sharp from 'sharp';
import { openCheckpoint } from '../../../audit/core/checkpoint.js';
import { verifierFromVkey } from '../../../audit/core/cosignature.js';
import { MATTER_KINDS } from '../../../audit/core/diligence-words.js';
import { type EntryInput } from '../../../audit/core/entry.js';
import { parseNote } from '../../../audit/core/signed-note.js';
import {
  formatWitnessPolicy,
  keyNameOf,
  policyForLog,
  witnessKeyName,
} from '../../../audit/core/witness-policy.js';
import { verifyTimeStampToken } from '../../../audit/verify/time-stamp-token.js';
import { formatUnixTime, isPolicyMet } from '../../../audit/verify/witness-status.js';
import {
  type AssetObligation,
  obligationsOfAsset,
  obligationsSha256,
} from '../../../licenses/domain/asset-obligation.js';
import { readingId } from '../../../licenses/domain/obligation-reading.js';
import { runFactsSchema } from '../../../licenses/domain/run-facts.js';
import { dutyQuestion } from '../../../licenses/domain/work-facts.js';
import { markingDuties } from '../../../licenses/registry/marking-duties.js';
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
import { canonicalJson, type JsonValue } from '../../../shared/canonical-json.js';
import { newId, publicId } from '../../../shared/ids.js';
import {
  type AssetDossier,
  type BundleEvidence,
  type DossierAsset,
  type DossierObligation,
  type DossierObligations,
  type DossierPicture,
} from '../../domain/dossier.js';
import { renderDossierJson } from '../../adapters/dossier-json.js';
import { type DossierRecall, type DossierStoryboard } from '../../domain/dossier-human-work.js';
import { DOSSIER_TYPE } from '../../domain/report-kinds.js';
import { type VerifyMedia } from '../bundle-verification.js';
import { type Anchoring, NOBODY } from './anchoring.js';
import { ReportSigning } from './report-signing.js';
import { MemoryLog } from './memory-log.js';

const AT = '2026-11-22T10:00:00.000Z';
const PROMPT = 'A clay teapot on a linen cloth, morning light from the left, no people, no text';
const STATEMENT = 'Repainted the handle by hand, because the generated one did not join the body.';
const COMMENT = 'Checked against the brief; handle and spout are right.';
const PROOF = 'The words "Made with AI" stand in the lower left corner of the poster; see the screenshot.';
const EXAMINED = 'The mark on the cup is that of the client, under their license; nothing else was seen.';
const CLAIMED = 'The mark on the cup is ours.';
const ANSWERED = 'It is under license 2026-77, which was sent to them.';
const PROOF_URL = 'https://example.com/poster';
const JANE = { principalId: publicId('principal', newId()), displayName: 'Jane Doe' };
const RAVI = { principalId: publicId('principal', newId()), displayName: 'Ravi Iyer' };

interface SignedStep {
  readonly file: MediaFile;
  readonly asset: DossierAsset;
  readonly index: number;
}

/** For tests: one asset with its whole record, made with a real log, real signatures and real pictures. */
export class EvidenceWorkshop {
  readonly log = new MemoryLog('localhost:8080/logs/org_018f2d1c7a3e7b4c8d5e6f7a8b9c0d1e');
  private readonly signed = new Map<string, Buffer>();
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
  async documents(dossier: AssetDossier): Promise<{ dossierPdf: Buffer; dossierJws: Buffer }> {
    const json = renderDossierJson(dossier);
    const signer = await this.reportSigning.signer();
    // ECDSA signs the same bytes differently each time; a bundle with the same documents has the same bytes.
    const dossierJws = this.signed.get(sha256Hex(json)) ?? (await signer.signJson(json, DOSSIER_TYPE));
    this.signed.set(sha256Hex(json), dossierJws);
    return {
      dossierPdf: Buffer.from('%PDF-1.7 stands for the report'),
      dossierJws,
    };
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
    const signed = await this.signedRecord({
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
    this.storyboards.push(...this.order([generated.asset.id, cutOut.asset.id, edited.asset.id]));
    const storyboards = [...this.storyboards];
    const obligations = this.proveLater(this.proveOne(owed, edited), edited);
    const diligence = this.examineAndClaim(edited.asset);
    const release = this.append('asset.released', { kind: 'asset', id: edited.asset.id }, decided);
    const steps = [generated, cutOut, edited];
    const recall = recalled ? this.recall(edited.asset) : undefined;
    for (let i = 0; i < fillers; i++) this.appendRun(publicId('run', newId()));
    const checkpoint = await this.log.checkpoint(anchoring.cosigners);
    const text = Buffer.from(parseNote(checkpoint).text, 'utf8');
    const timeStamps = await anchoring.stamp(text);
    const dossier: AssetDossier = {
      ...dossierHead(edited.asset),
      chain: steps.map(({ asset }) => asset),
      runs: [this.run(before.clearance)],
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

  /** Two orders of the same files, the second one turned around. */
  private order(assetIds: readonly string[]): DossierStoryboard[] {
    const id = publicId('storyboard', newId());
    return [assetIds, assetIds.toReversed()].map((order, i) => {
      const words = { rationale: `Order ${i + 1}: the handle comes where the eye rests.` };
      const data = { storyboardId: id, version: i + 1, projectId: 'prj_1', assetIds: [...order] };
      const entryIndex = this.append('storyboard.ordered', { kind: 'storyboard', id }, data, words);
      return { id, version: i + 1, assetIds: order, orderedBy: JANE, orderedAt: AT, ...words, entryIndex };
    });
  }

  private recall({ id: assetId, sha256 }: DossierAsset): DossierRecall {
    const words = { text: 'A claim of a third party has come in.' };
    const data = { assetId, sha256, reason: 'rights_claim' };
    const entryIndex = this.append('asset.recalled', { kind: 'asset', id: assetId }, data, words);
    return { reason: data.reason, recalledBy: RAVI, recalledAt: AT, ...words, entryIndex };
  }

  /** A key of Jane's in the log, and a record that she signed with it. */
  private async signedRecord(record: Record<string, string>): Promise<{
    record: string;
    signature: string;
    signatureKey: { id: string; algorithm: string; thumbprint: string; entryIndex: number };
  }> {
    const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    const { kty = '', crv = '', x = '' } = await exportJWK(publicKey);
    const id = publicId('signatureKey', newId());
    const key = { algorithm: 'EdDSA' as const, thumbprint: sha256Hex(x) };
    const entryIndex = this.append(
      'signature_key.registered',
      { kind: 'signature_key', id },
      { keyId: id, principalId: JANE.principalId, ...key, jwk: { kty, crv, x } },
    );
    const text = canonicalJson(record).toString('utf8');
    const jws = await new FlattenedSign(Buffer.from(text))
      .setProtectedHeader({ alg: 'EdDSA' })
      .sign(privateKey);
    const signature = `${jws.protected ?? ''}..${jws.signature}`;
    return { record: text, signature, signatureKey: { id, ...key, entryIndex } };
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
        inputSha256: sha256Hex('input'),
        findings: [{ ruleId: 'indemnity', severity: 'note', listingId: 'flux-1-dev@fal' }],
      },
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

  private run(entryIndex: number): AssetDossier['runs'][number] {
    return {
      id: this.runId,
      pipeline: 'product-shot',
      pipelineVersion: 1,
      mode: 'live',
      state: 'SUCCEEDED',
      createdAt: AT,
      prompt: PROMPT,
      clearance: {
        id: this.clearanceId,
        decision: 'allow',
        engineVersion: '1.0.0',
        termsSha256: sha256Hex('terms'),
        inputSha256: sha256Hex('input'),
        facts: FACTS,
        findings: FINDINGS,
        obligations: OBLIGATIONS,
        entryIndex,
      },
      waivers: [],
    };
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

  /** A duty that came after the signing, and was met; and one of the list that reads otherwise by now. */
  private proveLater(owed: DossierObligations, { asset }: SignedStep): DossierObligations {
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
    const entryIndex = this.append(
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
  private proveOne(owed: DossierObligations, { asset }: SignedStep): DossierObligations {
    const items = owed.items.map((item): DossierObligation => {
      if (item.obligation.key !== 'law:eu-ai-act-50-4-deep-fake') return item;
      const id = publicId('obligationProof', newId());
      const evidenceSha256 = sha256Hex('screenshot');
      const entryIndex = this.append(
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

  /** Somebody looked for matter of others, and somebody outside claims something, which was answered. */
  private examineAndClaim({
    id: assetId,
    sha256,
  }: DossierAsset): Pick<AssetDossier, 'examinations' | 'claims'> {
    const subject = { kind: 'asset', id: assetId } as const;
    const examined = {
      ...{ assetId, question: 'third_party_matter' as const, result: 'found' as const },
      examinedOn: '2026-11-20',
      matter: MATTER_KINDS.map((kind) =>
        kind === 'trademarks'
          ? { kind, found: 'shown' as const, basis: 'licensed' as const }
          : { kind, found: 'none_seen' as const },
      ),
    };
    const examinationId = publicId('examination', newId());
    const words = { text: EXAMINED, document: 'License 2026-77' };
    const examination = this.append('asset.examined', subject, { examinationId, sha256, ...examined }, words);
    const claimed = { assetId, kind: 'trademark' as const, receivedOn: '2026-11-21' };
    const claimId = publicId('claim', newId());
    const claim = this.append(
      'claim.received',
      subject,
      { claimId, sha256, ...claimed },
      { claimant: 'Brand Holder AB', text: CLAIMED },
    );
    const answerId = publicId('claimAnswer', newId());
    const outcome = 'rejected' as const;
    const answered = this.append(
      'claim.answered',
      subject,
      { claimId, assetId, sha256, answerId, outcome },
      { text: ANSWERED },
    );
    return {
      examinations: [{ id: examinationId, ...examined, examinedBy: RAVI, ...words, entryIndex: examination }],
      claims: [
        {
          ...{ id: claimId, ...claimed, recordedBy: RAVI, claimant: 'Brand Holder AB', text: CLAIMED },
          ...{ entryIndex: claim, state: 'closed' },
          answers: [
            { id: answerId, outcome, answeredBy: RAVI, answeredAt: AT, text: ANSWERED, entryIndex: answered },
          ],
        },
      ],
    };
  }

  private append<T extends EntryInput['type']>(
    type: T,
    subject: EntryInput['subject'],
    data: Extract<EntryInput, { type: T }>['data'],
    values: Readonly<Record<string, string>> = {},
  ): number {
    const actor = { kind: 'user', id: JANE.principalId } as const;
    return this.log.append({ type, at: AT, actor, subject, data } as EntryInput, values);
  }

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

async function verifiedStamps(
  tokens: BundleEvidence['timeStamps'],
  message: Buffer,
  rootsPem: string | undefined,
): Promise<AssetDossier['log']['timeStamps']> {
  if (rootsPem === undefined) return [];
  const stamps: AssetDossier['log']['timeStamps'][number][] = [];
  for (const { token } of tokens) {
    const result = await verifyTimeStampToken({ token, message, trust: { rootsPem } });
    if (!result.valid) continue;
    const { authority, genTime } = result.stamp;
    stamps.push({ authority, at: genTime.toISOString(), tokenSha256: sha256Hex(token) });
  }
  return stamps;
}

function contributionOf(
  id: string,
  entryIndex: number,
  before: DossierAsset,
  after: DossierAsset,
): AssetDossier['contributions'][number] {
  return {
    id,
    assetId: after.id,
    parentAssetId: before.id,
    contributor: JANE,
    actionType: 'MANUAL_PAINT',
    basis: 'expressive_input',
    capture: 'declared_at_time',
    tool: 'Krita 5.2.3',
    statement: STATEMENT,
    changedRegion: { left: 330, top: 120, width: 110, height: 170, changedShare: 0.06 },
    beforeSha256: before.sha256,
    afterSha256: after.sha256,
    createdAt: AT,
    entryIndex,
  };
}

async function thumbnails(steps: readonly SignedStep[]): Promise<DossierPicture[]> {
  return Promise.all(
    steps.map(async ({ file, asset }) => {
      const { data, info } = await sharp(file.path).resize(320).jpeg().toBuffer({ resolveWithObject: true });
      return {
        assetId: asset.id,
        bytes: data,
        mediaType: 'image/jpeg',
        width: info.width,
        height: info.height,
      };
    }),
  );
}

function stepOf(runId: string, stepKey: string, generated: boolean): DossierAsset['step'] {
  return {
    runId,
    stepKey,
    operation: generated ? 'generate_image' : 'remove_background',
    provider: generated ? 'fal' : 'studio',
    listingId: generated ? 'flux-1-dev@fal' : 'studio@studio',
    costMicroUsd: generated ? '25000' : '0',
    costBasis: generated ? 'provider_reported' : 'price_book',
    claims: generated ? { seed: 42, safetyCheck: true, model: 'fal-ai/flux/dev' } : {},
  };
}

function dossierHead(
  asset: DossierAsset,
): Pick<
  AssetDossier,
  | 'v'
  | 'reportId'
  | 'createdAt'
  | 'createdBy'
  | 'product'
  | 'organization'
  | 'project'
  | 'useCase'
  | 'asset'
  | 'verification'
  | 'gaps'
> {
  return {
    v: 1,
    reportId: publicId('report', newId()),
    createdAt: AT,
    createdBy: RAVI,
    product: { name: 'Colophon', version: '0.1.0' },
    organization: { id: publicId('organization', newId()), name: 'Lindholm & Partners' },
    project: { id: publicId('project', newId()), name: 'Spring campaign 2027' },
    useCase: 'hero-image',
    asset,
    verification: {
      verdict: 'intact_and_trusted',
      trustedBy: 'this installation',
      signer: { commonName: 'Colophon Claim Signer', issuer: 'Development, not trusted' },
      sentences: [
        'The file is intact: nothing was changed after it was signed.',
        'It was signed by "Colophon Claim Signer", trusted by this installation.',
        'The manifest says that the file, or something it was made from, was generated by a trained model (generative AI).',
        'Its history holds 3 signed manifests.',
      ],
      manifestCount: 3,
    },
    gaps: [
      {
        severity: 'open',
        text: 'The signing certificate comes from a development authority, which nobody outside trusts.',
      },
      {
        severity: 'unknown',
        text: 'What FLUX.1 [dev] was trained on is not disclosed, so nobody can say whether rights of others were respected.',
      },
      { severity: 'unknown', text: 'No search for similar earlier works is recorded.' },
      {
        severity: 'note',
        text: 'No time-stamp by an outside authority: the times are the clock of this installation.',
      },
    ],
  };
}

const FACTS = runFactsSchema.parse({
  purpose: 'commercial',
  audienceCountries: ['DE', 'FR', 'US', 'KR'],
  organizationRevenueUsd: 48_000_000,
  organizationRevenueWithAffiliatesUsd: 48_000_000,
  campaignStart: '2027-03-01',
  campaignEnd: '2027-06-30',
  humanReviewPlanned: 'yes',
  labelPlanned: 'yes',
  editsPlanned: 'yes',
});

const TERM = {
  id: 'flux-dev-outputs',
  kind: 'output-label',
  paraphrase: 'Outputs shown to the public are labeled as generated where the law asks for it.',
  clause: '4(e)',
  verified: 'primary',
  source: { title: 'FLUX.1 [dev] License', url: 'https://example.com/license', dateRead: '2026-11-20' },
} as unknown as NonNullable<AssetDossier['runs'][number]['clearance']['findings'][number]['term']>;

const FINDINGS: AssetDossier['runs'][number]['clearance']['findings'] = [
  {
    ruleId: 'indemnity',
    severity: 'note',
    listingId: 'flux-1-dev@fal',
    stepKeys: ['generate'],
    via: [],
    term: TERM,
    fact: { name: 'editsPlanned', value: 'yes' },
    message: 'The vendor gives no indemnity for outputs of this listing.',
    howToFix: 'Choose a listing whose vendor indemnifies, or accept the risk in writing.',
    alternatives: ['adobe-firefly@adobe', 'bria-3.2@bria'],
  },
];

const OBLIGATIONS: AssetDossier['runs'][number]['clearance']['obligations'] = [
  {
    kind: 'label-output',
    listingId: 'flux-1-dev@fal',
    text: 'Label the picture as generated with AI where it is shown in the EU.',
    due: 'on-publication',
    term: TERM,
  },
];

/** What is owed for a generated picture that a person edited. */
const LATER_DUTY = 'A duty that the calendar gained after the picture was signed.';
const REWORDED_DUTY = 'A duty of the list, in the words of a later calendar.';
const LATER_PROOF = 'The declaration of the platform was filled in, too.';

function exampleObligations(): DossierObligations {
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

const MODELS: AssetDossier['models'] = [
  {
    listingId: 'flux-1-dev@fal',
    listingSha256: sha256Hex('listing of flux'),
    decidedBy: ['clr_1'],
    changedSince: [
      'Recorded otherwise since the decision: license. The license was current and is superseded.',
    ],
    name: 'FLUX.1 [dev]',
    vendor: 'Black Forest Labs',
    channel: 'fal',
    license: {
      name: 'FLUX.1 [dev] Non-Commercial License v1.1.1',
      reference: 'LicenseRef-FLUX-1-dev-NC-1.1.1',
      url: 'https://huggingface.co/black-forest-labs/FLUX.1-dev/blob/main/LICENSE.md',
      textSha256: sha256Hex('license'),
      dateRead: '2026-11-20',
    },
    trainingData: {
      disclosure: 'none',
      summary: 'The vendor says nothing about the sources of its training data.',
    },
    indemnity: 'none: the license excludes every warranty and indemnity',
    access: 'open-weights',
    stepKeys: ['generate'],
  },
  {
    listingId: 'studio@studio',
    listingSha256: sha256Hex('listing of the studio'),
    decidedBy: ['clr_1'],
    changedSince: [],
    name: 'Studio',
    vendor: 'this installation',
    channel: 'studio',
    license: {
      name: 'Apache License 2.0',
      reference: 'Apache-2.0',
      url: undefined,
      textSha256: undefined,
      dateRead: '2026-11-22',
    },
    trainingData: { disclosure: 'not applicable', summary: 'Deterministic image work; nothing was trained.' },
    indemnity: 'not applicable',
    access: 'code',
    stepKeys: ['cut-out'],
  },
];
