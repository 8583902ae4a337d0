import { type Listing } from '../../licenses/domain/listing.js';
import { counted } from '../../shared/counted.js';
import { type DossierErasure, type DossierPerson, type DossierSigner } from './dossier.js';

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
  /** What people accepted of it, oldest first. */
  readonly waivers: readonly ModelWaiver[];
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

export interface ModelWaiver {
  readonly id: string;
  /** The decision of which all that was open is accepted; null for one finding wherever a project meets it. */
  readonly clearanceId: string | null;
  /** What is accepted. Without a listing: a finding about an input, or about the lineage as a whole. */
  readonly findings: readonly { readonly ruleId: string; readonly listingId: string | null }[];
  /** Something of it was found of this model. Otherwise only other models of the same decision are accepted. */
  readonly concernsModel: boolean;
  /** Null for a decision that was asked for without a run. */
  readonly project: { readonly id: string; readonly name: string } | null;
  readonly useCase: string | null;
  /** Runs that began under the decision; null where a finding is accepted. */
  readonly runs: number | null;
  readonly reason: string;
  /** In the words of who approved it; `undefined` after an erasure. */
  readonly comment: string | undefined;
  readonly commentErased?: DossierErasure | undefined;
  readonly requestedBy: DossierPerson;
  readonly approvedBy: DossierPerson;
  readonly approvedAt: string;
  readonly expiresAt: string;
  readonly isOpen: boolean;
  /** `null` while it is open. */
  readonly endedBecause: 'date' | 'license-text' | 'facts' | 'decided-again' | null;
  readonly endedAt: string | null;
  /** Absent while the log has not numbered it. */
  readonly entryIndex?: number | undefined;
}

export interface ModelUseHere {
  readonly decisions: { readonly allow: number; readonly review: number; readonly deny: number };
  /** With a live key, and succeeded; so are the next four. */
  readonly steps: number;
  readonly projects: number;
  readonly firstUsedAt: string | null;
  readonly lastUsedAt: string | null;
  readonly settledMicroUsd: string;
  /** With a live key: nothing usable came, and the vendor is paid. Absent in reports of older versions. */
  readonly chargedFailures?: { readonly steps: number; readonly settledMicroUsd: string } | undefined;
  /** With a test key: the sandbox played the model. Absent in reports of older versions. */
  readonly testSteps?: number | undefined;
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
      `${unverified} of ${counted(terms.length, 'term')} ${unverified === 1 ? 'rests' : 'rest'} on no text that anybody showed.`,
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
      `${secondHand} of ${counted(terms.length, 'term')} ${secondHand === 1 ? 'is' : 'are'} known from somebody who quotes the text.`,
    ],
    ...waiverGaps(waivers),
  ];
  return facts.filter(([, isSo]) => isSo).map(([severity, , text]) => ({ severity, text: text.trim() }));
}

/** An exception that has ended explains what went ahead before it did. */
function waiverGaps(waivers: ModelFile['waivers']): (readonly ['note', boolean, string])[] {
  const own = waivers.filter(({ concernsModel }) => concernsModel);
  const open = own.filter(({ isOpen }) => isOpen).length;
  const ended = own.length - open;
  return [
    [
      'note',
      open > 0,
      `${counted(open, 'exception')} for this model ${open === 1 ? 'is' : 'are'} in force; see "Exceptions".`,
    ],
    [
      'note',
      ended > 0,
      `${counted(ended, 'exception')} for this model ${ended === 1 ? 'has' : 'have'} ended; see "Exceptions".`,
    ],
  ];
}

/** Asked by counsel, and not in the record of a listing. */
export const NOT_IN_A_MODEL_FILE: readonly string[] = [
  'The legal entity behind the vendor, its solvency, and the contract in force with it beyond what was stated in clearances.',
  'What the vendor does with prompts and inputs: use for training, retention, place, security.',
  'The openness class of the model (e.g. MOF), where its card does not say.',
  'Who in the organization approved the model for use, beyond corrections and exceptions recorded here.',
];
