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

/** What runs behind the name of a deployment, as the operator has cleared it. */
export interface DeployedModel {
  /** `owner/name` */
  readonly model: string;
  /** 64 hex digits. */
  readonly version: string;
}

/** By endpoint: `deployments/owner/name`. */
export type DeployedModels = Readonly<Record<string, DeployedModel>>;

/**
 * Whether a finished prediction is of what was asked for. What it does not say, it does not prove. Whoever owns a
 * deployment can put another model behind its name at any time, so it proves nothing by its name: model and version
 * must be those that were cleared.
 */
export function isOf(
  endpoint: ReplicateEndpoint,
  prediction: { readonly model?: string | undefined; readonly version?: string | undefined },
  deployed: DeployedModel | undefined,
): boolean {
  switch (endpoint.kind) {
    case 'deployment':
      return (
        deployed !== undefined &&
        prediction.model === deployed.model &&
        prediction.version === deployed.version
      );
    case 'model':
      return prediction.model === endpoint.model;
    case 'version':
      // The hash of a version stands for one model alone.
      return prediction.version === endpoint.version;
  }
}
