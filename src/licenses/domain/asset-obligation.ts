import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type DueDuty, type DutyQuestion, dueDuties } from './due-duties.js';
import { type Obligation, type ObligationKind } from './finding.js';
import { type DutyRole, type MarkingDuties, type OwedMark } from './marking-duty.js';
import { type FurtherAct, type RunFacts } from './run-facts.js';
import { endsBeforeCampaign, lastCoveredDay, type WaiverCover } from './waiver-cover.js';

/** The calendar by which legal duties were computed: with it anybody computes them again. */
export interface CalendarRef {
  readonly sha256: string;
  readonly readOn: string;
}

/**
 * What must be shown or done for one file. Written once, when the file is signed, as canonical JSON: what is stored is
 * what was hashed.
 */
export interface AssetObligation {
  readonly v: 1;
  readonly source: 'license' | 'law';
  /** The same for the same obligation of a parent: `law:<duty>`, `license:<hash>` or `waiver:<decision>`. */
  readonly key: string;
  readonly kind: ObligationKind | OwedMark;
  readonly applies: 'yes' | 'may_apply';
  /** What a person has to find out where it only may apply. */
  readonly findOut: readonly string[];
  readonly text: string;
  /** Where it is owed, in words, e.g. `California` or `everywhere`. */
  readonly where: string;
  /** Countries of the audience that brought it. */
  readonly shownIn: readonly string[];
  readonly owedBy: DutyRole | 'licensee';
  readonly who: string;
  readonly due: Obligation['due'];
  /** First day on which the law demands it; null where a license does, or nobody knows. */
  readonly inForceOn: string | null;
  readonly dateVerified: boolean;
  /** End of a transition for some, e.g. for systems that were on the market before. */
  readonly transitionUntil: string | null;
  /** Were the words read in the license or in the law itself? */
  readonly verified: boolean;
  /** What was not verified, for whoever reads the obligation. */
  readonly notVerified: string | null;
  readonly exemptions: readonly string[];
  /** Holds back a release until it is proved. */
  readonly blocking: boolean;
  /** Where it was read. */
  readonly citation: {
    readonly title: string;
    readonly section: string | null;
    readonly url: string | null;
    readonly dateRead: string;
  } | null;
  readonly listingId: string | null;
  /** Public id of the decision that brought it. */
  readonly clearanceId: string | null;
  readonly calendar: CalendarRef | null;
  /** False where a law is listed because nobody said where the work is shown. */
  readonly placeKnown: boolean;
  /** Public id of the parent that had it already. */
  readonly inheritedFrom: string | null;
  /** What the program itself proved when the file was signed. */
  readonly systemProof: SystemProof | null;
  /** Last day on which the work may be shown, for `stop-before`. */
  readonly until?: string;
}

export interface SystemProof {
  /** `part` leaves the obligation open. */
  readonly extent: 'whole' | 'part';
  readonly proves: string;
  readonly remains: string;
}

/** What the manifest of the signed file says, as far as it can prove a marking. */
export type ManifestMark =
  /** Its own action says that a trained model made or changed the picture. */
  | 'own'
  /** Only a manifest of an ancestor inside it says so. */
  | 'ancestor'
  | 'none';

export interface ClearedObligations {
  readonly clearanceId: string;
  readonly obligations: readonly Obligation[];
  /** Acts beyond making and showing the work, as stated for the decision. */
  readonly furtherActs: readonly FurtherAct[];
}

/** A decision that left something open, and until when people accept that. */
export interface WaivedDecision {
  /** Public ids of the last decision and of the first one, to which waivers are tied. */
  readonly clearanceId: string;
  readonly rootId: string;
  readonly campaignEnd: RunFacts['campaignEnd'];
  /** Undefined where no waiver is in force. */
  readonly cover: Pick<WaiverCover, 'until'> | undefined;
  /** The moment of the question. */
  readonly now: Date;
}

export interface ParentObligation {
  readonly assetId: string;
  readonly obligation: AssetObligation;
}

/**
 * All obligations of a new file, in a fixed order: those of the licenses behind it, the legal duties, and what its
 * parents had that came out of older data. A proof belongs to one file: what was proved for a parent is owed again.
 */
