import { type MediaKind } from '../../domain/media-kind.js';

/** What may stand beside the files of a result, as far as it is known here. */
const BESIDE = ['seed', 'timings', 'has_nsfw_concepts', 'prompt'] as const;
export type BesideFiles = (typeof BESIDE)[number];

/** Which member of a model's answer holds its files, and what else is in it. */
export interface FalResultShape {
  readonly member: string;
  /** Whether the member is a list of files. */
  readonly isList: boolean;
  readonly beside: readonly BesideFiles[];
}

const KIND_OF_MEMBER: Readonly<Record<string, MediaKind | undefined>> = {
  images: 'image',
  image: 'image',
  videos: 'video',
  video: 'video',
  audios: 'audio',
  audio: 'audio',
  audio_file: 'audio',
  model_glb: 'model3d',
  model_mesh: 'model3d',
};

/** `images[] seed prompt`: a list of files in `images`, with two values beside it. `undefined` for anything else. */
export function readShape(text: string): FalResultShape | undefined {
  const [first = '', ...rest] = text.split(' ');
  const member = first.replace(/\[\]$/, '');
  if (KIND_OF_MEMBER[member] === undefined) return undefined;
  return {
    member,
    isList: member !== first,
    beside: BESIDE.filter((name) => rest.includes(name)),
  };
}

/** Of a model that nobody knows: by the kind of its file, and for pictures by what it was asked to do. */
export function usualShape(kind: string, operation: string | undefined): FalResultShape {
  const member = MEMBER_OF_KIND[kind];
  if (member !== undefined) return { member, isList: false, beside: BESIDE };
  const isAlone = ALONE_IN_IMAGE.includes(operation ?? '');
  return { member: isAlone ? 'image' : 'images', isList: !isAlone, beside: BESIDE };
}

const MEMBER_OF_KIND: Readonly<Record<string, string | undefined>> = {
  video: 'video',
  audio: 'audio',
  model3d: 'model_mesh',
};
const ALONE_IN_IMAGE: readonly string[] = ['upscale', 'cut-out', 'recolor', 'crop', 'convert'];

/** A shape that can hold these files: of their kind, and none of them left out. */
export function canHold(shape: FalResultShape, kind: string, count: number): boolean {
  return KIND_OF_MEMBER[shape.member] === kind && (shape.isList || count <= 1);
}
