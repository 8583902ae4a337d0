import { readFileSync } from 'node:fs';
import { packageFile } from '../../../config/package-root.js';
import { type FontName } from './theme.js';

/** Noto Sans and Noto Sans Mono, SIL Open Font License 1.1 (`src/reports/fonts/OFL.txt`). PDF/A embeds what it shows. */
const FILES: Readonly<Record<FontName, string>> = {
  regular: 'NotoSans-Regular.ttf',
  strong: 'NotoSans-SemiBold.ttf',
  mono: 'NotoSansMono-Regular.ttf',
};

const loaded = new Map<FontName, Buffer>();

/** Bytes of one of the fonts; read once. */
export function fontBytes(name: FontName): Buffer {
  const known = loaded.get(name);
  if (known) return known;
  const bytes = readFileSync(packageFile(`src/reports/fonts/${FILES[name]}`));
  loaded.set(name, bytes);
  return bytes;
}
