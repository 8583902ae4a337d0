import { type EngineVersion, isSince } from '../engine-version.js';
import { type ExpandedLineage } from '../expand-lineage.js';
import { type FactValue, type RuleId, type Severity } from '../finding.js';
import { type FileSignal } from '../file-signals.js';
import { type LineageInput } from '../lineage.js';
import { type ListingId } from '../listing.js';
import { type Expiry } from '../rights.js';
import { endsBefore } from './campaign.js';
import { type LineageRule, type PreparedFacts, type Report } from './rule.js';

interface Question {
  readonly input: LineageInput;
  readonly facts: PreparedFacts;
  /** Is it, or something made from it, fed to a trained model? Cropping a photograph is not AI input. */
  readonly modelInvolved: boolean;
  readonly say: (
    ruleId: RuleId,
    severity: Severity,
    fact: readonly [string, FactValue],
    words: string,
    fix: string,
  ) => void;
}

/** Every reference image must carry a right that covers this use, this place and this time. */
export const inputRights: LineageRule = (lineage, facts, report) => {
  if (lineage.inputs.length === 0) return;
  const models = modelsOf(lineage);
  for (const input of lineage.inputs) {
    const modelInvolved = seenByModel(input, lineage, models, facts.version);
    const question: Question = { input, facts, modelInvolved, say: sayAbout(input, report) };
    basis(question);
    aiUse(question);
    reservations(question);
    unreadPlaces(question);
    purpose(question);
    places(question, 'input-territory', 'its right', input.territory);
    expiry(question, 'input-expiry', 'right to use it', input.expiresAt);
    releases(question);
    if (isSince('2.2.0', facts.version)) people(question);
    if (isSince('2.3.0', facts.version)) creativeCommons(question);
  }
};

/**
 * The listings that are models or bring one along. One without terms may be a model, so it counts as one; so does a
 * program whose hidden component is a model.
 */
function modelsOf({ subjects, subjectById, missing }: ExpandedLineage): ReadonlySet<ListingId> {
  const models = new Set<ListingId>();
  const waiting: ListingId[] = [...missing.keys()];
  for (const { entry } of subjects) if (entry.listing.access !== 'code') waiting.push(entry.listing.id);
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (models.has(id)) continue;
    models.add(id);
    waiting.push(...(subjectById.get(id)?.via ?? []), ...(missing.get(id)?.via ?? []));
  }
  return models;
}

/** Where nobody said which listings get the picture, any of the lineage may. */
function seenByModel(
  { goesInto }: LineageInput,
  { subjectById }: ExpandedLineage,
  models: ReadonlySet<ListingId>,
  version: EngineVersion,
): boolean {
  // A picture that goes nowhere would be no input: nobody said where it goes.
  const isSaid = goesInto !== undefined && (goesInto.length > 0 || !isSince('2.2.0', version));
  if (!isSaid) return models.size > 0;
  // A listing that the lineage does not name was not looked at, so it counts as a model.
  return goesInto.some((id) => models.has(id) || !subjectById.has(id));
}

function sayAbout({ assetId }: LineageInput, report: Report): Question['say'] {
  const name = assetId === undefined ? 'An input' : `Input ${assetId}`;
  return (ruleId, severity, [factName, value], words, howToFix) => {
    const fact = { name: factName, value };
    report.finding({ ruleId, severity, term: null, fact, message: `${name}: ${words}`, howToFix });
  };
}

function basis({ input: { rightsBasis }, say }: Question): void {
  if (rightsBasis === 'none') {
    const fix = 'Obtain a right to the image, or leave it out.';
    say('input-rights-basis', 'deny', ['rightsBasis', rightsBasis], 'there is no right to use it.', fix);
  } else if (rightsBasis === 'unknown') {
    const fix = 'Declare on what right the image is used.';
    say(
      'input-rights-basis',
      'review',
      ['rightsBasis', rightsBasis],
      'the right to use it is not known.',
      fix,
    );
  }
}

/**
 * "Creative Commons" is no license but a family of them, and three of its four words limit the use. One that is declared
 * holds whatever the right is called; earlier rules looked at it under one name only.
 */
