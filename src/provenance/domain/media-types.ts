/** The media types into which a manifest can be embedded and from which it can be read back here. */
export const EMBEDDABLE_MEDIA_TYPES = [
  'image/png',
  'image/jpeg',
  'image/webp',
  'image/avif',
  'image/tiff',
  'image/gif',
  'image/heic',
  'image/heif',
  'image/jxl',
  'image/svg+xml',
  'video/mp4',
  'video/quicktime',
  'audio/wav',
  'audio/mpeg',
  'audio/mp4',
  'audio/flac',
] as const;
export type EmbeddableMediaType = (typeof EMBEDDABLE_MEDIA_TYPES)[number];

/**
 * The media types whose manifest is a file of its own beside them, because the pinned library cannot write into them.
 * PDF is in neither list: the library refuses it in both ways. MP3 and FLAC must never be in this one: there the
 * library rewrites the file although it only writes a sidecar.
 */
export const SIDECAR_MEDIA_TYPES = [
  'video/webm',
  'video/x-matroska',
  'audio/ogg',
  'model/gltf-binary',
  'model/gltf+json',
  'model/obj',
  'model/stl',
  'model/vnd.usdz+zip',
  'text/plain',
  'application/json',
] as const;
export type SidecarMediaType = (typeof SIDECAR_MEDIA_TYPES)[number];

export type SignableMediaType = EmbeddableMediaType | SidecarMediaType;
export const SIGNABLE_MEDIA_TYPES: readonly SignableMediaType[] = [
  ...EMBEDDABLE_MEDIA_TYPES,
  ...SIDECAR_MEDIA_TYPES,
];

/** Where the manifest of a file is: inside of it, or in a file of its own (C2PA 2.4 section 11.4). */
export const MANIFEST_PLACEMENTS = ['embedded', 'sidecar'] as const;
export type ManifestPlacement = (typeof MANIFEST_PLACEMENTS)[number];

export const MEDIA_KINDS = ['image', 'video', 'audio', 'model3d', 'text'] as const;
export type MediaKind = (typeof MEDIA_KINDS)[number];

/** Media type of a manifest store in a file of its own (C2PA 2.4 section 11.4). */
export const MANIFEST_STORE_MEDIA_TYPE = 'application/c2pa';

interface MediaTypeFacts {
  readonly kind: MediaKind;
  /** What people call it. */
  readonly name: string;
  /** The first is the one under which it is served. */
  readonly extensions: readonly [string, ...string[]];
}

/** Kinds are those of the container: an MP4 without a video track is found to be audio when it is looked into. */
export const MEDIA_TYPE_FACTS: Readonly<Record<SignableMediaType, MediaTypeFacts>> = {
  'image/png': { kind: 'image', name: 'PNG', extensions: ['png'] },
  'image/jpeg': { kind: 'image', name: 'JPEG', extensions: ['jpg', 'jpeg', 'jpe', 'jfif'] },
  'image/webp': { kind: 'image', name: 'WebP', extensions: ['webp'] },
  'image/avif': { kind: 'image', name: 'AVIF', extensions: ['avif'] },
  'image/tiff': { kind: 'image', name: 'TIFF', extensions: ['tiff', 'tif', 'dng'] },
  'image/gif': { kind: 'image', name: 'GIF', extensions: ['gif'] },
  'image/heic': { kind: 'image', name: 'HEIC', extensions: ['heic', 'heif'] },
  'image/heif': { kind: 'image', name: 'HEIF', extensions: ['heif', 'heic'] },
  'image/jxl': { kind: 'image', name: 'JPEG XL', extensions: ['jxl'] },
  'image/svg+xml': { kind: 'image', name: 'SVG', extensions: ['svg'] },
  'video/mp4': { kind: 'video', name: 'MP4', extensions: ['mp4', 'm4v', 'm4a'] },
  'video/quicktime': { kind: 'video', name: 'QuickTime', extensions: ['mov', 'qt'] },
  'video/webm': { kind: 'video', name: 'WebM', extensions: ['webm', 'weba'] },
  'video/x-matroska': { kind: 'video', name: 'Matroska', extensions: ['mkv', 'mka'] },
  'audio/wav': { kind: 'audio', name: 'WAV', extensions: ['wav', 'wave'] },
  'audio/mpeg': { kind: 'audio', name: 'MP3', extensions: ['mp3'] },
  'audio/mp4': { kind: 'audio', name: 'M4A', extensions: ['m4a', 'm4b', 'mp4'] },
  'audio/flac': { kind: 'audio', name: 'FLAC', extensions: ['flac'] },
  'audio/ogg': { kind: 'audio', name: 'Ogg', extensions: ['ogg', 'oga', 'opus', 'spx'] },
  'model/gltf-binary': { kind: 'model3d', name: 'GLB', extensions: ['glb'] },
  'model/gltf+json': { kind: 'model3d', name: 'glTF', extensions: ['gltf', 'json'] },
  'model/obj': { kind: 'model3d', name: 'OBJ', extensions: ['obj', 'txt'] },
  'model/stl': { kind: 'model3d', name: 'STL', extensions: ['stl'] },
  'model/vnd.usdz+zip': { kind: 'model3d', name: 'USDZ', extensions: ['usdz'] },
  'text/plain': { kind: 'text', name: 'text', extensions: ['txt', 'md', 'markdown', 'text', 'csv', 'log'] },
  'application/json': { kind: 'text', name: 'JSON', extensions: ['json'] },
};

/** `undefined` for what is not signed here. */
export function signableMediaType(mediaType: string): SignableMediaType | undefined {
  return SIGNABLE_MEDIA_TYPES.find((each) => each === mediaType);
}

export function embeddableMediaType(mediaType: string): EmbeddableMediaType | undefined {
  return EMBEDDABLE_MEDIA_TYPES.find((each) => each === mediaType);
}

export function manifestPlacementOf(mediaType: SignableMediaType): ManifestPlacement {
  return embeddableMediaType(mediaType) === undefined ? 'sidecar' : 'embedded';
}

/** Without the dot. */
export function fileExtensionOf(mediaType: SignableMediaType): string {
  return MEDIA_TYPE_FACTS[mediaType].extensions[0];
}

/** All names, for messages. */
export const SIGNABLE_NAMES = SIGNABLE_MEDIA_TYPES.map((type) => MEDIA_TYPE_FACTS[type].name).join(', ');
