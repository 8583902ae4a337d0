import { type ReviewStanding } from '../../contributions/domain/review/review-standing.js';
import { type AssetDossier, type DossierAsset, type DossierPerson } from './dossier.js';
import { filesOfPeople, filesOfPeopleWords, isGenerated, toolWords } from './files-of-people.js';
import { type GradedWork, gradedWork, gradeWords } from './graded-work.js';
import { asReadToday } from './obligations-as-read-today.js';
import { reviewsOf, standingOf } from './review-of-dossier.js';
import { claimsReceived, exclusivity, similarWorks, thirdPartyMatter } from './diligence-questions.js';
import {
  adaptations,
  deepFakes,
  people,
  promptNames,
  registration,
  sentToVendors,
  used,
} from './use-questions.js';
import { counted } from '../../shared/counted.js';

/** A question that counsel asks about an asset, the answer of the record, and where in the log it stands. */
export interface CounselAnswer {
  readonly question: string;
  readonly answer: string;
  /** Entries of the log that the answer rests on. */
  readonly entryIndices: readonly number[];
  /** False where the record holds no answer: silence is not a yes (promise P10). */
  readonly answered: boolean;
}

/** What counsel asks, in the order of asking, answered from the record alone. Pure. */
export function counselAnswers(dossier: AssetDossier): CounselAnswer[] {
  return [
    ownership,
    humanWork,
    aiParts,
    licenseDecision,
    training,
    adaptations,
    inputs,
    people,
    deepFakes,
    thirdPartyMatter,
    promptNames,
    similarWorks,
    indemnity,
    exceptions,
    approvals,
    marks,
    registration,
    sentToVendors,
    exclusivity,
    used,
    claimsReceived,
  ].map((answer) => answer(dossier));
}

function ownership({ contributions, chain }: AssetDossier): CounselAnswer {
  const declared = chain.filter(({ rights }) => rights !== undefined);
  const undeclared = filesOfPeople(chain).filter(({ rights }) => rights === undefined);
  const makers = [...new Set(chain.map(({ createdBy }) => nameOf(createdBy)))];
  const answer =
    declared.length === 0
      ? `The record names who acted (${makers.join(', ')}), but no document on ownership. Ask for the employment or assignment contracts of the contributors and the terms of the vendors.`
      : `Rights were declared for ${declared.length} of ${counted(chain.length, 'file')} in the chain; see "How it was made". The record names who acted: ${makers.join(', ')}. Declarations are the word of those who made them.`;
  const open =
    declared.length === 0 || undeclared.length === 0
      ? ''
      : ` For ${filesOfPeopleWords(undeclared)} no rights were declared: ask for the contracts of the contributors.`;
  const entryIndices = [...declared, ...contributions].map(({ entryIndex }) => entryIndex);
  return {
    question: 'Who owns this, by what document?',
    answer: answer + open,
    entryIndices,
    answered: declared.length > 0 && undeclared.length === 0,
  };
}

function humanWork(dossier: AssetDossier): CounselAnswer {
  const question = 'Who are the human authors, and what did each add?';
  const works = gradedWork(dossier);
  const entryIndices = works.flatMap(({ contribution: { entryIndex, corrections = [] } }) => [
    entryIndex,
    ...corrections.map((correction) => correction.entryIndex),
  ]);
  if (works.length === 0) {
    const answer =
      'No human contribution to the file was recorded. Prompts alone do not make a person the author of what a model returns.';
    return { question, answer, entryIndices, answered: false };
  }
  const acts = works.map(workWords);
  const counted = [...new Set(acts)].map((act) => {
    const times = acts.filter((other) => other === act).length;
    return times === 1 ? act : `${act}, ${times} times`;
  });
  return {
    question,
    answer: `${counted.join('; ')}. Prompts alone are not counted.`,
    entryIndices,
    answered:
      works.some(({ grade }) => grade === 'claimed') &&
      works.every(({ grade }) => grade === 'claimed' || grade === 'not_claimed'),
  };
}

/** As it is to be read today; what was declared first is told where it was something else. */
function workWords(work: GradedWork): string {
  const { contributor, capture, signatureKey, actionType, basis } = work.contribution;
  const first = `${words(actionType)}, ${words(basis)}`;
  const now = `${words(work.actionType)}, ${words(work.basis)}`;
  const marks = [
    words(work.basis),
    ...(capture === 'declared_later' ? ['declared later'] : []),
    ...(signatureKey ? ['signed'] : []),
    ...(work.isAmended ? [first === now ? 'amended' : `amended: at first it was ${first}`] : []),
    ...(work.isWithdrawn ? ['withdrawn'] : []),
    gradeWords(work),
  ];
  return `${nameOf(contributor)}: ${words(work.actionType)} (${marks.join('; ')})`;
}

/** Channels of this program's own tools, which run no trained model. */
const UNTRAINED_CHANNELS: readonly string[] = ['studio', 'sandbox'];