function creativeCommons({ input, facts: { gainful, version }, modelInvolved, say }: Question): void {
  const { creativeCommons: license, rightsBasis } = input;
  const isBasis = rightsBasis === 'creative-commons';
  if (!isBasis && (license === undefined || !isSince('2.5.0', version))) return;
  if (license === undefined) {
    const words = 'it is under a Creative Commons license, and it is not known under which.';
    const fix = 'Declare creativeCommons, e.g. CC-BY-4.0.';
    say('input-rights-basis', 'review', ['creativeCommons', null], words, fix);
    return;
  }
  const fact = ['creativeCommons', license] as const;
  if (license.includes('-NC') && gainful) {
    const fix = isBasis
      ? 'Obtain a right for gainful use, or leave the image out.'
      : 'Leave the image out, or declare it without creativeCommons if the right rests on another license.';
    say('input-purpose', 'deny', fact, `${license} does not cover gainful use.`, fix);
  }
  if (!modelInvolved) return;
  const ask = 'Have counsel say whether the output is an adaptation, or leave the image out.';
  if (license.includes('-ND'))
    say('input-rights-basis', 'review', fact, `${license} lets nobody share adaptations of it.`, ask);
  if (license.includes('-SA'))
    say('input-rights-basis', 'review', fact, `an adaptation of it has to be under ${license}, too.`, ask);
}

function aiUse({ input: { aiInput }, modelInvolved, say }: Question): void {
  if (!modelInvolved || aiInput === 'yes') return;
  if (aiInput === 'no') {
    const fix = 'Leave the image out, or obtain the right to feed it to a model.';
    say('input-ai-use', 'deny', ['aiInput', aiInput], 'it may not be fed to a model.', fix);
  } else {
    const fix = 'Declare whether the right covers AI input.';
    say(
      'input-ai-use',
      'review',
      ['aiInput', aiInput],
      'it is not known whether it may be fed to a model.',
      fix,
    );
  }
}

const RESERVATION_FIX =
  'Use another image, obtain a file from the rights holder that does not reserve this, or upload it with ' +
  'permissionReference naming the written permission of the rights holder, for a person to judge.';

/** What the file itself reserves holds, whoever declares otherwise. */
function reservations({ input, modelInvolved, say }: Question): void {
  const { fileSignals = [], permissionReference } = input;
  if (!modelInvolved) return;
  for (const signal of fileSignals) {
    if (signal.use === 'allowed') continue;
    const { severity, words } = judgeReservation(signal, permissionReference);
    const { act, constraint, manifestBroken, origin, use } = signal;
    const where = manifestBroken === true ? `${origin}, in a manifest that does not validate` : origin;
    const fact = [`fileSignals.${act}`, constraint ?? use] as const;
    say(
      'input-opt-out',
      severity,
      fact,
      words.replace('*', () => where),
      RESERVATION_FIX,
    );
  }
}

/** `*` stands for the vocabulary. */
function judgeReservation(
  { act, constraint, use }: FileSignal,
  permission: string | undefined,
): { severity: Severity; words: string } {
  // A constraint that says nothing reserves everything.
  if (act === 'ai-inference' && (use === 'notAllowed' || constraint === null)) {
    const words = 'the file forbids feeding it to a model (*)';
    return permission === undefined
      ? { severity: 'deny', words: `${words}.` }
      : {
          severity: 'review',
          words: `${words}; permission ${permission} is declared, and nobody here has read it.`,
        };
  }
  if (act === 'ai-inference')
    return { severity: 'review', words: 'the file puts a condition on feeding it to a model (*).' };
  if (act === 'data-mining') {
    const words = 'the file reserves mining of every kind (*); whether that covers this use is open.';
    return { severity: 'review', words };
  }
  return { severity: 'note', words: 'the file reserves training (*): do not train on it.' };
}

/** A place that nobody could read may hold a reservation. */
function unreadPlaces({ input: { unreadPlaces: places = [] }, modelInvolved, say }: Question): void {
  if (!modelInvolved || places.length === 0) return;
  const sorted = [...places].sort();
  const words = `what the file reserves in ${sorted.join(', ')} could not be read, so it is not known.`;
  const fix = 'Have a person look at the rights fields of the file, or export it again and upload that.';
  say('input-opt-out', 'review', ['unreadPlaces', sorted], words, fix);
}

