import { type FieldReader, type TextNode } from './field-reader.js';
import { claimOf, contradictoryClaim, listClaim, NO_LICENSE, type LicenseClaim } from './license-claim.js';
import { normalName } from './license-names.js';

/**
 * `license`, `license_name` and `license_link` of a card. The name counts only beside `license: other`; beside another
 * license it has to mean the same, otherwise the card contradicts itself.
 */
export function readCardLicense(fields: FieldReader): LicenseClaim {
  const licenses = fields.texts('license');
  const name = fields.text('license_name');
  const link = fields.text('license_link', 2_000);
  const claim = cardClaim(licenses, name, link);
  const at = licenses[0]?.node ?? name?.node;
  if (at === undefined) {
    fields.report.notUnderstood('license', fields.map, 'missing', 'the card names no license');
    return NO_LICENSE;
  }
  const named = licenses.length === 1 && isOther(licenses[0]) && name !== undefined;
  const field = named || licenses.length === 0 ? 'license_name' : 'license';
  fields.report.license(field, named ? name.node : at, 'declaredLicense', claim);
  if (named) fields.report.understood('license', at, 'declaredLicense', 'the license is in license_name');
  if (link) fields.report.understood('license_link', link.node, 'declaredLicense.url', link.text);
  return claim;
}

function cardClaim(
  licenses: readonly TextNode[],
  name: TextNode | undefined,
  link: TextNode | undefined,
): LicenseClaim {
  const details = { name: name?.text ?? null, url: link?.text ?? null };
  const [first] = licenses;
  if (first === undefined) return name ? claimOf(name.text, details) : NO_LICENSE;
  if (licenses.length > 1) return listClaim(licenses.map(({ text }) => claimOf(text, details)));
  if (name === undefined) return claimOf(first.text, details);
  const named = claimOf(name.text, details);
  if (isOther(first)) return named;
  const declared = claimOf(first.text, details);
  return named.spdx !== null && named.spdx === declared.spdx ? declared : contradictoryClaim(declared, named);
}

function isOther(license: TextNode | undefined): boolean {
  return license !== undefined && normalName(license.text) === 'other';
}
