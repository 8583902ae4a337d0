import {
  MEDIA_TYPE_FACTS,
  SIGNABLE_MEDIA_TYPES,
  type SignableMediaType,
} from '../../provenance/domain/media-types.js';
import { ColophonError } from '../../shared/errors.js';

/** Kinds of files which are not signed here, and which a program would open by their names. */
const OTHER_EXTENSIONS = new Set(
  'html htm xhtml xml js mjs css pdf zip jar exe dll msi bat cmd sh ps1 docx xlsx pptx doc xls ppt swf psd avi ogv 3gp aac'.split(
    ' ',
  ),
);
const KNOWN_EXTENSIONS = new Set(SIGNABLE_MEDIA_TYPES.flatMap((type) => MEDIA_TYPE_FACTS[type].extensions));

/**
 * A name that says something else than the bytes do is a mistake or a trick. Names without an extension, and with one
 * that says nothing about a kind of file, are let through: the name decides nothing.
 * @throws ColophonError `unsupported_media`
 */
export function refuseWrongExtension(fileName: string | undefined, mediaType: SignableMediaType): void {
  const extension = /\.([a-z0-9]{1,9})\s*$/i.exec(fileName ?? '')?.[1]?.toLowerCase() ?? '';
  const { extensions, name } = MEDIA_TYPE_FACTS[mediaType];
  if (extensions.includes(extension)) return;
  if (!KNOWN_EXTENSIONS.has(extension) && !OTHER_EXTENSIONS.has(extension)) return;
  throw new ColophonError(
    'unsupported_media',
    `The name of the file ends in ".${extension}", but its bytes are ${name}. Give it the right name, or send the right file.`,
  );
}
