import { isSince } from '../engine-version.js';
import { type Subject } from '../expand-lineage.js';
import { termsOf } from '../listing-index.js';
import { type FurtherAct } from '../run-facts.js';
import { type TermOf } from '../terms.js';
import {
  hasTerm,
  type ListingRule,
  nameOf,
  type PreparedFacts,
  type Report,
  restrictionSeverity,
} from './rule.js';

/** Which stated acts a ban on training reaches. */
const BANNED: Readonly<Record<TermOf<'output-training-restriction'>['scope'], readonly FurtherAct[]>> = {
  'competing-models': ['train-competing-model'],
  'any-other-model': ['train-competing-model', 'train-other-model'],
  'any-model': ['train-competing-model', 'train-other-model'],
};

/** Outputs as training material: mostly forbidden for competing models, sometimes for all. */
export const outputTraining: ListingRule = {
  concerns: hasTerm('output-training-restriction'),
  check: (subject, { facts }, report) => {
    if (facts.furtherActs.length === 0) return;
    for (const term of termsOf(subject.entry, 'output-training-restriction')) {
      const hit = facts.furtherActs.filter((act) => BANNED[term.scope].includes(act)).sort();
      if (hit.length === 0) continue;
      report.finding({
        ruleId: 'output-training',
        severity: restrictionSeverity(term),
        subject,
        term,
        fact: { name: 'furtherActs', value: hit },
        message: `${nameOf(subject)}: its outputs may not be used to train ${TRAINED[term.scope]}.`,
        howToFix: 'Keep the outputs out of training material, or choose another model.',
      });
    }
  },
};

const TRAINED: Readonly<Record<TermOf<'output-training-restriction'>['scope'], string>> = {
  'competing-models': 'a competing model',
  'any-other-model': 'any other model',
  'any-model': 'any model',
};

const HANDED_ON = {
  'distribute-weights': ['weights', 'its weights'],
  'distribute-derivatives': ['derivatives', 'a LoRA or other derivative of it'],
  'redistribute-outputs': ['outputs', 'its outputs as goods of their own'],
} as const satisfies Partial<Record<FurtherAct, readonly [TermOf<'redistribution'>['of'], string]>>;
type HandingOn = keyof typeof HANDED_ON;

/** Handing on is another act than using; a license has to allow it in its own words. */
export const redistribution: ListingRule = {
  concerns: ({ listing }) => listing.access !== 'code',
  check: (subject, prepared, report) => {
    for (const act of prepared.facts.furtherActs) {
      if (act in HANDED_ON) handOn(act as HandingOn, subject, prepared, report);
    }
  },
};

function handOn(act: HandingOn, subject: Subject, { facts, version }: PreparedFacts, report: Report): void {
  const [of, what] = HANDED_ON[act];
  const { access } = subject.entry.listing;
  // Who calls a hosted model holds no weights to hand on.
  if (of !== 'outputs' && access !== 'open-weights') return;
  const terms = termsOf(subject.entry, 'redistribution').filter((term) => term.of === of);
  const fact = { name: 'furtherActs', value: [...facts.furtherActs].sort() };
  const howToFix = 'Hand on nothing, or obtain this permission and have it recorded as a listing of its own.';
  const name = nameOf(subject);
  // A text that lets outputs be used for gain and says nothing more of them has said enough.
  if (terms.length === 0 && of !== 'outputs') {
    const message = `${name}: no text is recorded that says whether ${what} may be handed on.`;
    report.finding({
      ruleId: 'redistribution',
      severity: 'review',
      subject,
      term: null,
      fact,
      message,
      howToFix,
    });
  }
  for (const term of terms) {
    // A permission that somebody only reports is none yet.
    const isShown =
      term.verified === 'primary' || (term.verified === 'secondary' && !isSince('2.4.0', version));
    if (term.value === 'yes' && isShown) continue;
    const forbidden = term.value === 'no';
    const message = `${name}: ${forbidden ? 'the license forbids handing on' : 'it is not settled who may be handed'} ${what}.`;
    const severity = forbidden ? restrictionSeverity(term) : 'review';
    report.finding({ ruleId: 'redistribution', severity, subject, term, fact, message, howToFix });
  }
}
