import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FontName } from './theme.js';

/** Noto Sans and Noto Sans Mono, SIL Open Font License 1.1 (`src/reports/fonts/OFL.txt`). PDF/A embeds what it shows. */
const FILES: Readonly<Record<FontName, string>> = {
  regular: 'NotoSans-Regular.ttf',
  strong: 'NotoSans-SemiBold.ttf',
  mono: 'NotoSansMono-Regular.ttf',
};

/** The build compiles TypeScript only, so the fonts stay under `src`: found from the package root, from both places. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('the package root was not found');
    folder = parent;
  }
  return folder;
}

const loaded = new Map<FontName, Buffer>();

/** Bytes of one of the fonts; read once. */
export function fontBytes(name: FontName): Buffer {
  const known = loaded.get(name);
  if (known) return known;
  const bytes = readFileSync(join(packageRoot(), 'src', 'reports', 'fonts', FILES[name]));
  loaded.set(name, bytes);
  return bytes;
}