export function obligationsOfAsset(given: {
  readonly cleared: readonly ClearedObligations[];
  readonly calendar: MarkingDuties;
  readonly question: DutyQuestion;
  readonly mark: ManifestMark;
  readonly parents: readonly ParentObligation[];
  readonly waived: readonly WaivedDecision[];
}): readonly AssetObligation[] {
  const found = new Map<string, AssetObligation>();
  const waived = given.waived.flatMap(waiverObligation);
  for (const obligation of [...licenseObligations(given.cleared), ...legalObligations(given), ...waived]) {
    // Of two decisions that brought the same, the one under which it binds for sure counts.
    if (found.get(obligation.key)?.applies !== 'yes') found.set(obligation.key, obligation);
  }
  const placeKnown = given.question.shownIn !== 'unknown';
  for (const { obligation } of given.parents) {
    // Waivers end and are renewed: what counts is what is in force for the decisions behind the file now.
    if (obligation.key.startsWith(OF_WAIVER)) continue;
    // A parent that came from outside had laws of everywhere, because nobody had said where it is shown. Now one has.
    const stillApplies = obligation.source === 'license' || obligation.placeKnown || !placeKnown;
    if (stillApplies && !found.has(obligation.key))
      found.set(obligation.key, { ...obligation, systemProof: null });
  }
  return [...found.values()].map((obligation) => ({
    ...obligation,
    inheritedFrom: given.parents.find((parent) => parent.obligation.key === obligation.key)?.assetId ?? null,
  }));
}

/** Names the list for ever; `asset.signed` holds it. Ids as the API shows them. */
export function obligationsSha256(rows: readonly { readonly id: string; readonly bytes: Buffer }[]): string {
  return sha256Hex(canonicalJson(rows.map(({ id, bytes }) => ({ id, sha256: sha256Hex(bytes) }))));
}

const OF_WAIVER = 'waiver:';

/** A waiver accepts what was left open until its end. Whoever shows the work longer has to stop, or to have it renewed. */
function waiverObligation(decision: WaivedDecision): AssetObligation[] {
  const { clearanceId, rootId, campaignEnd, cover, now } = decision;
  const outlives = cover === undefined ? 'yes' : endsBeforeCampaign(cover.until, campaignEnd);
  if (outlives === 'no') return [];
  const until = lastCoveredDay(cover?.until ?? now);
  const text =
    cover === undefined
      ? `Do not show the work before a waiver is approved: nobody accepts what the decision ${clearanceId} left open.`
      : `Stop showing the work after ${until}, or have a waiver approved that lasts longer: what the decision ${clearanceId} left open is accepted until ${cover.until.toISOString()} only.`;
  return [
    {
      v: 1,
      source: 'license',
      key: `${OF_WAIVER}${rootId}`,
      kind: 'stop-before',
      applies: outlives === 'yes' ? 'yes' : 'may_apply',
      findOut:
        outlives === 'yes'
          ? []
          : [`Is the work still shown after ${until}? Nobody said when its campaign ends.`],
      text,
      where: 'everywhere',
      shownIn: [],
      owedBy: 'licensee',
      who: 'Whoever shows the work',
      due: 'always',
      inForceOn: null,
      dateVerified: true,
      transitionUntil: null,
      verified: true,
      notVerified: null,
      exemptions: [],
      blocking: false,
      citation: null,
      listingId: null,
      clearanceId,
      calendar: null,
      placeKnown: true,
      inheritedFrom: null,
      systemProof: null,
      until,
    },
  ];
}

