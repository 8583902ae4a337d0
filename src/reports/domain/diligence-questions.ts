import { type MatterKind } from '../../audit/core/diligence-words.js';
import { type CounselAnswer } from './counsel-questions.js';
import { type DossierExamination } from './dossier-diligence.js';
import { type AssetDossier } from './dossier.js';
import { vendorModels } from './vendors-of-dossier.js';

/**
 * Answers that rest on what people found out about the very file, from the record alone. Pure. An examination of an
 * earlier version of the file is shown in the report, and settles nothing about this one.
 */

type Facts = Pick<AssetDossier, 'asset' | 'examinations'>;
type Question = DossierExamination['question'];

const EXAMINE = 'POST /v1/assets/{id}/examinations';

/** Who has to record what, so that the record answers; the words of the API, because they are what is sent. */
const SETTLED_BY: Readonly<Record<Question, string>> = {
  third_party_matter: `It is settled when who looked at this very file records each kind as none_seen, or as shown with its ground (${EXAMINE}, question third_party_matter).`,
  similar_works: `It is settled when a search for this very file is recorded, with its index and a result other than inconclusive (${EXAMINE}, question similar_works).`,
  exclusivity: `As far as contracts go it is settled when the role legal records what they say (${EXAMINE}, question exclusivity).`,
  claims: `It is settled for a day when the role legal records that none was known (${EXAMINE}, question claims); a claim that comes is recorded as one (POST /v1/assets/{id}/claims).`,
};

/** What is not settled says what would settle it, and where an earlier version was examined: that settles nothing here. */
function withWayOut(
  asked: CounselAnswer,
  { asset, examinations = [] }: Facts,
  question: Question,
): CounselAnswer {
  if (asked.answered) return asked;
  const earlier = examinations.filter((one) => one.assetId !== asset.id && one.question === question).at(-1);
  const elsewhere =
    earlier === undefined
      ? ''
      : `${byWhom(earlier)} at ${earlier.assetId}, from which it was made; that settles nothing about this file.`;
  return {
    ...asked,
    answer: joined([asked.answer, elsewhere, SETTLED_BY[question]]),
    entryIndices: [...asked.entryIndices, ...(earlier ? [earlier.entryIndex] : [])],
  };
}

/** The last one on a question, about the very file. */
export function lastExamination(
  { asset, examinations }: Facts,
  question: DossierExamination['question'],
): DossierExamination | undefined {
  return examinations?.filter((one) => one.assetId === asset.id && one.question === question).at(-1);
}

/** Whether a kind of matter was seen in the file; `undefined` where nobody has said. */
export function seenMatter(facts: Facts, kind: MatterKind) {
  return lastExamination(facts, 'third_party_matter')?.matter?.find((each) => each.kind === kind);
}

export function thirdPartyMatter(dossier: AssetDossier): CounselAnswer {
  return withWayOut(matterSeen(dossier), dossier, 'third_party_matter');
}

function matterSeen(dossier: AssetDossier): CounselAnswer {
  const question = 'Does it show trademarks, characters, artworks, buildings, fonts or music of others?';
  const last = lastExamination(dossier, 'third_party_matter');
  if (last === undefined) {
    const answer =
      'Nobody has recorded that they looked. The program itself does not judge what a file shows.';
    return { question, answer, entryIndices: [], answered: false };
  }
  const matter = last.matter ?? [];
  const named = (found: string): string[] =>
    matter.filter((each) => each.found === found).map(({ kind }) => plain(kind));
  const shown = matter.filter(({ found }) => found === 'shown');
  const sentences = [
    `${byWhom(last)}.`,
    shown.length === 0
      ? ''
      : `Shown: ${shown.map(({ kind, basis }) => `${plain(kind)} (${basisWords(basis)})`).join(', ')}.`,
    named('none_seen').length === 0 ? '' : `Looked for and not seen: ${named('none_seen').join(', ')}.`,
    named('not_examined').length === 0 ? '' : `Not examined: ${named('not_examined').join(', ')}.`,
  ];
  const answered =
    matter.every(({ found }) => found !== 'not_examined') &&
    shown.every(({ basis }) => basis !== undefined && basis !== 'none' && basis !== 'unknown');
  return { question, answer: joined(sentences), entryIndices: [last.entryIndex], answered };
}

export function similarWorks(dossier: AssetDossier): CounselAnswer {
  return withWayOut(searchMade(dossier), dossier, 'similar_works');
}

function searchMade(dossier: AssetDossier): CounselAnswer {
  const question = 'Was a search for similar earlier works made, in which index, and with what result?';
  const last = lastExamination(dossier, 'similar_works');
  if (last === undefined) {
    const answer =
      'No search is recorded. The program makes none: it has no collection of the works of others.';
    return { question, answer, entryIndices: [], answered: false };
  }
  const { result, matches = 0, index = 'an index that is not named' } = last;
  const found =
    result === 'none_found'
      ? 'nothing similar was found'
      : result === 'found'
        ? `${matches} similar ${matches === 1 ? 'work was' : 'works were'} found`
        : 'the result is inconclusive';
  const answer = `${byWhom(last)} in ${index}: ${found}. A search finds what is in its collection, and nothing else.`;
  return { question, answer, entryIndices: [last.entryIndex], answered: result !== 'inconclusive' };
}

