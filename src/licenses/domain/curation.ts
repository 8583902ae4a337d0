import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { indemnitySchema, licenseSchema, type Listing, listingSchema } from './listing.js';
import { dateSchema, type Term, type TermKind, termSchema, type Verification } from './terms.js';
import { trainingDataSchema } from './training-data.js';

const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    // No control characters but line breaks and tabs, no half characters: it is stored, hashed and shown.
    .regex(/^(?:[\t\n\r]|[^\p{Cc}\p{Cs}])+$/u, 'must not hold control characters');
const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

const statedEvidenceSchema = z.strictObject({
  /** The document in which the fact stands. */
  title: text(300),
  url: z
    .url({ protocol: /^https$/ })
    .nullable()
    .default(null),
  section: text(200).nullable().default(null),
  /** The words themselves. */
  quote: text(4000).nullable().default(null),
  /** SHA-256 of a text that the registry keeps: then the text itself was read. */
  textSha256: sha256Schema.nullable().default(null),
  dateRead: dateSchema,
});
const somethingShown = [
  ({ quote, textSha256 }: z.infer<typeof statedEvidenceSchema>) => quote !== null || textSha256 !== null,
  { message: 'needs a quote, or the hash of a text that was recorded with POST /v1/license-texts' },
] as const;

/** Why a fact is believed, as it is kept. Without a quote or a text there is no evidence. */
export const evidenceSchema = statedEvidenceSchema
  .extend({
    /**
     * The text was not one of this listing when the curation was recorded (text-tie.ts). Curations that were recorded
     * before anybody looked do not have it.
     */
    countsAs: z.literal('quotation').exactOptional(),
  })
  .refine(...somethingShown);
export type Evidence = z.infer<typeof evidenceSchema>;

/** A text of the listing was read, and not only quoted. */
export function isRead({ textSha256, countsAs }: Evidence): boolean {
  return textSha256 !== null && countsAs === undefined;
}

/** Words that say something: a quote of a space or a full stop would be evidence of anything. */
const MIN_QUOTED_LETTERS = 12;
/** What a person says now. Curations that were recorded are read with {@link evidenceSchema}. */
export const newEvidenceSchema = statedEvidenceSchema
  .refine(...somethingShown)
  .refine(
    ({ quote }) => quote === null || (quote.match(/[\p{L}\p{N}]/gu) ?? []).length >= MIN_QUOTED_LETTERS,
    { path: ['quote'], message: `needs the words themselves: at least ${MIN_QUOTED_LETTERS} letters` },
  );
export type StatedEvidence = z.infer<typeof newEvidenceSchema>;

/** What is not of the person's choosing: it follows from the evidence. */
const FROM_EVIDENCE = { source: true, verified: true } as const;
const MAX_TERM_ID = 60;
const termId = z.string().regex(/^[a-z0-9-]{1,60}$/);
/** Ends the id of a term beside which a quote has another one. */
const AS_READ = '-as-read';
/** The fields of a term but its source and mark; which ones belong to which kind is checked with the listing. */
const correctedTermSchema = z.looseObject({ id: termId, kind: z.string().max(60) });

/**
 * The right value of one typed fact. A later correction of the same fact takes the place of an earlier one;
 * `restore` lets the fact stand again as the listing itself has it.
 */
export const correctionSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('term'), term: correctedTermSchema }),
  /** The text has no such clause. */
  z.strictObject({ kind: z.literal('term-absent'), termId }),
  z.strictObject({ kind: z.literal('license'), license: licenseSchema.omit({ dateRead: true }) }),
  z.strictObject({
    kind: z.literal('training-data'),
    trainingData: trainingDataSchema.omit({
      ...FROM_EVIDENCE,
      rightsBasis: true,
      optOuts: true,
      litigation: true,
    }),
  }),
  z.strictObject({ kind: z.literal('indemnity'), indemnity: indemnitySchema.omit(FROM_EVIDENCE) }),
  z.strictObject({
    kind: z.literal('restore'),
    fact: z.string().regex(/^(term:[a-z0-9-]{1,60}|license|training-data|indemnity)$/),
  }),
]);
export type Correction = z.infer<typeof correctionSchema>;

/** Which fact it is about: `term:<id>`, `license`, `training-data` or `indemnity`. */
export function factOf(correction: Correction): string {
  switch (correction.kind) {
    case 'term':
      return `term:${correction.term.id}`;
    case 'term-absent':
      return `term:${correction.termId}`;
    case 'restore':
      return correction.fact;
    case 'license':
    case 'training-data':
    case 'indemnity':
      return correction.kind;
  }
}

/** A correction with what it rests on, as it is kept. */
export interface AppliedCuration {
  /** UUID. */
  readonly id: string;
  readonly correction: Correction;
  readonly evidence: Evidence;
}

/** The last curation of each fact, in the order in which they were made; `restore` ends the others. */
export function curationsInForce<Curation extends AppliedCuration>(
  curations: readonly Curation[],
): readonly Curation[] {
  const last = new Map<string, Curation>();
  for (const curation of curations) {
    const fact = factOf(curation.correction);
    last.delete(fact);
    if (curation.correction.kind !== 'restore') last.set(fact, curation);
  }
  return [...last.values()];
}

/**
 * Permissions of which a quoted one may take the place, because what is only quoted allows nothing. Nothing at all may
 * not: another permission of the same kind may stand beside it.
 */
