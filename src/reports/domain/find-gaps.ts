import {
  type AssetDossier,
  type DossierContribution,
  type DossierGap,
  type DossierLaterObligation,
  type DossierObligations,
  type DossierWitnessing,
} from './dossier.js';
import { missingApprovals, reviewsOf, standingObjections } from './review-of-dossier.js';
import { diligenceGaps } from './diligence-gaps.js';
import { witnessingWords } from './witnessing-words.js';

/** What a reader must know before anything else: open, unknown, and worth noting. Most important first. */
export function findGaps(dossier: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  const gaps = [
    ...modeGaps(dossier),
    ...approvalGaps(dossier),
    ...removalGaps(dossier),
    ...obligationGaps(dossier),
    ...licenseGaps(dossier),
    ...originGaps(dossier),
    ...diligenceGaps(dossier),
    ...timeStampGaps(dossier),
    ...erasureGaps(dossier),
    ...logGaps(dossier),
  ];
  const order = { open: 0, unknown: 1, note: 2 };
  return gaps.sort((a, b) => order[a.severity] - order[b.severity]);
}

function modeGaps({ asset }: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  return asset.mode === 'test'
    ? [{ severity: 'open', text: 'This asset was made with a test key. It is not meant for publication.' }]
    : [];
}

function timeStampGaps({ asset }: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  if (asset.timeStamp?.outcome !== 'missing') return [];
  const text = `The signature in the file carries no time-stamp: ${asset.timeStamp.authority} gave none that could be used when it was signed. Readers may doubt it once the certificate has ended.`;
  return [{ severity: 'note', text }];
}

/** What is not there any more: a report must not read as if it could still be looked at. */
function removalGaps({ chain, asset, contributions }: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  const files = chain.flatMap(({ id, contentRemoved }): DossierGap[] => {
    if (contentRemoved === undefined) return [];
    const text = `The file of ${id} was removed on ${contentRemoved.removedAt.slice(0, 10)} by a retention rule (entry ${contentRemoved.entryIndex}). Its hashes and its record stay.`;
    return [{ severity: id === asset.id ? 'open' : 'note', text }];
  });
  const attachments = contributions.flatMap(({ id, attachments: list = [] }) =>
    list.flatMap(({ id: attachmentId, removed }): DossierGap[] => {
      if (removed === undefined) return [];
      const why = removed.cause === 'erasure' ? 'with the words of its contributor' : 'by a retention rule';
      const text = `The attachment ${attachmentId} of ${id} was removed on ${removed.removedAt.slice(0, 10)} ${why} (entry ${removed.entryIndex}). Its hash stays.`;
      return [{ severity: 'note', text }];
    }),
  );
  return [...files, ...attachments];
}

function approvalGaps(dossier: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  const { release, recall, verification } = dossier;
  const gaps: DossierGap[] = [];
  if (recall) {
    const text = `The release was taken back on ${recall.recalledAt.slice(0, 10)} (${recall.reason.replaceAll('_', ' ')}): the asset must not be used any more.`;
    gaps.push({ severity: 'open', text });
  }
  if (verification.verdict === 'broken' || verification.verdict === 'none') {
    gaps.push({ severity: 'open', text: 'The manifest of the file does not verify.' });
  }
  if (verification.signer.isDevelopment === true) gaps.push({ severity: 'open', text: DEVELOPMENT_SIGNER });
  if (verification.brokenIngredient === true) gaps.push(...ingredientGaps(verification));
  gaps.push(...reviewGaps(dossier));
  if (!release) gaps.push({ severity: 'open', text: 'The asset has not been released for publication.' });
  return gaps;
}

const DEVELOPMENT_SIGNER =
  'The signature in the file is made with a development certificate, which nobody outside this installation trusts and which proves no name.';

const BROKEN_INGREDIENT = 'An ingredient, ';

/** What a reader of the file is told first: a part of it did not hold when it was taken in. */
function ingredientGaps({ sentences }: AssetDossier['verification']): DossierGap[] {
  const told = sentences.filter((sentence) => sentence.startsWith(BROKEN_INGREDIENT));
  const text = `A file from which it was made does not verify: what the manifest of that file says is not to be relied on. ${told.join(' ')}`;
  return [{ severity: 'open', text: text.trim() }];
}

