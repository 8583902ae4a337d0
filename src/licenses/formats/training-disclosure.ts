import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type Listing } from '../domain/listing.js';
import { trainingFacts } from '../domain/training-data.js';
import { type ImportedListing } from './imported-listing.js';

/** How an answer is known. `stated`: by a text that was read. `reported`: somebody else says so. */
export type AnswerStanding = 'stated' | 'reported' | 'unknown';

/** The answer to one item of a disclosure. An answer that nobody gave is `unknown` with no text, never left out. */
export interface DisclosureAnswer {
  readonly standing: AnswerStanding;
  readonly answer: string | null;
  /** Title of the source, or the name of the imported document; null for an unknown answer. */
  readonly source: string | null;
}

/** The twelve items of California AB 2013 (Civ. Code section 3111(a)), in the order of the statute. */
export const AB_2013_ITEMS = [
  ['sourcesOrOwners', 'The sources or owners of the data sets'],
  ['purpose', 'How the data sets further the intended purpose of the system'],
  ['dataPoints', 'The number of data points, in ranges or estimated'],
  ['dataPointTypes', 'The types of data points, or of labels'],
  [
    'intellectualProperty',
    'Whether they hold data protected by copyright, trademark or patent, or only the public domain',
  ],
  ['purchasedOrLicensed', 'Whether the data sets were purchased or licensed'],
  ['personalInformation', 'Whether they hold personal information'],
  ['aggregateConsumerInformation', 'Whether they hold aggregate consumer information'],
  ['processing', 'Cleaning, processing or other modification, with its purpose'],
  ['collectionPeriod', 'The period of collection, and whether it goes on'],
  ['firstUsed', 'The dates on which the data sets were first used'],
  ['syntheticData', 'Whether synthetic data was or is used'],
] as const;
export type Ab2013Item = (typeof AB_2013_ITEMS)[number][0];

/** The template for the summary of training content (AI Act, Art. 53(1)(d)), by its three parts. */
export const EU_SUMMARY_ITEMS = [
  ['provider', 'General information: provider'],
  ['model', 'General information: model and versions'],
  ['modalities', 'General information: modalities of the training data'],
  ['trainingDataSize', 'General information: size of the training data, in ranges'],
  ['publicDatasets', 'Data sources: publicly available data sets'],
  ['licensedDatasets', 'Data sources: private data sets licensed from rights holders'],
  ['otherPrivateDatasets', 'Data sources: other private data sets'],
  ['scrapedData', 'Data sources: data crawled and scraped, with the top domain names'],
  ['userData', 'Data sources: data of users'],
  ['syntheticData', 'Data sources: synthetic data'],
  ['otherSources', 'Data sources: other'],
  ['optOuts', 'Processing: measures to respect reservations of text and data mining'],
  ['illegalContent', 'Processing: removal of illegal content'],
] as const;
export type EuSummaryItem = (typeof EU_SUMMARY_ITEMS)[number][0];

export interface TrainingDisclosure {
  readonly listingId: string;
  readonly disclosure: 'none' | 'partial' | 'full' | 'unknown';
  readonly ab2013: Readonly<Record<Ab2013Item, DisclosureAnswer>>;
  readonly euSummary: Readonly<Record<EuSummaryItem, DisclosureAnswer>>;
  /** Items that nobody answered, as `ab2013.<item>` and `euSummary.<item>`. */
  readonly unknown: readonly string[];
}

const UNKNOWN: DisclosureAnswer = { standing: 'unknown', answer: null, source: null };

/**
 * What is known of a listing's training data, item by item. Facts of the registry come first; data sets that a
 * document described fill only what the registry leaves open, and only as reported.
 * @param datasets data sets on which the model was trained, as documents describe them
 */
