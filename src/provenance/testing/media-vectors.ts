import { readFile } from 'node:fs/promises';
import { type SignableMediaType } from '../domain/media-types.js';

/** For tests: tiny files of every kind but the six pictures that are made when they are needed (origin: README.md beside them). */
export const MEDIA_VECTORS: readonly (readonly [fileName: string, mediaType: SignableMediaType])[] = [
  ['still.heic', 'image/heic'],
  ['still.jxl', 'image/jxl'],
  ['drawing.svg', 'image/svg+xml'],
  ['clip.mp4', 'video/mp4'],
  ['clip.mov', 'video/quicktime'],
  ['tone.wav', 'audio/wav'],
  ['tone.mp3', 'audio/mpeg'],
  ['tone-without-tags.mp3', 'audio/mpeg'],
  ['tone.m4a', 'audio/mp4'],
  ['tone.flac', 'audio/flac'],
  ['clip.webm', 'video/webm'],
  ['clip.mkv', 'video/x-matroska'],
  ['tone.ogg', 'audio/ogg'],
  ['tone.opus', 'audio/ogg'],
  ['triangle.glb', 'model/gltf-binary'],
  ['triangle.gltf', 'model/gltf+json'],
  ['triangle.obj', 'model/obj'],
  ['triangle.stl', 'model/stl'],
  ['triangle-ascii.stl', 'model/stl'],
  ['triangle.usdz', 'model/vnd.usdz+zip'],
  ['words.txt', 'text/plain'],
  ['words.md', 'text/plain'],
  ['facts.json', 'application/json'],
];

/** The compiled program lies one folder deeper. */
const ROOT = import.meta.url.includes('/dist/src/') ? '../../../..' : '../../..';
const FOLDER = new URL(`${ROOT}/test/vectors/media/`, import.meta.url);

export function mediaVector(fileName: string): Promise<Buffer> {
  return readFile(new URL(fileName, FOLDER));
}
