import { type Listing } from '../../licenses/domain/listing.js';
import { type DossierSigner } from './dossier.js';

/**
 * The due-diligence file on one model listing: what is recorded of its vendor, terms, training data and indemnity, how
 * each fact is known, what people corrected, and how the organization used it. Times are RFC 3339 UTC.
 */
export interface ModelFile {
  readonly v: 1;
  readonly reportId: string;
  readonly createdAt: string;
  readonly signedBy?: DossierSigner | undefined;
  readonly product: { readonly name: string; readonly version: string };
  readonly organization: { readonly id: string; readonly name: string };
  /** The listing as decisions use it today. */
  readonly listing: Listing;
  /** Over its canonical JSON. */
  readonly listingSha256: string;
  /** Own listings and releases of the product that recorded it, oldest first. */
  readonly versions: readonly { readonly at: string; readonly sha256: string; readonly source: string }[];
  /** License texts that people of the organization read under this license. */
  readonly texts: readonly ReadText[];
  readonly corrections: readonly Correction[];
  readonly use: ModelUseHere;
  readonly waivers: readonly {
    readonly id: string;
    readonly ruleId: string;
    readonly reason: string;
    readonly approvedAt: string;
    readonly expiresAt: string;
    readonly isOpen: boolean;
  }[];
  readonly gaps: readonly { readonly severity: 'open' | 'unknown' | 'note'; readonly text: string }[];
}

export interface ReadText {
  readonly at: string;
  readonly sha256: string;
  readonly sourceUrl: string | null;
  readonly readOn: string;
  readonly inForceSince: string | null;
  readonly change: string;
  /** Somebody says that the terms of the listing were read from this very text. */
  readonly termsReadFromThis: boolean;
}

export interface Correction {
  readonly id: string;
  readonly at: string;
  readonly fact: string;
  readonly correction: unknown;
  readonly evidence: unknown;
}

export interface ModelUseHere {
  readonly decisions: { readonly allow: number; readonly review: number; readonly deny: number };
  readonly steps: number;
  readonly projects: number;
  readonly firstUsedAt: string | null;
  readonly lastUsedAt: string | null;
  readonly settledMicroUsd: string;
}

/** What nobody should read past: unknown is not yes (promise P10). Pure. */
export function modelGaps({ listing, texts, waivers }: Omit<ModelFile, 'gaps'>): ModelFile['gaps'] {
  const { license, terms, trainingData, indemnity, components } = listing;
  const unknownTerms = terms.filter((term) => 'value' in term && term.value === 'unknown');
  const unverified = terms.filter(({ verified }) => verified === 'unverified').length;
  const secondHand = terms.filter(({ verified }) => verified === 'secondary').length;
  const unlisted = components.filter(({ listingId }) => listingId === null).length;
  const latest = texts.at(-1);
  const facts: (readonly ['open' | 'unknown' | 'note', boolean, string])[] = [
    ['open', license.status === 'ended', `The license is recorded as ended. ${license.statusReason}`],
    [
      'open',
      license.status === 'superseded',
      `A later license text exists that was not read. ${license.statusReason}`,
    ],
    [
      'open',
      license.conflictingTexts.length > 0,
      'Several texts claim this model; a person has to conclude which binds.',
    ],
    [
      'open',
      latest !== undefined && !latest.termsReadFromThis,
      'A later text of the license was read than the one its terms were read from.',
    ],
    [
      'open',
      trainingData.litigation !== undefined && trainingData.litigation.length > 0,
      'Litigation about the training data is recorded.',
    ],
    [
      'unknown',
      license.status === 'unverified',
      `The text in force was not read itself. ${license.statusReason}`,
    ],
    [
      'unknown',
      license.textSha256 === null,
      'No license text was hashed: which words were read cannot be shown.',
    ],
    ['unknown', unknownTerms.length > 0, `Not known: ${unknownTerms.map(({ kind }) => kind).join(', ')}.`],
    [
      'unknown',
      unverified > 0,
      `${unverified} of ${terms.length} terms rest on no text that anybody showed.`,
    ],
    ['unknown', trainingData.disclosure !== 'full', `Training data: disclosure ${trainingData.disclosure}.`],
    ['unknown', trainingData.rightsBasis === undefined, 'On what right the model learnt is not known.'],
    [
      'unknown',
      trainingData.optOuts === undefined,
      'Whether reservations of rights holders were honored is not known.',
    ],
    ['unknown', indemnity.offered === 'unknown', 'Whether the vendor offers an indemnity is not known.'],
    ['unknown', unlisted > 0, `${unlisted} of its components ${unlisted === 1 ? 'has' : 'have'} no listing.`],
    [
      'unknown',
      listing.base !== null && listing.datasetManifestSha256 === null,
      'It is made from another model, and there is no manifest of the images it learnt from.',
    ],
    ['note', indemnity.offered === 'no', 'The vendor offers no indemnity.'],
    [
      'note',
      secondHand > 0,
      `${secondHand} of ${terms.length} terms are known from somebody who quotes the text.`,
    ],
    ['note', waivers.some(({ isOpen }) => isOpen), 'Exceptions for this model are in force.'],
  ];
  return facts.filter(([, isSo]) => isSo).map(([severity, , text]) => ({ severity, text: text.trim() }));
}

/** Asked by counsel, and not in the record of a listing. */
export const NOT_IN_A_MODEL_FILE: readonly string[] = [
  'The legal entity behind the vendor, its solvency, and the contract in force with it beyond what was stated in clearances.',
  'What the vendor does with prompts and inputs: use for training, retention, place, security.',
  'The openness class of the model (e.g. MOF), where its card does not say.',
  'Who in the organization approved the model for use, beyond corrections and exceptions recorded here.',
];