/** One for each objection that stands, and one for each approval that is missing. */
function reviewGaps(dossier: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  if (reviewsOf(dossier).length === 0 && !dossier.release && !dossier.recall)
    return [{ severity: 'open', text: nobodyReviewed(dossier) }];
  const standing = standingObjections(dossier);
  const objections = standing.map(({ decision, reviewer, decidedAt, entryIndex }) => {
    const who = reviewer.displayName ?? reviewer.principalId;
    const when = `on ${decidedAt.slice(0, 10)} (entry ${entryIndex})`;
    return decision === 'reject'
      ? `${who} rejected this asset ${when}.`
      : `${who} asked for changes ${when} and has not approved since.`;
  });
  const needed = dossier.approvalsNeeded ?? 1;
  // After a rejection nobody can approve any more.
  const isFinal = standing.some(({ decision }) => decision === 'reject');
  const missing = isFinal ? 0 : missingApprovals(dossier);
  const approvals = Array.from({ length: missing }, (_, i) =>
    needed === 1
      ? 'Nobody has approved this asset.'
      : `Approval ${needed - missing + i + 1} of ${needed} is missing: two different people have to approve this asset.`,
  );
  return [...objections, ...approvals].map((text) => ({ severity: 'open', text }));
}

function nobodyReviewed({ approvalsNeeded }: Omit<AssetDossier, 'gaps'>): string {
  const two = approvalsNeeded === 2 ? ' Two different people have to approve it.' : '';
  return `No second person has reviewed this asset.${two}`;
}

function obligationGaps({ obligations }: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  if (obligations === undefined) {
    return [
      {
        severity: 'unknown',
        text: 'What must be shown or done for this asset was not worked out when it was signed: it is older than that.',
      },
    ];
  }
  // What reads otherwise today is told below, as it reads today.
  const rewritten = new Set(laterOf(obligations, 'changed').map(({ obligation }) => obligation.key));
  const open = obligations.items.filter(
    ({ state, obligation }) => state === 'open' && !rewritten.has(obligation.key),
  );
  const count = (applies: 'yes' | 'may_apply') =>
    open.filter(({ obligation }) => obligation.applies === applies).length;
  const [owed, perhaps] = [count('yes'), count('may_apply')];
  const gaps: DossierGap[] = [];
  if (obligations.otherCalendarReadOn !== undefined) {
    const text = `Legal duties were worked out by the calendar of ${obligations.calendarReadOn}. This installation has that of ${obligations.otherCalendarReadOn}: what it says otherwise stands under Obligations.`;
    gaps.push({ severity: 'unknown', text });
  }
  gaps.push(...gapsOfToday(obligations));
  if (owed > 0)
    gaps.push({
      severity: 'open',
      text: `Not yet proved: ${owed} of what must be shown or done${otherModels(open)}. See Obligations.`,
    });
  if (perhaps > 0) {
    const text = `Not yet found out: whether ${perhaps} ${perhaps === 1 ? 'obligation applies' : 'obligations apply'}. See Obligations.`;
    gaps.push({ severity: 'unknown', text });
  }
  return gaps;
}

function otherModels(open: DossierObligations['items']): string {
  const number = open.filter(
    ({ obligation, isOfOtherModel }) => obligation.applies === 'yes' && isOfOtherModel === true,
  ).length;
  return number === 0 ? '' : `, ${number} of them for models with which no file of this chain was made`;
}

/** What came after the day of signing, and what reads otherwise since: open until it is proved as it reads now. */
function gapsOfToday(obligations: DossierObligations): DossierGap[] {
  const { today } = obligations;
  if (today === undefined) return [];
  const { asOf } = today;
  const count = (number: number) => `${number} ${number === 1 ? 'obligation' : 'obligations'}`;
  const gap = (severity: DossierGap['severity'], number: number, text: string): DossierGap[] =>
    number === 0 ? [] : [{ severity, text: `${text}: ${count(number)}. See Obligations.` }];
  const [added, changed] = [laterOf(obligations, 'added'), laterOf(obligations, 'changed')];
  const open = (found: typeof added) => found.filter(({ state }) => state === 'open').length;
  return [
    ...gap('open', open(added), `Owed on ${asOf} and not yet on the day of signing, and not proved`),
    ...gap(
      'unknown',
      open(changed),
      `Otherwise on ${asOf} than on the day of signing, and not proved as it reads now`,
    ),
    ...gap(
      'note',
      added.length + changed.length - open(added) - open(changed),
      `Added or changed since the day of signing, and settled by ${asOf}`,
    ),
  ];
}