function aiParts(dossier: AssetDossier): CounselAnswer {
  const { chain, models, contributions } = dossier;
  const generated = chain.filter(isGenerated);
  const brought = filesOfPeople(chain);
  // A step without a source type changed nothing that has one (a plain resize); an upload without one is unknown.
  const unknown = brought.filter(({ digitalSourceType }) => digitalSourceType === undefined).length;
  const names = models.map(({ name, vendor, channel }) => `${name} of ${vendor} through ${channel}`);
  const steps = [...new Set(generated.map(({ step, title }) => step?.stepKey ?? title))];
  const tools = toolWords({ chain, contributions });
  const withdrawn = gradedWork(dossier)
    .filter(({ isWithdrawn }) => isWithdrawn)
    .map(({ contribution }) => `${words(contribution.actionType)} of ${nameOf(contribution.contributor)}`);
  const answer = [
    generated.length > 0
      ? `Generated or edited by trained models in: ${steps.join(', ')}.`
      : 'No step of the chain is recorded as generative AI.',
    names.length > 0 ? `Models and tools: ${names.join('; ')}.` : 'No model is recorded.',
    ...(unknown > 0
      ? [`Nobody declared how ${unknown === 1 ? 'one file was' : `${unknown} files were`} made.`]
      : []),
    ...(brought.length > 0
      ? [
          `Whether AI had a part in ${filesOfPeopleWords(brought)} rests on the word of those who did${tools === '' ? '' : ` (named tools: ${tools})`}.`,
        ]
      : []),
    ...(withdrawn.length > 0
      ? [`Withdrawn since: ${withdrawn.join(', ')}; the reasons stand under "Human contributions".`]
      : []),
  ];
  const question = 'Which parts are AI, by which model, version and channel?';
  const entryIndices = chain.map(({ entryIndex }) => entryIndex);
  return { question, answer: answer.join(' '), entryIndices, answered: brought.length === 0 };
}

function licenseDecision({ runs }: AssetDossier): CounselAnswer {
  const question = 'Did each license allow this use?';
  if (runs.length === 0) {
    return {
      question,
      answer: 'No run, so no license decision was made.',
      entryIndices: [],
      answered: false,
    };
  }
  const decisions = runs.map(({ pipeline, clearance, waivers }) => {
    const waived = waivers.length > 0 ? `, with ${counted(waivers.length, 'waiver')}` : '';
    return `${pipeline}: ${clearance.decision}${waived}`;
  });
  const answer = `${decisions.join('; ')}. Each decision holds for the facts that were declared (purpose, countries, revenue, dates); see "License decisions".`;
  const answered = runs.every(
    ({ clearance, waivers }) => clearance.decision === 'allow' || waivers.length > 0,
  );
  return { question, answer, entryIndices: runs.map(({ clearance }) => clearance.entryIndex), answered };
}

function training({ models, chain }: AssetDossier): CounselAnswer {
  const question = 'What were the models trained on?';
  const trained = models.filter(({ channel }) => !UNTRAINED_CHANNELS.includes(channel));
  const brought = filesOfPeople(chain);
  const elsewhere =
    brought.length === 0
      ? ''
      : ` By which models ${filesOfPeopleWords(brought)} may have been made is not recorded.`;
  if (trained.length === 0) {
    const answer =
      models.length > 0
        ? 'No trained model took part in a step; the tools are fixed calculations.'
        : 'No model is recorded.';
    const answered = models.length > 0 && brought.length === 0;
    return { question, answer: answer + elsewhere, entryIndices: [], answered };
  }
  const answer = trained
    .map(
      ({ name, trainingData }) => `${name}: disclosure ${trainingData.disclosure}. ${trainingData.summary}`,
    )
    .join(' ');
  const answered =
    brought.length === 0 && trained.every(({ trainingData }) => !isUnknown(trainingData.disclosure));
  return { question, answer: answer + elsewhere, entryIndices: [], answered };
}

/** Uploads, which came with a declaration, and edits, which came without one of what they added. */
function inputs({ chain }: AssetDossier): CounselAnswer {
  const question = 'What inputs went in, with what rights, and what do their files reserve?';
  const brought = filesOfPeople(chain);
  if (brought.length === 0) {
    const answer = 'No file was brought in from outside; the chain begins with what the pipeline made.';
    return { question, answer, entryIndices: [], answered: true };
  }
  const described = brought.map(({ title, origin, createdBy, rights, fileReading }) => {
    const basis = rights?.rightsBasis;
    const declared = typeof basis === 'string' ? words(basis) : 'no declared basis';
    const edit = origin === 'edit' ? ` (edit by ${nameOf(createdBy)})` : '';
    return `${title}${edit}: ${declared}, ${reservedWords(fileReading)}`;
  });
  const edits = brought.filter(({ origin }) => origin === 'edit').length;
  const added =
    edits === 0 ? '.' : '. What people added in their edits, and on what rights, rests on their word.';
  const answered = brought.every(
    ({ rights, fileReading }) => rights !== undefined && fileReading?.unreadPlaces.length === 0,
  );
  return {
    question,
    answer: described.join('; ') + added,
    entryIndices: brought.map(({ entryIndex }) => entryIndex),
    answered,
  };
}