export function trainingDisclosure(
  listing: Listing,
  datasets: readonly ImportedListing[] = [],
): TrainingDisclosure {
  const known = registryAnswers(listing);
  const ab2013: Readonly<Record<Ab2013Item, DisclosureAnswer>> = {
    sourcesOrOwners: first(
      known.summary,
      reported(datasets, ({ name, supplier }) => withOwner(name, supplier)),
    ),
    purpose: reported(datasets, ({ data }) => data.intendedUse),
    dataPoints: known.images,
    dataPointTypes: reported(datasets, ({ tasks }) => (tasks.length === 0 ? null : tasks.join(', '))),
    intellectualProperty: known.intellectualProperty,
    purchasedOrLicensed: first(known.rightsBasis, reported(datasets, declaredLicense)),
    personalInformation: reported(datasets, personalInformation),
    aggregateConsumerInformation: UNKNOWN,
    processing: UNKNOWN,
    collectionPeriod: UNKNOWN,
    firstUsed: UNKNOWN,
    syntheticData: UNKNOWN,
  };
  const euSummary: Readonly<Record<EuSummaryItem, DisclosureAnswer>> = {
    provider: known.provider,
    model: known.model,
    modalities: UNKNOWN,
    trainingDataSize: known.images,
    publicDatasets: reported(datasets, ({ name }) => name),
    licensedDatasets: known.licensed,
    otherPrivateDatasets: known.owned,
    scrapedData: known.scraped,
    userData: UNKNOWN,
    syntheticData: UNKNOWN,
    otherSources: UNKNOWN,
    optOuts: known.optOuts,
    illegalContent: UNKNOWN,
  };
  const open = (part: string, answers: Readonly<Record<string, DisclosureAnswer>>) =>
    Object.entries(answers).flatMap(([item, { standing }]) =>
      standing === 'unknown' ? [`${part}.${item}`] : [],
    );
  const { disclosure } = trainingFacts(listing.trainingData);
  const unknown = [...open('ab2013', ab2013), ...open('euSummary', euSummary)];
  return { listingId: listing.id, disclosure, ab2013, euSummary, unknown };
}

/** Canonical JSON for reports. */
export function renderTrainingDisclosure(disclosure: TrainingDisclosure): Buffer {
  return canonicalJson(disclosure as unknown as JsonValue);
}

function registryAnswers(listing: Listing) {
  const { rightsBasis, optOuts, source, summary, verified } = listing.trainingData;
  const titleOf = (id: string | null) => listing.sources.find((item) => item.id === id)?.title ?? null;
  const answer = (text: string, id: string | null, standing: string): DisclosureAnswer =>
    standing === 'unverified' || id === null
      ? UNKNOWN
      : { standing: standing === 'primary' ? 'stated' : 'reported', answer: text, source: titleOf(id) };
  const [described] = listing.sources;
  const general = (text: string): DisclosureAnswer => ({
    standing: 'reported',
    answer: text,
    source: described?.title ?? null,
  });
  const basis = rightsBasis?.value === 'unknown' ? undefined : rightsBasis;
  const handled = optOuts?.value === 'unknown' ? undefined : optOuts;
  const whenBasis = (...values: readonly string[]): DisclosureAnswer =>
    basis !== undefined && values.includes(basis.value)
      ? answer(summary, basis.source, basis.verified)
      : UNKNOWN;
  const manifest = listing.datasetManifest;
  return {
    provider: general(listing.vendor),
    model: general(`${listing.name} (${listing.id})`),
    summary: answer(summary, source, verified),
    rightsBasis: basis === undefined ? UNKNOWN : answer(basis.value, basis.source, basis.verified),
    optOuts: handled === undefined ? UNKNOWN : answer(handled.value, handled.source, handled.verified),
    licensed: whenBasis('licensed', 'mixed'),
    owned: whenBasis('owned'),
    scraped: whenBasis('scraped', 'mixed'),
    intellectualProperty: whenBasis('public-domain'),
    images:
      manifest === undefined
        ? UNKNOWN
        : {
            standing: 'stated' as const,
            answer: `${String(manifest.images)} images`,
            source: 'Dataset manifest',
          },
  };
}

function first(answer: DisclosureAnswer, otherwise: DisclosureAnswer): DisclosureAnswer {
  return answer.standing === 'unknown' ? otherwise : answer;
}

function reported(
  datasets: readonly ImportedListing[],
  tell: (dataset: ImportedListing) => string | null,
): DisclosureAnswer {
  const told = datasets.flatMap((dataset) => {
    const text = tell(dataset);
    return text === null ? [] : [{ name: dataset.name, text }];
  });
  if (told.length === 0) return UNKNOWN;
  return {
    standing: 'reported',
    answer: told.map(({ text }) => text).join('; '),
    source: told.map(({ name }) => name).join('; '),
  };
}

function withOwner(name: string, supplier: string | null): string {
  return supplier === null ? name : `${name} (${supplier})`;
}

function declaredLicense({ declaredLicense: { declared, status } }: ImportedListing): string | null {
  return status === 'recognized' ? `declared license: ${declared ?? ''}` : null;
}

function personalInformation({ data }: ImportedListing): string | null {
  return data.personalInformation ?? (data.personalData === 'unknown' ? null : data.personalData);
}
