import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import { parse } from 'yaml';
import addFormatsModule from 'ajv-formats';

type Version = '2.2' | '2.4';
interface Contract {
  readonly components: { readonly schemas: Record<string, unknown> };
  readonly paths: Record<string, Record<string, { readonly responses: Record<string, unknown> }>>;
}

const FILES: Readonly<Record<Version, string>> = { '2.2': 'openapi-2.2.json', '2.4': 'openapi-2.4.yaml' };
const addFormats = addFormatsModule as unknown as (ajv: Ajv) => void;

/** The published contracts of the C2PA Soft Binding Resolution API, to hold answers against. */
export class SbrContract {
  private readonly contracts = Object.fromEntries(
    Object.entries(FILES).map(([version, file]) => [
      version,
      parse(readFileSync(new URL(`../vectors/sbr/${file}`, import.meta.url), 'utf8')) as Contract,
    ]),
  ) as Record<Version, Contract>;

  /** What is wrong with a JSON answer, as one line each; empty when it is as the contract says, and documented at all. */
  faultsOf(version: Version, method: string, path: string, status: number, body: unknown): string[] {
    const contract = this.contracts[version];
    const response = resolve(contract, contract.paths[path]?.[method]?.responses[String(status)]);
    if (response === undefined) return [`${method} ${path} has no answer ${String(status)} in ${version}`];
    const { schema } =
      (response as { content?: Record<string, { schema?: unknown }> }).content?.['application/json'] ?? {};
    if (schema === undefined) return [];
    const validate = this.validator(contract, schema);
    return validate(body)
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
  }

  private validator(contract: Contract, schema: unknown): ValidateFunction {
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats(ajv);
    return ajv.compile({ ...(schema as object), components: contract.components });
  }
}

function resolve(contract: Contract, node: unknown): unknown {
  const reference = (node as { $ref?: string } | undefined)?.$ref;
  if (reference === undefined) return node;
  return reference
    .slice(2)
    .split('/')
    .reduce((at: unknown, part) => (at as Record<string, unknown> | undefined)?.[part], contract);
}