function reservedWords(reading: DossierAsset['fileReading']): string {
  if (reading === undefined) return 'its file was not looked at';
  const { reserved, unreadPlaces } = reading;
  const found =
    reserved.length === 0 ? 'no reservation found in its file' : `its file reserves ${reserved.join(', ')}`;
  return unreadPlaces.length === 0 ? found : `${found}, ${unreadPlaces.join(', ')} could not be read`;
}

function indemnity({ models, contributions }: AssetDossier): CounselAnswer {
  const answer = models.map((model) => `${model.name}: ${sentence(model.indemnity)}`).join(' ');
  const edited =
    contributions.length > 0 ? ' The file was edited afterwards; many indemnities end with that.' : '';
  const question = 'Who indemnifies, and does it survive what was done afterwards?';
  const answered = models.length > 0 && models.every((model) => !isUnknown(model.indemnity));
  return { question, answer: (answer || 'No model is recorded.') + edited, entryIndices: [], answered };
}

function exceptions({ runs }: AssetDossier): CounselAnswer {
  const waivers = runs.flatMap((run) => run.waivers);
  const described = waivers.map(
    ({ approvedBy, reason, expiresAt }) =>
      `${nameOf(approvedBy)} accepted "${words(reason)}" until ${expiresAt.slice(0, 10)}`,
  );
  const question = 'Which exceptions were granted, by whom, until when?';
  return { question, answer: described.join('; ') || 'None.', entryIndices: [], answered: true };
}

const DECIDED = { approve: 'approved', reject: 'rejected', request_changes: 'asked for changes in' } as const;

function approvals(dossier: AssetDossier): CounselAnswer {
  const { release, recall } = dossier;
  const question = 'Who approved it?';
  const all = reviewsOf(dossier);
  if (all.length === 0) {
    return { question, answer: 'Nobody has reviewed it.', entryIndices: [], answered: false };
  }
  const decisions = all.map(
    ({ reviewer, decision, decidedAt }) =>
      `${nameOf(reviewer)} ${DECIDED[decision]} it on ${decidedAt.slice(0, 10)}`,
  );
  const standing = standingOf(dossier);
  const released = release ? `; released by ${nameOf(release.releasedBy)}` : '; not released';
  const recalled = recall ? `, and the release was taken back on ${recall.recalledAt.slice(0, 10)}` : '';
  const answer = `${UNAPPROVED[standing] ?? ''}${decisions.join('; ')}${released}${recalled}. No reviewer took part in making it; the database enforces that.`;
  const entryIndices = [...all, ...(release ? [release] : []), ...(recall ? [recall] : [])].map(
    ({ entryIndex }) => entryIndex,
  );
  return { question, answer, entryIndices, answered: UNAPPROVED[standing] === undefined };
}

/** Where it is not approved, whatever single people said. */
const UNAPPROVED: Readonly<Partial<Record<ReviewStanding, string>>> = {
  rejected: 'It is not approved: it was rejected. ',
  changes_requested: 'It is not approved: a wish for changes stands. ',
  in_review: 'It is not approved: approvals are missing. ',
};

function marks({ verification, asset, obligations }: AssetDossier): CounselAnswer {
  const sentence = verification.sentences[0] ?? 'The file was not verified.';
  const ingredient =
    verification.brokenIngredient === true ? ' A file from which it was made does not verify.' : '';
  const place =
    asset.manifestPlacement === 'sidecar'
      ? 'The manifest is a file of its own beside it, and is lost where only the file is passed on.'
      : 'The manifest travels inside the file; platforms may strip it.';
  const answer = `${sentence}${ingredient} ${place} ${labelWords(obligations)}`;
  const answered =
    (verification.verdict === 'intact' || verification.verdict === 'intact_and_trusted') &&
    verification.brokenIngredient !== true;
  return {
    question: 'Are marks applied, and do they verify?',
    answer,
    entryIndices: [asset.entryIndex],
    answered,
  };
}

function labelWords(obligations: AssetDossier['obligations']): string {
  const labels = (obligations ? asReadToday(obligations) : []).filter(({ obligation }) =>
    LABEL_KINDS.includes(obligation.kind),
  );
  const open = labels.filter(({ state }) => state === 'open').length;
  if (obligations === undefined) return 'Which labels are owed was not worked out for this asset.';
  return labels.length === 0
    ? 'No label is owed as far as the record goes.'
    : `Labels that are or may be owed: ${labels.length}, of which ${open} are open; see Obligations. Whether one was shown is the word of who proved it.`;
}

const LABEL_KINDS: readonly string[] = [
  'label-output',
  'visible-label',
  'explicit-and-implicit-label',
  'disclosure-text',
];

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function isUnknown(text: string): boolean {
  return /^(?:unknown|none)?$/i.test(text.trim());
}

function nameOf({ displayName, principalId }: DossierPerson): string {
  return displayName ?? principalId;
}

function words(token: string): string {
  return token.replaceAll(/[_-]+/g, ' ').toLowerCase();
}
