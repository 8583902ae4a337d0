import { type CounselAnswer } from './counsel-questions.js';
import { lastExamination, seenMatter } from './diligence-questions.js';
import { type AssetDossier, type DossierModel } from './dossier.js';
import { filesOfPeople, filesOfPeopleWords, isGenerated, toolWords } from './files-of-people.js';
import { gradedWork } from './graded-work.js';
import { asReadToday } from './obligations-as-read-today.js';
import { sentTo } from './vendors-of-dossier.js';

/** Answers about people, prompts, adaptations, registration, vendors and use, from the record alone. Pure. */

const PEOPLE_DUTIES = /deep.?fake|synthetic.?performer|likeness/i;

export function adaptations({ models, chain }: AssetDossier): CounselAnswer {
  const question = 'Was a LoRA or fine-tune used: on whose images, with what consent?';
  const adapted = models.filter(({ adaptation }) => adaptation !== undefined);
  const brought = filesOfPeople(chain);
  const elsewhere =
    brought.length === 0 ? '' : ` What was used to make ${filesOfPeopleWords(brought)} is not recorded.`;
  if (adapted.length === 0) {
    const known = models.every(({ access }) => access !== 'open-weights');
    const answer = known
      ? 'None is recorded; the models are run by their vendors, or are fixed calculations.'
      : 'None is recorded. Who runs open weights could have loaded one without saying so.';
    const answered = known && models.length > 0 && brought.length === 0;
    return { question, answer: answer + elsewhere, entryIndices: [], answered };
  }
  return {
    question,
    answer: adapted.map(adaptationWords).join(' ') + elsewhere,
    entryIndices: [],
    answered: brought.length === 0 && adapted.every(({ adaptation }) => adaptation?.images !== undefined),
  };
}

function adaptationWords({ name, adaptation }: DossierModel): string {
  if (adaptation === undefined) return '';
  const { base, relation, datasetManifestSha256, images, releases, untrainable } = adaptation;
  const from = `${name} (${relation} of ${base})`;
  if (images === undefined || datasetManifestSha256 === undefined)
    return `${from}: no manifest of its training images is recorded.`;
  const rights =
    untrainable === 0
      ? 'each with a right that covers training'
      : `${untrainable} of them without a right that covers training, or nobody knows`;
  return `${from}: ${images} images, ${rights}; ${releases} releases of persons. Manifest, SHA-256: ${datasetManifestSha256}.`;
}

export function people(dossier: AssetDossier): CounselAnswer {
  const { chain } = dossier;
  const question =
    'Is a recognizable person shown, and does a release cover alteration by AI, media, term and territory?';
  const brought = filesOfPeople(chain);
  const shown = brought.filter(({ rights }) => rights?.showsPeople !== 'no');
  const generated = chain.some(isGenerated);
  const seen = seenMatter(dossier, 'persons');
  const looked = lastExamination(dossier, 'third_party_matter');
  const entryIndices = [...brought, ...(looked ? [looked] : [])].map(({ entryIndex }) => entryIndex);
  const afterwards = seenWords(seen, generated);
  if (shown.length === 0) {
    const answer =
      brought.length === 0
        ? 'No file was brought in that could show a person.'
        : 'For no file that was brought in was a person declared.';
    // A person with a ground is not settled either: what a release covers is read by a person.
    const answered = seen?.found === 'none_seen' || (seen === undefined && !generated);
    return { question, answer: answer + afterwards, entryIndices, answered };
  }
  const described = shown.map(({ rights, origin, title }) => {
    const releases = Array.isArray(rights?.releases) ? (rights.releases as ReleaseFacts[]) : [];
    if (releases.length === 0 && rights?.showsPeople === 'yes')
      return 'A person is declared, without a release.';
    if (releases.length === 0)
      return origin === 'edit'
        ? `Whether the edit "${title}" added a person was not declared.`
        : 'Whether a person is shown was not declared.';
    return releases
      .map(
        ({ reference, coversAiAlteration, expiresAt }) =>
          `Release "${String(reference)}": covers alteration by AI: ${String(coversAiAlteration)}; until ${expiresAt ?? 'no end'}.`,
      )
      .join(' ');
  });
  // What an edit added is seen in the finished file; what an upload showed may have been worked into it unseen.
  const editsOnly = shown.every(({ origin, rights }) => origin === 'edit' && rights === undefined);
  const answered = editsOnly && seen?.found === 'none_seen';
  return { question, answer: described.join(' ') + afterwards, entryIndices, answered };
}