export function exclusivity(dossier: AssetDossier): CounselAnswer {
  return withWayOut(contractsSay(dossier), dossier, 'exclusivity');
}

function contractsSay(dossier: AssetDossier): CounselAnswer {
  const question = 'Could another customer of a vendor receive the same output?';
  const { models, contributions } = dossier;
  const vendors = vendorModels(dossier);
  const last = lastExamination(dossier, 'exclusivity');
  const cannotBeKnown =
    'What other customers receive is seen by nobody but the vendor, so no record of ours can show it.';
  const technical =
    vendors.length === 0
      ? models.length === 0
        ? 'No model is recorded.'
        : 'Every step ran on machines of the operator, so no vendor has other customers of it; whoever runs the same model with the same inputs may get the same.'
      : `${vendors.map(({ name, vendor }) => `${name} of ${vendor}`).join(', ')}: whoever sends the same inputs may get the same. ${cannotBeKnown}`;
  const edited =
    contributions.length > 0
      ? 'What people did to the file afterwards comes from no step of ours; whether a vendor gave it to others as well depends on their tools.'
      : '';
  if (last === undefined) {
    const unsaid = 'Nobody has recorded what the contracts say of exclusivity.';
    return {
      question,
      answer: joined([technical, edited, unsaid]),
      entryIndices: contributions.map(({ entryIndex }) => entryIndex),
      answered: false,
    };
  }
  const judged = {
    exclusive: 'the contracts promise that it is ours alone',
    not_exclusive: 'the contracts promise nothing of the kind',
  } as const;
  const result =
    last.result === 'exclusive' || last.result === 'not_exclusive' ? judged[last.result] : undefined;
  return {
    question,
    answer: joined([
      `${byWhom(last)}: ${result ?? 'it could not be found out'}.`,
      last.document === undefined ? '' : 'Where the contract lies is in "Examinations and claims".',
      technical,
      edited,
    ]),
    entryIndices: [last.entryIndex, ...contributions.map(({ entryIndex }) => entryIndex)],
    answered: result !== undefined,
  };
}

export function claimsReceived(dossier: AssetDossier): CounselAnswer {
  return withWayOut(claimsKnown(dossier), dossier, 'claims');
}

function claimsKnown(dossier: AssetDossier): CounselAnswer {
  const question = 'Were claims or notices received?';
  const claims = dossier.claims ?? [];
  const last = lastExamination(dossier, 'claims');
  const stated =
    last?.result === 'none_known'
      ? `${byWhom(last)}: no ${claims.length === 0 ? '' : 'further '}claim was known that day.`
      : '';
  // Who took it back for that reason knew of a claim, whether it was recorded as one or not.
  const recall = dossier.recall?.reason === 'rights_claim' ? dossier.recall : undefined;
  const recalled =
    recall === undefined
      ? ''
      : `The release was taken back on ${recall.recalledAt.slice(0, 10)} because of a claim of rights.`;
  const entryIndices = [
    ...claims.flatMap(({ entryIndex, answers }) => [entryIndex, ...answers.map((each) => each.entryIndex)]),
    ...(last ? [last.entryIndex] : []),
    ...(recall ? [recall.entryIndex] : []),
  ];
  if (claims.length === 0) {
    const answer =
      stated === ''
        ? 'No claim is recorded, and nobody has stated that none is known. What nobody records, no report can show.'
        : `${stated} None is recorded since.`;
    // Somebody says that none was known, and somebody took it back because of one: the record contradicts itself.
    const answered = stated !== '' && recall === undefined;
    return { question, answer: joined([answer, recalled]), entryIndices, answered };
  }
  const listed = claims.map(
    ({ kind, receivedOn, assetId, state, answers }) =>
      `${plain(kind)}, received on ${receivedOn}${assetId === dossier.asset.id ? '' : ` on ${assetId}`}: ${
        state === 'closed' ? plain(answers.at(-1)?.outcome ?? 'closed') : state
      }`,
  );
  return {
    question,
    answer: joined([`${listed.join('; ')}.`, stated, recalled]),
    entryIndices,
    answered: true,
  };
}

function byWhom({ tool, examinedBy, examinedOn }: DossierExamination): string {
  const who = examinedBy.displayName ?? examinedBy.principalId;
  const how = tool === undefined ? `${who} looked` : `${who} had ${tool.name} ${tool.version} look`;
  return `${how} on ${examinedOn}`;
}

const BASIS_WORDS: Readonly<Record<string, string>> = {
  owned: 'our own',
  licensed: 'licensed',
  consent: 'with consent',
  permitted_by_law: 'permitted by law, as judged by who looked',
  none: 'no ground known',
};

function basisWords(basis: string | undefined): string {
  return BASIS_WORDS[basis ?? ''] ?? 'ground unknown';
}

function plain(word: string): string {
  return word.replaceAll('_', ' ');
}

function joined(sentences: readonly string[]): string {
  return sentences.filter((sentence) => sentence !== '').join(' ');
}
