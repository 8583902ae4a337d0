/** What can be asked to predict: an official model, one version of a model, or a deployment of the account's own. */
export type ReplicateEndpoint =
  | { readonly kind: 'model'; readonly model: string }
  | { readonly kind: 'version'; readonly model: string; readonly version: string }
  | { readonly kind: 'deployment'; readonly owner: string; readonly name: string };

const NAME = '[A-Za-z0-9](?:[A-Za-z0-9_-]|\\.(?!\\.)){0,63}';
const MODEL = new RegExp(`^(${NAME}/${NAME})(?::([0-9a-f]{64}))?$`);
const DEPLOYMENT = new RegExp(`^deployments/(${NAME})/(${NAME})$`);

/** `owner/name`, `owner/name:<64 hex>` or `deployments/owner/name`. It becomes part of a URL: nothing else passes. */
export function readReplicateEndpoint(text: string): ReplicateEndpoint | undefined {
  const [, owner, name] = DEPLOYMENT.exec(text) ?? [];
  if (owner !== undefined && name !== undefined) return { kind: 'deployment', owner, name };
  const [, model, version] = MODEL.exec(text) ?? [];
  if (model === undefined) return undefined;
  return version === undefined ? { kind: 'model', model } : { kind: 'version', model, version };
}

/** Prediction ids become part of a URL as well. */
export function isPredictionId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9-]{0,127}$/.test(text);
}

/**
 * Whether a prediction is of what was asked for. A deployment runs what the account has put behind its name: which
 * model that is, only the prediction says, and it is kept as a claim.
 */
export function isOf(
  endpoint: ReplicateEndpoint,
  prediction: { readonly model?: string | undefined; readonly version?: string | undefined },
): boolean {
  switch (endpoint.kind) {
    case 'deployment':
      return true;
    case 'model':
      return prediction.model === undefined || prediction.model === endpoint.model;
    case 'version':
      return prediction.version === undefined || prediction.version === endpoint.version;
  }
}