/** What somebody who looked at the finished file says of persons in it. */
function seenWords(seen: ReturnType<typeof seenMatter>, generated: boolean): string {
  if (seen?.found === 'none_seen') return ' Who examined the finished file saw no recognizable person.';
  if (seen?.found === 'shown')
    return ` Who examined the finished file saw a recognizable person; ground: ${(seen.basis ?? 'unknown').replaceAll('_', ' ')}.`;
  return generated ? ' Whether what was generated shows somebody is not recorded: look at it.' : '';
}

interface ReleaseFacts {
  readonly reference?: unknown;
  readonly coversAiAlteration?: unknown;
  readonly expiresAt?: string | null;
}

export function deepFakes({ obligations }: AssetDossier): CounselAnswer {
  const question = 'Is it a deep fake, or does it show a synthetic performer, and was the label shown?';
  const items = (obligations ? asReadToday(obligations) : []).filter(({ obligation }) =>
    PEOPLE_DUTIES.test(`${obligation.key} ${obligation.kind} ${obligation.text}`),
  );
  if (obligations === undefined || items.length === 0) {
    const answer =
      obligations === undefined
        ? 'What is owed was not worked out for this asset.'
        : 'No duty of this kind is listed for the places where it is shown.';
    return { question, answer, entryIndices: [], answered: obligations !== undefined };
  }
  const answer = items
    .map(
      ({ obligation, state }) =>
        `${obligation.where}: ${state}${obligation.applies === 'yes' ? '' : ' (may apply)'}`,
    )
    .join('; ');
  const entryIndices = items.flatMap(({ proofs }) => proofs.map(({ entryIndex }) => entryIndex));
  return {
    question,
    answer: `${answer}. See "Obligations" for what a person has to find out, and who proved what.`,
    entryIndices,
    answered: items.every(({ state }) => state !== 'open'),
  };
}

export function promptNames({ runs, chain }: AssetDossier): CounselAnswer {
  const question = 'Does a prompt name an artist, a brand or a celebrity?';
  const entryIndices = runs.map(({ clearance }) => clearance.entryIndex);
  const brought = filesOfPeople(chain);
  const elsewhere =
    brought.length === 0
      ? ''
      : ` Whether prompts had a part in ${filesOfPeopleWords(brought)} is not recorded.`;
  if (runs.length === 0) {
    const answer = `No run, so no prompt is recorded.${elsewhere}`;
    return { question, answer, entryIndices, answered: brought.length === 0 };
  }
  const found = runs.flatMap(({ clearance }) =>
    clearance.findings.filter(({ ruleId }) => ruleId.startsWith('policy.')).map(({ message }) => message),
  );
  const prompts = runs.filter(({ prompt }) => prompt !== undefined).length;
  const checked =
    found.length === 0
      ? 'No policy of the organization found a name. No list of names is built in, so this rests on the lists that the organization keeps.'
      : `Policies of the organization found: ${found.join(' ')}`;
  return {
    question,
    answer: `${prompts === 0 ? 'No prompt can be shown.' : 'The prompts are shown in "How it was made".'} ${checked}${elsewhere}`,
    entryIndices,
    answered: false,
  };
}

