import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type AssetDossier } from '../domain/dossier.js';

/**
 * The dossier for machines: canonical JSON (RFC 8785), the same bytes for the same facts. Members without a value are
 * left out.
 */
export function renderDossierJson(dossier: AssetDossier): Buffer {
  // Through JSON text once, because the canonical form has no undefined.
  return canonicalJson(JSON.parse(JSON.stringify(dossier)) as JsonValue);
}