const QUOTED_ALLOWS_NOTHING: readonly TermKind[] = [
  'commercial-use-of-weights',
  'commercial-use-of-outputs',
  'commercial-use-through-channel',
  'evaluation-use',
  'non-commercial-use',
];
const DECIDES_NOTHING: readonly TermKind[] = ['information', 'governing-law', 'litigation', 'revocable'];

/**
 * The listing with its facts corrected. How a fact is known follows from the evidence alone: a kept text of the listing
 * makes it `primary`, a quote `secondary`. What a text forbids or limits is not gone because somebody quotes other words: beside
 * a quote it stays, in doubt (`unverified`), so that a person decides.
 * @param curations oldest first
 * @throws z.ZodError when the result is no listing, e.g. a term without the fields of its kind.
 */
export function applyCurations(listing: Listing, curations: readonly AppliedCuration[]): Listing {
  const inForce = curationsInForce(curations);
  if (inForce.length === 0) return listing;
  const doubted = inForce.flatMap((curation) => inDoubt(listing, curations, curation));
  const shown = doubted.flatMap(({ shownBy }) => shownBy ?? []);
  let draft: Record<string, unknown> = {
    ...listing,
    sources: [...listing.sources, ...[...inForce, ...shown].map(sourceOf)],
  };
  let terms: readonly unknown[] = listing.terms;
  for (const curation of inForce) {
    const { correction, evidence } = curation;
    const known = { source: sourceId(curation), verified: verificationOf(evidence) };
    switch (correction.kind) {
      case 'term':
        terms = [...without(terms, correction.term.id), { ...correction.term, ...known }];
        break;
      case 'term-absent':
        terms = without(terms, correction.termId);
        break;
      case 'license':
        draft = { ...draft, license: { ...correction.license, dateRead: evidence.dateRead } };
        break;
      case 'training-data':
        draft = { ...draft, trainingData: { ...listing.trainingData, ...correction.trainingData, ...known } };
        break;
      case 'indemnity':
        draft = { ...draft, indemnity: { ...correction.indemnity, ...known } };
        break;
      case 'restore':
        break;
    }
  }
  return listingSchema.parse({ ...draft, terms: [...terms, ...doubted.map(({ term }) => term)] });
}

/** A fact as a text had it. */
interface ReadTerm {
  readonly term: Term;
  /** The curation that showed the text; none where the listing itself has the fact. */
  readonly shownBy?: AppliedCuration;
}

/** What a curation that is only a quote leaves in doubt: the fact as a text had it, if that forbids or limits. */
function inDoubt(
  listing: Listing,
  curations: readonly AppliedCuration[],
  { correction, evidence }: AppliedCuration,
): ReadTerm[] {
  if (isRead(evidence)) return [];
  const read = lastRead(listing, curations, factOf(correction));
  if (read === undefined || quoteSuffices(correction, read.term)) return [];
  const term: Term = { ...read.term, verified: 'unverified' };
  if (correction.kind !== 'term') return [{ ...read, term }];
  const given = termSchema.safeParse({ ...correction.term, source: term.source, verified: term.verified });
  // Other words for the same fact leave nothing in doubt.
  if (given.success && isDeepStrictEqual(wordless(given.data), wordless(term))) return [];
  return [{ ...read, term: { ...term, id: `${term.id.slice(0, MAX_TERM_ID - AS_READ.length)}${AS_READ}` } }];
}

function quoteSuffices(correction: Correction, { kind }: Term): boolean {
  if (DECIDES_NOTHING.includes(kind)) return true;
  return correction.kind === 'term' && correction.term.kind === kind && QUOTED_ALLOWS_NOTHING.includes(kind);
}

/** By the last curation that showed a text, or in the listing itself. */
function lastRead(
  listing: Listing,
  curations: readonly AppliedCuration[],
  fact: string,
): ReadTerm | undefined {
  const own = listing.terms.find(({ id }) => `term:${id}` === fact);
  const ofListing = own && { term: own };
  let read: ReadTerm | undefined = ofListing;
  for (const shownBy of curations) {
    const { correction, evidence } = shownBy;
    if (factOf(correction) !== fact) continue;
    if (correction.kind === 'restore') read = ofListing;
    else if (!isRead(evidence)) continue;
    else if (correction.kind !== 'term') read = undefined;
    else {
      const known = { source: sourceId(shownBy), verified: verificationOf(evidence) };
      read = { term: termSchema.parse({ ...correction.term, ...known }), shownBy };
    }
  }
  return read;
}

function wordless({
  clause: _clause,
  paraphrase: _words,
  ...facts
}: Term): Omit<Term, 'clause' | 'paraphrase'> {
  return facts;
}

function without(terms: readonly unknown[], id: string): readonly unknown[] {
  return terms.filter((term) => (term as { id: string }).id !== id);
}

function verificationOf(evidence: Evidence): Verification {
  return isRead(evidence) ? 'primary' : 'secondary';
}

function sourceId({ id }: AppliedCuration): string {
  return `cur-${id.replaceAll('-', '')}`;
}

function sourceOf(curation: AppliedCuration): Listing['sources'][number] {
  const { title, url, section, dateRead } = curation.evidence;
  return {
    id: sourceId(curation),
    title,
    url,
    commit: null,
    section,
    dateRead,
    verified: verificationOf(curation.evidence),
  };
}
