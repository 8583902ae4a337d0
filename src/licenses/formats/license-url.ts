import { spdxId } from './license-names.js';

const CREATIVE_COMMONS =
  /^https?:\/\/creativecommons\.org\/licenses\/(by(?:-nc)?(?:-sa|-nd)?)\/(\d\.\d)\/?(?:deed\.[a-z]{2}|legalcode)?$/;
const CC_ZERO = /^https?:\/\/creativecommons\.org\/publicdomain\/zero\/1\.0\/?(?:deed\.[a-z]{2}|legalcode)?$/;
/** Publishers whose address names the license by its SPDX id. */
const BY_ID = [
  /^https?:\/\/spdx\.org\/licenses\/([A-Za-z0-9.+-]+?)(?:\.html|\.json|\.txt)?$/,
  /^https?:\/\/opensource\.org\/licenses?\/([A-Za-z0-9.+-]+?)(?:\.php)?\/?$/,
  /^https?:\/\/choosealicense\.com\/licenses\/([a-z0-9.-]+?)\/?$/,
];
const APACHE = /^https?:\/\/(?:www\.)?apache\.org\/licenses\/LICENSE-2\.0(?:\.html|\.txt)?$/;

/**
 * The SPDX id of a license that is named by the address of its text. Only addresses that stand for one text; a
 * LICENSE file in some repository may hold anything, and national variants of Creative Commons are texts of their own.
 */
export function licenseOfUrl(url: string): string | undefined {
  if (CC_ZERO.test(url)) return 'CC0-1.0';
  if (APACHE.test(url)) return 'Apache-2.0';
  const commons = CREATIVE_COMMONS.exec(url);
  if (commons) return spdxId(`CC-${commons[1] ?? ''}-${commons[2] ?? ''}`);
  for (const pattern of BY_ID) {
    const id = pattern.exec(url)?.[1];
    if (id !== undefined) return spdxId(id);
  }
  return undefined;
}
