import { territoryOf } from './countries.js';
import { countryOf } from './subdivisions.js';
import { type DutyMedium, type DutyRole, type MarkingDuty } from './marking-duty.js';
import { and, or, type ThreeValued } from './three-valued.js';

/**
 * Where the work is shown: countries, or parts of them such as `US-CA`. `US` is all of its states. `unknown` where
 * nobody said: then every law may apply.
 */
export type ShownIn = 'worldwide' | 'unknown' | readonly string[];

/**
 * The days on which the work is shown. It is shown at least until `untilAtLeast`, and not after `untilAtMost`; null
 * where nobody can say when it ends.
 */
export interface ShownDays {
  readonly untilAtLeast: string;
  readonly untilAtMost: string | null;
}

/** After every date that a law could name. */
export const OPEN_END = '9999-12-31';

/** What is known of the work. What nobody was asked is unknown, never "no". */
export interface WorkContent {
  readonly medium: DutyMedium;
  /** Generated or changed by a trained model. */
  readonly aiMade: ThreeValued;
  /** Generated or changed by any algorithm, trained or not. */
  readonly algorithmMade: ThreeValued;
  /** Can be taken for a recording of something real. */
  readonly realistic: ThreeValued;
  /** Resembles existing persons, objects, places, entities or events. */
  readonly resemblesExisting: ThreeValued;
  /** Shows somebody who looks like a human performer and is no identifiable person. */
  readonly syntheticPerformer: ThreeValued;
  readonly advertising: ThreeValued;
}

export interface DutyQuestion {
  readonly shownIn: ShownIn;
  readonly days: ShownDays;
  readonly content: WorkContent;
  /** Which roles the organization has in the eyes of the laws. */
  readonly roles: Readonly<Record<DutyRole, ThreeValued>>;
}

/** A duty that applies, or may apply: then `findOut` says what has to be found out. */
export interface DueDuty {
  readonly duty: MarkingDuty;
  readonly applies: 'yes' | 'may_apply';
  readonly findOut: readonly string[];
  /** The countries of the audience, or parts of them, that brought it; empty for `worldwide` and unknown. Sorted. */
  readonly shownIn: readonly string[];
}

interface Answer {
  readonly value: ThreeValued;
  /** What to find out when the value is unknown. */
  readonly findOut?: string;
}

/**
 * Which marking duties a work has. Pure and total; in three-valued logic: a duty is left out only when a fact that is
 * known rules it out, and what is unknown leaves it in as "may apply". In the order of the data.
 *
 * A wider audience, a later end and less knowledge never remove a duty (due-duties.spec.ts tries).
 */
export function dueDuties(duties: readonly MarkingDuty[], question: DutyQuestion): readonly DueDuty[] {
  return duties.flatMap((duty) => {
    const answers = [
      placeOf(duty, question.shownIn),
      contentOf(duty, question.content),
      timeOf(duty, question.days),
      roleOf(duty, question.roles[duty.owedBy]),
    ];
    const value = answers.map((answer) => answer.value).reduce(and, 'yes');
    if (value === 'no') return [];
    return [
      {
        duty,
        applies: value === 'yes' ? ('yes' as const) : ('may_apply' as const),
        findOut: answers.flatMap(({ value: one, findOut }) =>
          one === 'unknown' && findOut ? [findOut] : [],
        ),
        shownIn: matchingCodes(duty, question.shownIn),
      },
    ];
  });
}

function placeOf(duty: MarkingDuty, shownIn: ShownIn): Answer {
  const { name } = duty.jurisdiction;
  if (shownIn === 'worldwide') return { value: 'yes' };
  if (shownIn === 'unknown')
    return { value: 'unknown', findOut: `Is the work shown in ${name}? Nobody said where.` };
  const { certain, doubtful } = placesOf(duty);
  const places = placesFor(duty, shownIn);
  if (places.some((code) => certain.has(code))) return { value: 'yes' };
  const inDoubt = [...new Set(places)].filter((code) => doubtful.has(code)).sort();
  if (inDoubt.length === 0) return { value: 'no' };
  return { value: 'unknown', findOut: `Does this law (${name}) count in ${inDoubt.join(', ')}?` };
}

/** Whether the law counts in a country or a part of one. */
export function bindsIn(duty: MarkingDuty, place: string): ThreeValued {
  return placeOf(duty, [place]).value;
}

