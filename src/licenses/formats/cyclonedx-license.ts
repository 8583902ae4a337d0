import { sha256Hex } from '../../shared/bytes.js';
import { claimedTextHash, readProperties } from './cdx-properties.js';
import { type MapNode } from './document-tree.js';
import { FieldReader } from './field-reader.js';
import { claimOf, listClaim, type LicenseClaim } from './license-claim.js';
import { MAX_DOCUMENT_BYTES } from './limits.js';

export interface CdxLicenses {
  readonly declared: LicenseClaim | null;
  readonly concluded: LicenseClaim | null;
}

/** Names and values as CycloneDX writes properties. */
export const CDX_PROPERTY = { name: 'name', value: 'value' } as const;

interface Acknowledged {
  readonly claim: LicenseClaim;
  readonly concluded: boolean;
}

/**
 * `licenses` of a component: entries with an SPDX id, a name, or an expression. Without `acknowledgement` an entry
 * counts as declared: the weaker of the two statements.
 */
export function readCdxLicenses(fields: FieldReader): CdxLicenses {
  const node = fields.node('licenses');
  if (node === undefined) return { declared: null, concluded: null };
  const entries = fields.nodes('licenses').flatMap((item) => {
    const entry = FieldReader.of(item, fields.report, fields.label('licenses[].'));
    const license = entry.inner('license');
    const read = license === undefined ? expressionOf(entry) : licenseOf(license);
    return read === undefined ? [] : [read];
  });
  const claims = (concluded: boolean) =>
    entries.filter((entry) => entry.concluded === concluded).map(({ claim }) => claim);
  const label = fields.label('licenses');
  const told = (as: string, found: readonly LicenseClaim[]): LicenseClaim | null => {
    if (found.length === 0) return null;
    const claim = listClaim(found);
    fields.report.license(label, node, as, claim);
    return claim;
  };
  return {
    declared: told('declaredLicense', claims(false)),
    concluded: told('concludedLicense', claims(true)),
  };
}

function expressionOf(entry: FieldReader): Acknowledged | undefined {
  const expression = entry.text('expression', 2_000);
  if (expression === undefined) return undefined;
  return { claim: claimOf(expression.text), concluded: isConcluded(entry) };
}

/** A name beside which our exporter wrote the reference is found again by the reference. */
function licenseOf(license: FieldReader): Acknowledged | undefined {
  const id = license.text('id');
  const name = license.text('name', 2_000);
  const properties = readProperties(license.nodes('properties'), license.report, CDX_PROPERTY);
  const declared = id ?? (name && { text: properties.get('colophon:license:ref') ?? name.text });
  if (declared === undefined) return undefined;
  const details = {
    name: name?.text ?? null,
    url: license.text('url', 2_000)?.text ?? null,
    textSha256: textHash(license) ?? claimedTextHash(properties),
  };
  return { claim: claimOf(declared.text, details), concluded: isConcluded(license) };
}

function isConcluded(fields: FieldReader): boolean {
  const found = fields.text('acknowledgement');
  if (found !== undefined && found.text !== 'declared' && found.text !== 'concluded') {
    fields.report.notUnderstood(fields.label('acknowledgement'), found.node, 'unknown-value', found.text);
  }
  return found?.text === 'concluded';
}

/** SHA-256 of the license text in the document, decoded. */
function textHash(license: FieldReader): string | null {
  const text = license.inner('text');
  const content = text?.text('content', MAX_DOCUMENT_BYTES)?.text;
  if (text === undefined || content === undefined) return null;
  const encoding = text.text('encoding')?.text;
  if (encoding === undefined) return sha256Hex(content);
  return encoding === 'base64' ? sha256Hex(Buffer.from(content, 'base64')) : null;
}

/** `bom-ref` of a component, if it has one. */
export function refOf(map: MapNode): string | undefined {
  const ref = map.entries.get('bom-ref');
  return ref?.kind === 'scalar' && typeof ref.value === 'string' ? ref.value : undefined;
}
