import { z } from 'zod';
import { indemnitySchema, licenseSchema, type Listing, listingSchema } from './listing.js';
import { dateSchema, type Verification } from './terms.js';
import { trainingDataSchema } from './training-data.js';

const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    // No control characters but line breaks and tabs, no half characters: it is stored, hashed and shown.
    .regex(/^(?:[\t\n\r]|[^\p{Cc}\p{Cs}])+$/u, 'must not hold control characters');
const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** Why a fact is believed. Without a quote or a text there is no evidence. */
export const evidenceSchema = z
  .strictObject({
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
  })
  .refine(({ quote, textSha256 }) => quote !== null || textSha256 !== null, {
    message: 'needs a quote, or the hash of a text that was recorded with POST /v1/license-texts',
  });
export type Evidence = z.infer<typeof evidenceSchema>;

/** Words that say something: a quote of a space or a full stop would be evidence of anything. */
const MIN_QUOTED_LETTERS = 12;
/** What is recorded now. Curations that were recorded before are read with {@link evidenceSchema}. */
export const newEvidenceSchema = evidenceSchema.refine(
  ({ quote }) => quote === null || (quote.match(/[\p{L}\p{N}]/gu) ?? []).length >= MIN_QUOTED_LETTERS,
  { path: ['quote'], message: `needs the words themselves: at least ${MIN_QUOTED_LETTERS} letters` },
);

/** What is not of the person's choosing: it follows from the evidence. */
const FROM_EVIDENCE = { source: true, verified: true } as const;
const termId = z.string().regex(/^[a-z0-9-]{1,60}$/);
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
 * The listing with its facts corrected. How a fact is known follows from the evidence alone: a kept text makes it
 * `primary`, a quote `secondary`.
 * @throws z.ZodError when the result is no listing, e.g. a term without the fields of its kind.
 */
export function applyCurations(listing: Listing, curations: readonly AppliedCuration[]): Listing {
  const inForce = curationsInForce(curations);
  if (inForce.length === 0) return listing;
  let draft: Record<string, unknown> = {
    ...listing,
    sources: [...listing.sources, ...inForce.map(sourceOf)],
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
  return listingSchema.parse({ ...draft, terms });
}

function without(terms: readonly unknown[], id: string): readonly unknown[] {
  return terms.filter((term) => (term as { id: string }).id !== id);
}

function verificationOf({ textSha256 }: Evidence): Verification {
  return textSha256 === null ? 'secondary' : 'primary';
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
