import { sha256Hex } from '../../shared/bytes.js';
import { claimedTextHash, readProperties } from './cdx-properties.js';
import { placeOf } from './document-tree.js';
import { FormatError, shortened } from './format-error.js';
import { claimOf, expressionClaim, type LicenseClaim } from './license-claim.js';
import { combine, leavesOf } from './license-expression.js';
import { MAX_DOCUMENT_BYTES, MAX_EXPRESSION_CHARS, MAX_LICENSES_OF_SET } from './limits.js';
import { idsOf, type SpdxElement, type SpdxGraph } from './spdx-graph.js';

const LISTED = /^https?:\/\/spdx\.org\/licenses\/([A-Za-z0-9.+-]+)$/;
const NO_STATEMENT = /(?:^|[/_])(?:NoAssertion|None)(?:License)?$/;

/** The claim that a license element makes; `undefined` when the document does not contain the element. */
export function spdxLicense(
  graph: SpdxGraph,
  id: string,
  path: readonly string[] = [],
): LicenseClaim | undefined {
  const element = graph.elements.get(id);
  if (element && path.includes(id)) {
    const at = placeOf(element.fields.report.tree, element.fields.map);
    throw new FormatError('cyclic-reference', at, 'a license set contains itself');
  }
  if (element) {
    const claim = graph.claims.get(id) ?? elementClaim(graph, element, [...path, id]);
    graph.claims.set(id, claim);
    return claim;
  }
  const listed = LISTED.exec(id)?.[1];
  if (listed !== undefined) return claimOf(listed);
  return NO_STATEMENT.test(id) ? claimOf('NOASSERTION') : undefined;
}

function elementClaim(graph: SpdxGraph, element: SpdxElement, path: readonly string[]): LicenseClaim {
  const { fields, id, type } = element;
  switch (type) {
    case 'simplelicensing_LicenseExpression': {
      const declared = fields.text('simplelicensing_licenseExpression', 2_000)?.text ?? 'NOASSERTION';
      const details = {
        name: fields.text('name')?.text ?? null,
        url: textAddress(element),
        textSha256: textHash(element),
      };
      return claimOf(declared, details);
    }
    case 'expandedlicensing_ListedLicense':
      return claimOf(LISTED.exec(id)?.[1] ?? fields.text('name')?.text ?? id);
    case 'expandedlicensing_ConjunctiveLicenseSet':
      return setClaim(graph, element, 'and', path);
    case 'expandedlicensing_DisjunctiveLicenseSet':
      return setClaim(graph, element, 'or', path);
    default:
      return claimOf(fields.text('name')?.text ?? id, { textSha256: textHash(element) });
  }
}

function setClaim(
  graph: SpdxGraph,
  { fields, id }: SpdxElement,
  kind: 'and' | 'or',
  path: readonly string[],
): LicenseClaim {
  const members = fields.nodes('expandedlicensing_member').flatMap((node) => idsOf(node, fields));
  const claims = members.map((member) => spdxLicense(graph, member, path));
  const expressions = claims.flatMap((claim) => (claim?.expression ? [claim.expression] : []));
  const declared = claims
    .map((claim, i) => claim?.declared ?? members[i] ?? '')
    .join(` ${kind.toUpperCase()} `);
  const leaves = expressions.reduce((sum, expression) => sum + leavesOf(expression).length, 0);
  if (expressions.length < members.length || leaves === 0 || leaves > MAX_LICENSES_OF_SET) {
    return claimOf(declared === '' ? id : shortened(declared, MAX_EXPRESSION_CHARS));
  }
  return expressionClaim(declared, combine(kind, expressions));
}

/** Address of the text of a LicenseRef, as the exporter wrote it. */
function textAddress({ fields }: SpdxElement): string | null {
  for (const entry of fields.nodes('simplelicensing_customIdToUri')) {
    const value = entry.kind === 'map' ? entry.entries.get('value') : undefined;
    if (value) return fields.textOf(value, 2_000).text;
  }
  return null;
}

/** The hash of the text that stands in the document; otherwise the hash that our own exporter wrote. */
function textHash(element: SpdxElement): string | null {
  const text = element.fields.text('simplelicensing_licenseText', MAX_DOCUMENT_BYTES)?.text;
  return text === undefined ? claimedTextHash(extensionOf(element)) : sha256Hex(text);
}

/** The name-value pairs of the CycloneDX extension. */
export function extensionOf({ fields }: SpdxElement): ReadonlyMap<string, string> {
  const items = fields.nodes('extension').flatMap((node) => {
    const list = node.kind === 'map' ? node.entries.get('extension_cdxProperty') : undefined;
    return list?.kind === 'list' ? fields.itemsOf(list) : [];
  });
  const keys = { name: 'extension_cdxPropName', value: 'extension_cdxPropValue' };
  return readProperties(items, fields.report, keys);
}
