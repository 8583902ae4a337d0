import {
  DIGITAL_SOURCE_TYPES,
  type DigitalSourceType,
  type EmbeddedMetadata,
  type PlannedAssertion,
  type XmpText,
} from './manifest-plan.js';
import {
  type ManifestSettings,
  TRAINING_MINING_ACTS,
  type TrainingMiningAct,
  type TrainingMiningPermission,
} from './manifest-settings.js';

/** What is said about one picture for people and for programs that read no manifests. */
export interface PictureStatement {
  readonly title: string;
  /** The organization in whose name it was made. */
  readonly organization: string;
  readonly settings: ManifestSettings;
  /** Of the whole picture; `undefined` when that is unknown. */
  readonly sourceType: DigitalSourceType | undefined;
  /** The model that was asked for in this very step. */
  readonly aiSystem: { readonly name: string; readonly version: string | undefined } | undefined;
  /** Only when the project wants the person who wrote the prompt to be named. */
  readonly promptWriter: string | undefined;
  /** Our id of the thing, for labels that ask for one. */
  readonly productionId: string;
}

const IPTC = { namespace: 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/', prefix: 'Iptc4xmpExt' } as const;
/** Known from secondary sources only: see docs/spec/manifest.md. */
const TC260 = { namespace: 'http://www.tc260.org.cn/ns/AIGC/1.0/', prefix: 'TC260' } as const;

const ACT_NAMES: Readonly<Record<TrainingMiningAct, string>> = {
  dataMining: 'cawg.data_mining',
  aiTraining: 'cawg.ai_training',
  aiGenerativeTraining: 'cawg.ai_generative_training',
  aiInference: 'cawg.ai_inference',
};

/**
 * `cawg.training-mining`: the customer's will, therefore gathered. Where a file that went into the picture reserves
 * something, its reservation is not loosened by a project that reserves less.
 *
 * @param inputsReserve whether anything that went in reserves a use, or may do so
 */
export function trainingMiningAssertion(
  settings: ManifestSettings,
  inputsReserve: boolean,
): PlannedAssertion[] {
  const entries = TRAINING_MINING_ACTS.flatMap((act) => {
    const permission = settings.trainingMining[act];
    if (permission === null || (inputsReserve && permission.use !== 'notAllowed')) return [];
    return [[ACT_NAMES[act], entryOf(permission)] as const];
  });
  if (entries.length === 0) return [];
  return [
    { label: 'cawg.training-mining', kind: 'gathered', data: { entries: Object.fromEntries(entries) } },
  ];
}

function entryOf({ use, constraintInfo }: TrainingMiningPermission): Record<string, string> {
  return { use, ...(constraintInfo !== undefined && { constraint_info: constraintInfo }) };
}

/**
 * `cawg.metadata`: JSON-LD with the vocabularies that picture archives read. The organization is named as publisher, not
 * as creator: whether a generated picture has an author is not for this program to say.
 */
export function metadataAssertion(statement: PictureStatement): PlannedAssertion {
  const { settings } = statement;
  return {
    label: 'cawg.metadata',
    kind: 'gathered',
    encoding: 'json',
    data: {
      '@context': {
        dc: 'http://purl.org/dc/elements/1.1/',
        xmpRights: 'http://ns.adobe.com/xap/1.0/rights/',
        Iptc4xmpExt: IPTC.namespace,
      },
      'dc:title': statement.title,
      'dc:publisher': statement.organization,
      ...(settings.usageTerms !== null && { 'xmpRights:UsageTerms': settings.usageTerms }),
      ...Object.fromEntries(
        iptcProperties(statement).map(({ prefix, name, value }) => [`${prefix}:${name}`, value]),
      ),
    },
  };
}

/** `undefined` when there is nothing to mark: then the bytes of the file stay as they were captured. */
export function embeddedMetadata(statement: PictureStatement): EmbeddedMetadata | undefined {
  const properties = [...iptcProperties(statement), ...chinaLabel(statement)];
  return properties.length === 0 ? undefined : { properties };
}

/** IPTC Photo Metadata 2025.1. `AIPromptInformation` is never written: a prompt leaves only as a commitment. */
function iptcProperties({ sourceType, aiSystem, promptWriter }: PictureStatement): XmpText[] {
  const values: readonly (readonly [string, string | undefined])[] = [
    ['DigitalSourceType', sourceType && DIGITAL_SOURCE_TYPES[sourceType]],
    ['AISystemUsed', aiSystem?.name],
    ['AISystemVersionUsed', aiSystem?.version],
    ['AIPromptWriterName', promptWriter],
  ];
  return values.flatMap(([name, value]) => (value === undefined ? [] : [{ ...IPTC, name, value }]));
}

/** The implicit label of GB 45438-2025: one JSON text. Only for what is known to be made by a model. */
function chinaLabel({ settings, sourceType, productionId }: PictureStatement): XmpText[] {
  const producer = settings.chinaContentProducer;
  const isGenerated =
    sourceType === 'trainedAlgorithmicMedia' || sourceType === 'compositeWithTrainedAlgorithmicMedia';
  if (producer === null || !isGenerated) return [];
  const label = {
    Label: '1',
    ContentProducer: producer,
    ProduceID: productionId,
    ReservedCode1: '',
    ContentPropagator: '',
    PropagateID: '',
    ReservedCode2: '',
  };
  return [{ ...TC260, name: 'AIGC', value: JSON.stringify(label) }];
}
