import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { type CycloneDxVersion } from '../../src/licenses/formats/cyclonedx-export.js';

const VECTORS = join(import.meta.dirname, '../vectors/licenses');
const schema = (name: string) =>
  JSON.parse(readFileSync(join(VECTORS, name), 'utf8')) as Record<string, unknown>;

/** The official schema of CycloneDX. */
export function cycloneDxSchema(version: CycloneDxVersion): ValidateFunction {
  // The schemas carry keywords for documentation that strict mode does not know.
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  // Formats of international addresses, which ajv-formats lacks; ours are plain URIs.
  ajv.addFormat('iri-reference', true).addFormat('idn-email', true);
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs']) {
    ajv.addSchema({
      ...schema(`${name}.schema.json`),
      $id: `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`,
    });
  }
  return ajv.compile(schema(`bom-${version}.schema.json`));
}

/** The schema of SPDX 3.0.1 that the SPDX project generates from its model. */
export function spdxSchema(): ValidateFunction {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  return ajv.compile(schema('spdx-3.0.1.schema.json'));
}
