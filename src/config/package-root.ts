import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder with package.json: the same for sources and for compiled code in dist/. */
function findPackageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('the program was separated from its package.json');
    folder = parent;
  }
  return folder;
}

export const PACKAGE_ROOT = findPackageRoot();

/** A file that is shipped as it is, e.g. a page or a font. */
export function packageFile(path: string): string {
  return join(PACKAGE_ROOT, path);
}