function laterOf({ later = [] }: DossierObligations, since: DossierLaterObligation['since']) {
  return later.filter((one) => one.since === since);
}

function licenseGaps({ runs, models, obligations }: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  const gaps: DossierGap[] = [];
  for (const { clearance, waivers, id } of runs) {
    if (clearance.decision === 'review') {
      const waived =
        waivers.length > 0
          ? `accepted by waiver until ${acceptedUntil(waivers).slice(0, 10)}`
          : 'not yet accepted by anyone';
      gaps.push({
        severity: waivers.length > 0 ? 'note' : 'open',
        text: `The license check of ${id} left questions open: ${waived}.`,
      });
    }
    for (const obligation of clearance.obligations) {
      if (obligations !== undefined) continue;
      if (obligation.due === 'before-publication' || obligation.due === 'on-publication') {
        gaps.push({ severity: 'note', text: `Owed ${obligation.due.replace('-', ' ')}: ${obligation.text}` });
      }
    }
  }
  for (const model of models) {
    for (const change of model.changedSince)
      gaps.push({ severity: 'note', text: `${model.name}: ${change}` });
    if (model.trainingData.disclosure === 'unknown') {
      gaps.push({
        severity: 'unknown',
        text: `Nothing is known of the training data of ${model.name} (${model.listingId}).`,
      });
    }
    if (model.indemnity.startsWith('Offered: unknown')) {
      gaps.push({
        severity: 'unknown',
        text: `Whether ${model.vendor} indemnifies for ${model.name} is not known.`,
      });
    }
  }
  return gaps;
}

/** Waivers of single findings accept a decision as long as all of them last; one of the whole decision by itself. */
function acceptedUntil(waivers: AssetDossier['runs'][number]['waivers']): string {
  const ends = (isWhole: boolean): string[] =>
    waivers
      .filter(({ finding }) => (finding === undefined) === isWhole)
      .map(({ expiresAt }) => expiresAt)
      .sort();
  return [ends(true).at(-1) ?? '', ends(false)[0] ?? ''].sort().at(-1) ?? '';
}

function originGaps({ chain, contributions }: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  const gaps: DossierGap[] = [];
  for (const asset of chain) {
    const { reserved = [], unreadPlaces = [], saysModel = [] } = asset.fileReading ?? {};
    if (asset.origin === 'upload') {
      const who =
        saysModel.length === 0
          ? 'Who made it is not recorded'
          : `The file says that a generative model made or changed it: ${saysModel.join('; ')}`;
      gaps.push({
        severity: 'unknown',
        text: `${asset.id} was received from outside. ${who}; its rights are as declared by the sender.`,
      });
    }
    if (asset.origin === 'edit' && asset.rights === undefined) {
      gaps.push({
        severity: 'unknown',
        text: `${asset.id} is an edit that a person brought in. With which tools, from what material and on what rights it was made is the word of its contributor.`,
      });
    }
    if (asset.origin === 'edit' && saysModel.length > 0) {
      const text = `${asset.id} was sent as the work of a person, and its file says that a generative model made or changed it: ${saysModel.join('; ')}.`;
      gaps.push({ severity: 'open', text });
    }
    if (reserved.length > 0)
      gaps.push({ severity: 'note', text: `The file of ${asset.id} reserves: ${reserved.join('; ')}.` });
    if (unreadPlaces.length > 0) {
      const text = `What the file of ${asset.id} reserves in ${unreadPlaces.join(', ')} could not be read.`;
      gaps.push({ severity: 'unknown', text });
    }
  }
  if (contributions.length === 0) gaps.push({ severity: 'note', text: 'No human contribution is recorded.' });
  for (const contribution of contributions) {
    if (contribution.capture === 'declared_later') {
      gaps.push({ severity: 'note', text: `${contribution.id} was declared after the fact.` });
    }
    gaps.push(...correctionGaps(contribution));
  }
  return gaps;
}

