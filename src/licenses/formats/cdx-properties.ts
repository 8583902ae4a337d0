import { type TreeNode } from './document-tree.js';
import { FieldReader } from './field-reader.js';
import { NO_EXPORTED_CLAIMS, type ExportedClaims } from './imported-listing.js';
import { type ReportWriter } from './import-report.js';
import { MAX_PROSE_CHARS } from './limits.js';
import { PROPERTY, SHA256_HEX } from './property-names.js';

/** Name-value pairs of CycloneDX (`name`, `value`) or of the CycloneDX extension of SPDX. The first of a name counts. */
export function readProperties(
  items: readonly TreeNode[],
  report: ReportWriter,
  keys: { readonly name: string; readonly value: string },
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const item of items) {
    const fields = FieldReader.of(item, report);
    const name = fields.text(keys.name)?.text;
    const value = fields.node(keys.value);
    if (name === undefined || !name.startsWith('colophon:') || value === undefined || found.has(name))
      continue;
    found.set(name, fields.textOf(value, MAX_PROSE_CHARS).text);
  }
  return found;
}

export function exportedClaims(properties: ReadonlyMap<string, string>): ExportedClaims {
  return {
    ...NO_EXPORTED_CLAIMS,
    listingId: properties.get(PROPERTY.listingId) ?? null,
    channel: properties.get(PROPERTY.channel) ?? null,
    rightsBasis: properties.get(PROPERTY.rightsBasis) ?? null,
    disclosure: properties.get(PROPERTY.disclosure) ?? null,
  };
}

/** A hash that the document claims for a license text; anything but 64 hexadecimal digits is no hash. */
export function claimedTextHash(properties: ReadonlyMap<string, string>): string | null {
  const hash = properties.get(PROPERTY.licenseTextSha256);
  return hash !== undefined && SHA256_HEX.test(hash) ? hash : null;
}
