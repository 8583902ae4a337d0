import { readFileSync } from 'node:fs';
import { packageFile } from '../../config/package-root.js';

let page: Buffer | undefined;

/** `verify.html`, as `npm run verifier-page` built it; the same bytes for every bundle of one version. */
export function verifierPage(): Buffer {
  page ??= readFileSync(packageFile('src/reports/verifier-page/verify.html'));
  return page;
}