/** A law of a country counts in each part of it; a law of one part in no other. */
function placesFor({ jurisdiction }: MarkingDuty, shownIn: readonly string[]): readonly string[] {
  return jurisdiction.code.includes('-') ? shownIn : shownIn.map(countryOf);
}

/** A country contains its states: who shows a work in `US` shows it in California. */
function placesOf({ jurisdiction }: MarkingDuty): ReturnType<typeof territoryOf> {
  const { code, possiblyAlso } = jurisdiction;
  if (code.includes('-'))
    return { certain: new Set([code, code.slice(0, 2)]), doubtful: new Set(possiblyAlso) };
  const { certain, doubtful } = territoryOf([code]);
  return { certain, doubtful: new Set([...doubtful, ...possiblyAlso]) };
}

function matchingCodes(duty: MarkingDuty, shownIn: ShownIn): readonly string[] {
  if (shownIn === 'worldwide' || shownIn === 'unknown') return [];
  const { certain, doubtful } = placesOf(duty);
  const isMeant = (code: string) =>
    placesFor(duty, [code]).some((one) => certain.has(one) || doubtful.has(one));
  return [...new Set(shownIn)].filter(isMeant).sort();
}

function contentOf(duty: MarkingDuty, content: WorkContent): Answer {
  if (!duty.media.includes(content.medium)) return { value: 'no' };
  const made = duty.technology === 'ai' ? content.aiMade : or(content.aiMade, content.algorithmMade);
  const { question, value } = kindOf(duty, content);
  const answer = and(made, value);
  if (answer !== 'unknown') return { value: answer };
  const maker = duty.technology === 'ai' ? 'by AI' : 'by AI or another algorithm';
  const open = [
    ...(made === 'unknown' ? [`Was the work made or changed ${maker}?`] : []),
    ...(value === 'unknown' ? [question] : []),
  ];
  return { value: answer, findOut: open.join(' ') };
}

function kindOf(duty: MarkingDuty, content: WorkContent): { value: ThreeValued; question: string } {
  const { realistic, resemblesExisting, syntheticPerformer, advertising } = content;
  switch (duty.content) {
    case 'ai-media':
      return { value: 'yes', question: '' };
    case 'realistic':
      return { value: realistic, question: 'Can the work be taken for a recording of something real?' };
    case 'deep-fake':
      return {
        value: and(realistic, resemblesExisting),
        question:
          'Does it resemble existing persons, objects, places, entities or events, and would it falsely appear authentic?',
      };
    case 'synthetic-performer-in-advertising':
      return {
        value: and(syntheticPerformer, advertising),
        question: 'Is it an advertisement that shows a performer who is no identifiable person?',
      };
    case 'public-interest-text':
      return { value: 'unknown', question: 'Does the text inform the public on matters of public interest?' };
    case 'interactive-system':
      return { value: 'unknown', question: 'Do people talk to an AI system?' };
  }
}

/** A day that nobody verified may be wrong: it never rules a duty out. */
function timeOf({ inForce, transition, status }: MarkingDuty, days: ShownDays): Answer {
  if (status === 'bill') return { value: 'unknown', findOut: `Has the bill become law? ${inForce.note}` };
  if (inForce.date === null)
    return { value: 'unknown', findOut: `Since when is it in force? ${inForce.note}` };
  const { untilAtLeast, untilAtMost } = days;
  if (inForce.date > untilAtLeast) {
    if (untilAtMost === null || inForce.date <= untilAtMost)
      return {
        value: 'unknown',
        findOut: `Is the work still shown on ${inForce.date}, when the duty begins?`,
      };
    if (inForce.verified) return { value: 'no' };
    const findOut = `Does the duty really begin on ${inForce.date}, after the end of the campaign? The day is not verified.`;
    return { value: 'unknown', findOut };
  }
  if (transition === null || transition.until <= untilAtLeast) return { value: 'yes' };
  const doubt = transition.verified ? '' : ' That day is not verified.';
  const findOut = `Until ${transition.until} it does not bind ${transition.forWhom}: is the system one of them?${doubt}`;
  return { value: 'unknown', findOut };
}

function roleOf({ who }: MarkingDuty, role: ThreeValued): Answer {
  return { value: role, findOut: `Who owes it: ${who}. Is that you?` };
}