function purpose({ input: { allowedUses }, facts, say }: Question): void {
  const asked = facts.facts.purpose;
  if (allowedUses === 'unknown') {
    const fix = 'Declare the purposes that the right covers.';
    say(
      'input-purpose',
      'review',
      ['allowedUses', allowedUses],
      'the purposes it may be used for are not known.',
      fix,
    );
  } else if (!allowedUses.includes(asked)) {
    const fix = 'Obtain the right for this purpose, or leave the image out.';
    const words = `its right does not cover the purpose "${asked}".`;
    say('input-purpose', 'deny', ['allowedUses', [...allowedUses].sort()], words, fix);
  }
}

function places(
  { facts: { audience }, say }: Question,
  ruleId: 'input-territory' | 'input-release',
  what: string,
  allowed: LineageInput['territory'],
): void {
  if (allowed === 'worldwide') return;
  if (allowed === 'unknown') {
    const fix = 'Declare the countries that it covers.';
    say(ruleId, 'review', ['territory', allowed], `the countries of ${what} are not known.`, fix);
    return;
  }
  const outside =
    audience === 'worldwide' ? ['worldwide'] : audience.filter((country) => !allowed.includes(country));
  if (outside.length === 0) return;
  const words = `${what} does not cover the audience: ${outside.sort().join(', ')}.`;
  const fix = 'Narrow the audience, extend the right, or leave the image out.';
  say(ruleId, 'deny', ['territory', [...allowed].sort()], words, fix);
}

function expiry(
  { facts, say }: Question,
  ruleId: 'input-expiry' | 'input-release',
  what: string,
  expiresAt: Expiry,
): void {
  const ends = endsBefore(expiresAt, facts);
  if (ends === 'no') return;
  const fact = ['expiresAt', expiresAt] as const;
  if (expiresAt === 'unknown') {
    say(ruleId, 'review', fact, `the end of the ${what} is not known.`, 'Declare when it ends.');
  } else if (ends === 'yes') {
    const words = `the ${what} ends on ${String(expiresAt)}, before the campaign does.`;
    say(ruleId, 'deny', fact, words, 'End the campaign earlier, or extend the right.');
  } else {
    const words = `the ${what} ends on ${String(expiresAt)}, and the campaign has no stated end.`;
    say(ruleId, 'review', fact, words, 'State campaignEnd.');
  }
}

/**
 * A person who is shown, or a figure that can be taken for one, may have a say in gainful use and in what a model makes
 * of them. What was made here brings its own inputs along.
 */
function people({ input, facts: { gainful }, modelInvolved, say }: Question): void {
  const { showsPeople = 'unknown', releases: consents, rightsBasis } = input;
  if (showsPeople === 'no' || consents.length > 0 || rightsBasis === 'produced-here') return;
  if (!gainful || !modelInvolved) return;
  const known = showsPeople === 'yes';
  say(
    'input-release',
    'review',
    ['showsPeople', showsPeople],
    known
      ? 'it shows people, and no release of anybody is recorded.'
      : 'it is not known whether it shows people, and no release of anybody is recorded.',
    known
      ? 'Record the releases of the people shown, or leave the image out.'
      : 'Declare showsPeople, with the releases of the people shown.',
  );
}

function releases(question: Question): void {
  for (const { reference, coversAiAlteration, expiresAt, territory: shownIn } of question.input.releases) {
    expiry(question, 'input-release', `release ${reference}`, expiresAt);
    places(question, 'input-release', `the release ${reference}`, shownIn ?? 'worldwide');
    if (!question.modelInvolved || coversAiAlteration === 'yes') continue;
    const known = coversAiAlteration === 'no';
    question.say(
      'input-release',
      known ? 'deny' : 'review',
      ['coversAiAlteration', coversAiAlteration],
      known
        ? `the release ${reference} does not cover alteration by AI.`
        : `it is not known whether the release ${reference} covers alteration by AI.`,
      'Obtain a release that names alteration by AI, or leave the image out.',
    );
  }
}
