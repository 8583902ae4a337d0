import { type CaptureKind, type ChangeKind, type ContributionBasis } from '../contribution.js';

/** Digital source types (IPTC) under which something was made or changed by a generative model. */
export const AI_SOURCE_TYPES: readonly string[] = [
  'trainedAlgorithmicMedia',
  'compositeWithTrainedAlgorithmicMedia',
  'compositeSynthetic',
];
/** Those by which somebody declared it as made by a person. */
export const HUMAN_SOURCE_TYPES: readonly string[] = ['digitalCapture', 'digitalCreation', 'humanEdits'];

/** One file in the chain of the asset. */
export interface WorkFact {
  readonly assetId: string;
  /** `version`: the asset, or what it is a later version of. `used`: another work that went into it. */
  readonly relation: 'version' | 'used';
  readonly origin: 'step' | 'upload' | 'edit';
  readonly kind: 'image' | 'video' | 'audio' | 'model3d' | 'text';
  readonly sourceType: string | undefined;
  /** Of an upload: whether its declared rights basis says that it is the organization's own. */
  readonly isOwn: boolean;
}

/** One recorded act, with what was said of it later already taken into account. */
export interface ActFact {
  readonly contributionId: string;
  readonly assetId: string;
  readonly contributorId: string;
  readonly actionType: string;
  readonly basis: ContributionBasis;
  /** `declared_later` as well for whatever was amended. */
  readonly capture: CaptureKind;
  /** Whether the file on which it was done is a version of the asset, or was only used in it. */
  readonly relation: 'version' | 'used';
  readonly isWithdrawn: boolean;
  readonly isSigned: boolean;
  readonly assignment: string;
  /** How many candidates were shown. */
  readonly shown: number;
  /** What the two files differ in; `undefined` where they are no pictures that can be compared, and in older records. */
  readonly change: ChangeKind | undefined;
  /** What is left of it in the newest version, compared with the last one that no person made; `undefined` as above. */
  readonly trace: 'none' | 'trifling' | 'present' | undefined;
  /** What the file that came of it says of itself, beyond what its parent says; `undefined`: nothing of models. */
  readonly fileSays: 'made_by_model' | 'changed_by_model' | undefined;
}

/** Prompts of runs by one person in one use case, the last one being a run behind the asset. */
export interface PromptTrail {
  /** Behind the asset, or tied to it by something recorded. */
  readonly runs: number;
  /** Before it, and nothing recorded ties them to it. */
  readonly others: number;
}

/** What the record holds of one asset. The order of the lists says nothing. */
export interface AuthorshipFacts {
  readonly works: readonly WorkFact[];
  readonly acts: readonly ActFact[];
  readonly prompts: readonly PromptTrail[];
  /** Storyboards in which the asset stands. */
  readonly storyboards: number;
}

export function isMadeByAi({ sourceType }: WorkFact): boolean {
  return AI_SOURCE_TYPES.includes(sourceType ?? '');
}
