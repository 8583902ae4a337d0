import { type Asset } from '../../assets/domain/asset.js';
import { type AssetStore } from '../../assets/domain/asset-store.port.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type ProviderInput, type ProviderRequest } from '../domain/provider.port.js';
import { machineOperation, type SealedStepInputs } from '../domain/run.js';
import { requireKind } from './input-media.js';
import { type StepInputs } from './step-inputs.js';
import { type StepWork } from './step-work.js';

export interface SaltedRequest {
  readonly request: ProviderRequest;
  readonly salt: string;
}

/** What a provider is asked for a step. The same whenever it is made: after a crash it is made again. */
export class BuildStepRequest {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly stepInputs: StepInputs,
    private readonly store: AssetStore,
  ) {}

  /** @throws ColophonError `inputs_erased`; `storage_unavailable` when an input image is not what its hash says */
  async build(work: StepWork): Promise<SaltedRequest> {
    const { request } = await this.buildWith(work, () => Promise.resolve());
    return request;
  }

  /**
   * @param also read in the same transaction
   * @throws ColophonError as {@link build}
   */
  async buildWith<Other>(
    { organizationId, run, step }: StepWork,
    also: (tx: Tx, inputs: SealedStepInputs, assets: Readonly<Record<string, Asset>>) => Promise<Other>,
  ): Promise<{ readonly request: SaltedRequest; readonly other: Other }> {
    const { inputs, assets, other } = await this.organizationTx.run(organizationId, async (tx) => {
      const inputs = await this.stepInputs.open(tx, run, step);
      const assets = await this.stepInputs.images(tx, run, step, inputs);
      return { inputs, assets, other: await also(tx, inputs, assets) };
    });
    const media: Record<string, ProviderInput> = {};
    for (const [name, asset] of Object.entries(assets)) {
      const path = await this.store.localPath(organizationId, asset.sha256);
      const kind = requireKind(asset.mediaType, inputs.images[name]?.media ?? 'image', name);
      media[name] = { path, mediaType: asset.mediaType, kind, sha256: asset.sha256 };
    }
    const { parameters, salt } = inputs;
    const request = {
      stepRunId: step.id,
      operation: machineOperation(step),
      endpoint: step.endpoint,
      parameters,
      inputs: media,
    };
    return { request: { request, salt }, other };
  }

  /** A request is built in an earlier transaction than the one that commits its intent: what was erased since is not sent. */
  async requireUnerased(tx: Tx, { run, step }: StepWork): Promise<void> {
    await this.stepInputs.open(tx, run, step);
  }
}

/** SHA-256(salt || canonical JSON of the request): fixes what was asked without letting a prompt be guessed. */
export function requestHash({ request, salt }: SaltedRequest): string {
  const images = Object.fromEntries(
    Object.entries(request.inputs).map(([name, { sha256 }]) => [name, sha256]),
  );
  const parameters = request.parameters as Record<string, JsonValue>;
  return sha256Hex(
    Buffer.from(salt, 'base64url'),
    canonicalJson({ endpoint: request.endpoint, parameters, images }),
  );
}