function licenseObligations(cleared: readonly ClearedObligations[]): AssetObligation[] {
  return cleared.flatMap(({ clearanceId, obligations, furtherActs }) =>
    obligations.map((obligation): AssetObligation => {
      const { kind, listingId, text, due, term } = obligation;
      const verified = term?.verified === 'primary';
      return {
        v: 1,
        source: 'license',
        key: `license:${sha256Hex(canonicalJson(obligation as unknown as JsonValue))}`,
        kind,
        ...bindsWhen(due, furtherActs),
        ...(obligation.until === undefined ? {} : { until: obligation.until }),
        text,
        where: 'everywhere',
        shownIn: [],
        owedBy: 'licensee',
        who: 'Whoever uses the model or its output',
        due,
        inForceOn: null,
        dateVerified: true,
        transitionUntil: null,
        verified,
        notVerified: verified ? null : NOT_READ[listingId === null ? 'declared' : readingOf(term)],
        exemptions: [],
        blocking: false,
        citation: term && {
          title: term.source.title,
          section: term.clause,
          url: term.source.url,
          dateRead: term.source.dateRead,
        },
        listingId,
        clearanceId,
        calendar: null,
        placeKnown: true,
        inheritedFrom: null,
        systemProof: null,
      };
    }),
  );
}

/** What is owed for handing on a model binds who does that. Nobody stated it: then it may happen. */
function bindsWhen(
  due: Obligation['due'],
  acts: readonly FurtherAct[],
): Pick<AssetObligation, 'applies' | 'findOut'> {
  const handsOn = acts.some((act) => act === 'distribute-weights' || act === 'distribute-derivatives');
  if (due !== 'on-distribution-of-model' || handsOn) return { applies: 'yes', findOut: [] };
  return { applies: 'may_apply', findOut: ['Is the model, or something derived from it, handed on?'] };
}

function readingOf(term: Obligation['term']): 'secondary' | 'unverified' {
  return term?.verified === 'secondary' ? 'secondary' : 'unverified';
}

const NOT_READ = {
  declared: 'It follows from what was declared of an input; nobody here has read the document.',
  secondary: 'The license itself was not read; somebody reports the term.',
  unverified: 'Nobody here saw a text for this term.',
};

function legalObligations({
  calendar,
  question,
  mark,
}: {
  calendar: MarkingDuties;
  question: DutyQuestion;
  mark: ManifestMark;
}): AssetObligation[] {
  const { sha256, readOn } = calendar;
  return dueDuties(calendar.duties, question).map((due): AssetObligation => {
    const { duty, applies, findOut, shownIn } = due;
    return {
      v: 1,
      source: 'law',
      key: `law:${duty.id}`,
      kind: duty.owed,
      applies,
      findOut,
      text: duty.what,
      where: duty.jurisdiction.name,
      shownIn,
      owedBy: duty.owedBy,
      who: duty.who,
      due: duty.due,
      inForceOn: duty.inForce.date,
      dateVerified: duty.inForce.verified,
      transitionUntil: duty.transition?.until ?? null,
      verified: duty.verified,
      notVerified: unverifiedWords(duty),
      exemptions: duty.exemptions,
      blocking: duty.blocking,
      citation: {
        title: duty.law,
        section: duty.source.section,
        url: duty.source.url,
        dateRead: duty.source.dateRead,
      },
      listingId: null,
      clearanceId: null,
      calendar: { sha256, readOn },
      placeKnown: question.shownIn !== 'unknown',
      inheritedFrom: null,
      systemProof: systemProofOf(due, mark),
    };
  });
}

function unverifiedWords({ inForce, transition, notVerified }: DueDuty['duty']): string | null {
  const words = [
    ...(inForce.verified ? [] : [`Date not verified: ${inForce.note}`]),
    ...(transition === null || transition.verified
      ? []
      : [`End of the transition (${transition.until}) not verified.`]),
    ...(notVerified === null ? [] : [notVerified]),
  ];
  return words.length === 0 ? null : words.join(' ');
}

/** Only what the manifest of this very file says is a whole proof. */
function systemProofOf({ duty }: DueDuty, mark: ManifestMark): SystemProof | null {
  if (duty.systemProof === null || mark === 'none') return null;
  const { extent, proves, remains } = duty.systemProof;
  if (mark === 'own') return { extent, proves, remains };
  return {
    extent: 'part',
    proves:
      'The file carries a C2PA manifest, embedded and validated when it was signed. That a trained model took part is said in the manifest of an ancestor inside it, not in its own.',
    remains: `Whether a reader that looks at the first manifest only detects it is for a person. ${remains}`,
  };
}