/** From the acts as they are graded, so that it says what the draft for registration says. */
export function registration(dossier: AssetDossier): CounselAnswer {
  const { chain, contributions } = dossier;
  const question = 'Can it be registered, with which claim and which exclusion?';
  const excluded = [...new Set(chain.filter(isGenerated).map(({ step, title }) => step?.stepKey ?? title))];
  const unknown = chain.filter(
    ({ origin, digitalSourceType }) => origin === 'upload' && digitalSourceType === undefined,
  );
  const works = gradedWork(dossier);
  const named = (grade: (typeof works)[number]['grade']): string[] => [
    ...new Set(
      works
        .filter((work) => work.grade === grade)
        .map(({ actionType, isWithdrawn }) => `${plain(actionType)}${isWithdrawn ? ' (withdrawn)' : ''}`),
    ),
  ];
  const [claimed, uncertain, notClaimed] = [named('claimed'), named('uncertain'), named('not_claimed')];
  const { othersExcluded, isDrafted } = draftOf(dossier);
  const answer = [
    claimed.length === 0
      ? 'Nothing to claim is recorded.'
      : `To be described as human work (Author Created, New Material Included): ${claimed.join(', ')}, as stated under "Human contributions".`,
    ...(uncertain.length === 0 ? [] : [`Uncertain, so not in the draft: ${uncertain.join(', ')}.`]),
    ...(notClaimed.length === 0 ? [] : [`Recorded, and not to be claimed: ${notClaimed.join(', ')}.`]),
    ...(isDrafted || contributions.length === 0 ? [] : ['What may be claimed was not worked out.']),
    excluded.length === 0
      ? 'Nothing generated is recorded.'
      : `To be excluded (Material Excluded, Other): what a generative model made in ${excluded.join(', ')}.`,
    ...(othersExcluded ? ['Material of others is to be excluded, too.'] : []),
    ...(unknown.length === 0
      ? []
      : [`Not declared, so not to be claimed: ${unknown.map(({ title }) => title).join(', ')}.`]),
    ...(chain.some(({ origin }) => origin === 'edit')
      ? [
          'Whether an edit holds generated material, which would have to be excluded, is only what its contributor says.',
        ]
      : []),
    'Whether that suffices is for counsel and the office; these are the words of the U.S. Copyright Office, other countries ask otherwise.',
  ];
  return {
    question,
    answer: answer.join(' '),
    entryIndices: contributions.flatMap(({ entryIndex, corrections = [] }) => [
      entryIndex,
      ...corrections.map((correction) => correction.entryIndex),
    ]),
    answered: false,
  };
}

function draftOf({ authorship }: AssetDossier): { isDrafted: boolean; othersExcluded: boolean } {
  const excluded = authorship?.statement.registration.materialExcluded ?? '';
  return { isDrafted: authorship !== undefined, othersExcluded: excluded.includes('material of others') };
}

export function sentToVendors(dossier: AssetDossier): CounselAnswer {
  const { chain, models, contributions } = dossier;
  const question = 'Was confidential or client data sent to a vendor that trains on it?';
  const channels = sentTo(dossier);
  const brought = filesOfPeople(chain);
  const tools = toolWords({ chain, contributions });
  const elsewhere =
    brought.length === 0
      ? ''
      : ` What people sent elsewhere to make ${filesOfPeopleWords(brought)} is not recorded${tools === '' ? '' : ` (named tools: ${tools})`}.`;
  if (channels.length === 0) {
    const answer =
      brought.length === 0
        ? 'Nothing was sent to a vendor: every step ran on machines of the operator.'
        : 'No step sent anything to a vendor: every step ran on machines of the operator.';
    return {
      question,
      answer: answer + elsewhere,
      entryIndices: brought.map(({ entryIndex }) => entryIndex),
      answered: models.length > 0 && brought.length === 0,
    };
  }
  return {
    question,
    answer: `Prompts and inputs went to: ${channels.join('; ')}. What they do with them is in their terms and your contract; the record does not say.${elsewhere}`,
    entryIndices: chain.filter(({ step }) => step !== undefined).map(({ entryIndex }) => entryIndex),
    answered: false,
  };
}

export function used({ runs, release }: AssetDossier): CounselAnswer {
  const question = 'Where is it used, and until when?';
  const facts = runs.map(({ clearance: { facts: stated } }) => {
    const places =
      stated.audienceCountries === 'worldwide' ? 'worldwide' : stated.audienceCountries.join(', ');
    return `${places}, ${stated.campaignEnd === null ? 'without a stated end' : `until ${stated.campaignEnd}`}`;
  });
  const stated =
    facts.length === 0
      ? 'No place and no time was stated.'
      : `Cleared for: ${[...new Set(facts)].join('; ')}.`;
  const released = release ? `Released on ${release.releasedAt.slice(0, 10)}.` : 'Not released.';
  return {
    question,
    answer: `${stated} ${released} Where it was really shown is not recorded.`,
    entryIndices: [
      ...runs.map(({ clearance }) => clearance.entryIndex),
      ...(release ? [release.entryIndex] : []),
    ],
    answered: facts.length > 0,
  };
}

function plain(token: string): string {
  return token.replaceAll('_', ' ').toLowerCase();
}
