import { type AuthorshipFacts } from './authorship-facts.js';
import { type ActGrade, type GradedAct } from './grade-act.js';

/**
 * How far the record goes, not what the law says. `none`: it holds no act that could be claimed. `weak`: acts whose
 * standing is open. `supports`: at least one act that may be claimed, with the file before and after.
 */
export const RECORD_STRENGTHS = ['none', 'weak', 'supports'] as const;
export type RecordStrength = (typeof RECORD_STRENGTHS)[number];

export interface JurisdictionStatement {
  /** ISO 3166-1 alpha-2, or `EU`. */
  readonly code: string;
  readonly record: RecordStrength;
  /** What the record holds that is asked for there. */
  readonly supports: readonly string[];
  /** What is asked for there and not on record. */
  readonly lacks: readonly string[];
  readonly background: readonly Background[];
}

/** What one has to know to read the statement. */
export interface Background {
  readonly text: string;
  /** `secondary`: read in commentary. `unverified`: from memory; check before relying on it. */
  readonly read: 'primary' | 'secondary' | 'unverified';
}

interface Record {
  readonly facts: AuthorshipFacts;
  readonly graded: readonly GradedAct[];
  readonly strength: RecordStrength;
}

const STRENGTH: Readonly<{ [grade in ActGrade]: RecordStrength }> = {
  not_claimed: 'none',
  uncertain: 'weak',
  claimed: 'supports',
};

/** Facts as of 2026-11-22. Not legal advice. */
export function jurisdictionStatements(
  facts: AuthorshipFacts,
  graded: readonly GradedAct[],
): JurisdictionStatement[] {
  const best = graded.map(({ grade }) => STRENGTH[grade]);
  const strength = best.includes('supports') ? 'supports' : best.includes('weak') ? 'weak' : 'none';
  const record: Record = { facts, graded, strength };
  return [unitedStates(record), china(record), europeanUnion(record), unitedKingdom(record), japan(record)];
}

function unitedStates({ facts, graded, strength }: Record): JurisdictionStatement {
  const counted = graded.filter(({ grade }) => grade === 'claimed');
  const withoutTitle = counted.filter(
    ({ act }) => !['work_made_for_hire', 'assigned'].includes(act.assignment),
  );
  return {
    code: 'US',
    record: strength,
    supports: [
      ...countOf(counted.length, 'recorded act of modification, arrangement or own material'),
      ...signedOf(counted),
      ...countOf(
        facts.storyboards,
        'recorded order of several works (a claim to the whole, not to this file)',
      ),
    ],
    lacks: [
      ...(counted.length === 0 ? ['an act of a person that may be claimed, recorded when it happened'] : []),
      ...(withoutTitle.length > 0 ? ['for some acts: employment (work made for hire) or an assignment'] : []),
      ...(counted.length > 0 ? ['whether generated material is more than de minimis: left to counsel'] : []),
    ],
    background: [
      {
        text: 'Human authorship is required (Thaler v. Perlmutter, D.C. Cir. 2025; certiorari denied 2 March 2026).',
        read: 'secondary',
      },
      {
        text: 'Prompts alone do not give sufficient control (Copyright Office, AI Report Part 2, January 2025). Time, effort and expense do not count.',
        read: 'secondary',
      },
      {
        text: 'Generated content that is more than de minimis is to be disclosed and excluded, on the Standard Application (88 FR 16190).',
        read: 'unverified',
      },
    ],
  };
}

function china({ facts, graded, strength }: Record): JurisdictionStatement {
  const runs = Math.max(0, ...facts.prompts.map((trail) => trail.runs));
  const selections = graded.filter(
    ({ act, grade }) => act.actionType === 'SELECTION' && grade !== 'not_claimed',
  );
  return {
    code: 'CN',
    record: strength,
    supports: [
      ...countOf(runs, 'run whose prompt was committed to the log when it was made'),
      ...countOf(selections.length, 'recorded choice among candidates'),
      ...countOf(claimedOf(graded), 'recorded act of modification, arrangement or own material'),
    ],
    lacks: [
      ...(runs < 2 ? ['a sequence of prompts that shows how the idea was worked out'] : []),
      ...(selections.length === 0 ? ['a choice among candidates with its reasons'] : []),
      ...(claimedOf(graded) === 0 ? ['modification by a person, recorded when it happened'] : []),
    ],
    background: [
      {
        text: 'A picture was protected because prompts, parameters and iterations showed intellectual input (Li v. Liu, Beijing Internet Court, 2023); records from the time are demanded, and making it again is not enough (court notice of 16 September 2025).',
        read: 'secondary',
      },
      { text: 'A design made of simple prompts was refused (Zhangjiagang, 2025).', read: 'unverified' },
    ],
  };
}

function europeanUnion({ graded, strength }: Record): JurisdictionStatement {
  return {
    code: 'EU',
    record: strength,
    supports: countOf(claimedOf(graded), 'recorded act that may show free and creative choices of a person'),
    lacks: claimedOf(graded) === 0 ? ['free and creative choices of a person that show in the work'] : [],
    background: [
      {
        text: 'No harmonized rule on AI; what counts is the author’s own intellectual creation (Infopaq, Painer, Cofemel). A bare prompt was refused (Prague, 2023).',
        read: 'unverified',
      },
    ],
  };
}

function unitedKingdom({ facts, graded, strength }: Record): JurisdictionStatement {
  return {
    code: 'GB',
    record: strength,
    supports: [
      ...countOf(claimedOf(graded), 'recorded act of a person on the work'),
      ...(facts.prompts.length > 0 ? ['who started the runs behind the file, and when'] : []),
    ],
    lacks: claimedOf(graded) === 0 ? ['an original contribution of a person, recorded when it happened'] : [],
    background: [
      {
        text: 'Section 9(3) of the CDPA (computer-generated works: who made the arrangements) is in force; a government report of 18 March 2026 proposes to remove it. This statement does not rest on it.',
        read: 'secondary',
      },
    ],
  };
}

function japan({ facts, graded, strength }: Record): JurisdictionStatement {
  const runs = Math.max(0, ...facts.prompts.map((trail) => trail.runs));
  return {
    code: 'JP',
    record: strength,
    supports: [
      ...countOf(runs, 'recorded attempt'),
      ...countOf(claimedOf(graded), 'recorded later edit by a person'),
    ],
    lacks: claimedOf(graded) === 0 ? ['creative edits by a person, recorded when they happened'] : [],
    background: [
      {
        text: 'Guidance of 2024 looks at amount and content of instructions, number of attempts, selection, and later edits.',
        read: 'unverified',
      },
    ],
  };
}

function claimedOf(graded: readonly GradedAct[]): number {
  return graded.filter(({ grade }) => grade === 'claimed').length;
}

function signedOf(counted: readonly GradedAct[]): string[] {
  const signed = counted.filter(({ act }) => act.isSigned).length;
  return signed === 0 ? [] : [`${signed} of ${counted.length} signed by the contributors themselves`];
}

function countOf(count: number, what: string): string[] {
  if (count === 0) return [];
  const [noun = '', ...rest] = splitNoun(what);
  return [count === 1 ? `1 ${what}` : `${count} ${noun}s${rest.join('')}`];
}

/** The plural goes onto the first noun: "recorded act of ..." becomes "recorded acts of ...". */
function splitNoun(what: string): string[] {
  const found = /^(?:recorded (?:later )?)?(?:act|choice|order|attempt|edit|run)\b/.exec(what)?.[0] ?? what;
  return [found, what.slice(found.length)];
}