/** A record that its author took back, or tells otherwise now, is not read as it stands. */
function correctionGaps({ id, actionType, basis, corrections = [] }: DossierContribution): DossierGap[] {
  const plain = (word: string): string => word.replaceAll('_', ' ').toLowerCase();
  return corrections.flatMap((correction): DossierGap[] => {
    const when = `on ${correction.correctedAt.slice(0, 10)} (entry ${correction.entryIndex})`;
    if (correction.kind === 'withdrawn')
      return [
        { severity: 'note', text: `${id} (${plain(actionType)}) was withdrawn ${when}: it is not counted.` },
      ];
    if (correction.kind !== 'amended') return [];
    const now = [correction.actionType, correction.basis].flatMap((word) => word ?? []).map(plain);
    const how = now.length === 0 ? '' : ` to ${now.join(', ')}`;
    const text = `${id} (${plain(actionType)}, ${plain(basis)}) was amended${how} ${when}: it counts as amended, and as declared later.`;
    return [{ severity: 'note', text }];
  });
}

function erasureGaps(dossier: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  const {
    runs,
    contributions,
    recall,
    obligations,
    storyboards = [],
    examinations = [],
    claims = [],
  } = dossier;
  const erased = [
    ...runs.flatMap(({ id, promptErased, waivers }) => [
      ...(promptErased ? [`The prompt of ${id}`] : []),
      ...waivers.filter(({ commentErased }) => commentErased).map((waiver) => `The comment of ${waiver.id}`),
    ]),
    ...contributions
      .filter(({ statement }) => statement === undefined)
      .map(({ id }) => `The statement of ${id}`),
    ...contributions.flatMap(({ id, corrections = [] }) =>
      corrections
        .filter(({ textErased }) => textErased)
        .map((correction) => `The words of ${correction.id}, by which ${id} was ${correction.kind},`),
    ),
    ...reviewsOf(dossier)
      .filter(({ commentErased }) => commentErased)
      .map(({ entryIndex }) => `The comment of the review of entry ${entryIndex}`),
    ...(recall?.textErased ? ['The words of the recall'] : []),
    ...[...(obligations?.items ?? []), ...(obligations?.later ?? [])]
      .flatMap(({ proofs }) => proofs)
      .filter(({ textErased }) => textErased)
      .map(({ id }) => `The words of the proof ${id}`),
    ...[...examinations, ...claims, ...claims.flatMap(({ answers }) => answers)]
      .filter(({ textErased }) => textErased)
      .map(({ id }) => `The words of ${id}`),
    ...storyboards
      .filter(({ rationaleErased }) => rationaleErased)
      .map(({ id, version }) => `The reason of version ${version} of ${id}`),
  ];
  return erased.map((what) => ({
    severity: 'note',
    text: `${what} ${what.startsWith('The words') ? 'were' : 'was'} erased. The log still holds its commitment, which nobody can open any more.`,
  }));
}

function logGaps({ log }: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  return [witnessGap(log.witnessing), timeGap(log)].filter((gap) => gap !== undefined);
}

function witnessGap(witnessing: DossierWitnessing): DossierGap | undefined {
  if (witnessing.isMet === true) return undefined;
  if (witnessing.isMet === undefined) {
    return {
      severity: 'note',
      text: 'No witness is named who could have cosigned the checkpoint: that there is only one history of the log is the word of this installation alone.',
    };
  }
  return {
    severity: 'open',
    text: `The witness policy was not met when this report was made. ${witnessingWords(witnessing)} Make the report again when the witnesses have answered.`,
  };
}

function timeGap({ timeStamps, timeStampsExpected }: AssetDossier['log']): DossierGap | undefined {
  if (timeStamps.length > 0) return undefined;
  return timeStampsExpected
    ? {
        severity: 'open',
        text: 'No time-stamp over this checkpoint had come when this report was made: the times are the clock of this installation. Make the report again later.',
      }
    : {
        severity: 'note',
        text: 'No time-stamp by an outside authority: the times are the clock of this installation.',
      };
}
