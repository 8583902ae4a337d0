/** What sort of thing a file is, as far as pipelines care. Which exact types can be signed is the media module's matter. */
export const MEDIA_KINDS = ['image', 'video', 'audio', 'model3d'] as const;
export type MediaKind = (typeof MEDIA_KINDS)[number];

const KIND_OF_TOP_LEVEL: Readonly<Record<string, MediaKind>> = {
  image: 'image',
  video: 'video',
  audio: 'audio',
  model: 'model3d',
};

/** `undefined` for a media type that is none of them, e.g. `text/html`. */
export function mediaKindOf(mediaType: string): MediaKind | undefined {
  const [topLevel = ''] = mediaType.split('/');
  return Object.hasOwn(KIND_OF_TOP_LEVEL, topLevel) ? KIND_OF_TOP_LEVEL[topLevel] : undefined;
}

const WITH_ARTICLE: Readonly<Record<MediaKind, string>> = {
  image: 'a picture',
  video: 'a video',
  audio: 'a sound file',
  model3d: 'a 3D model',
};

/** For sentences: `a picture`. */
export function named(kind: MediaKind): string {
  return WITH_ARTICLE[kind];
}
