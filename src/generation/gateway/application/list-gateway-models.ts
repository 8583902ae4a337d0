import { type OrganizationTx, type Tx } from '../../../database/organization-tx.js';
import { type Principal } from '../../../identity/domain/principal.js';
import { type WaiversInForce } from '../../../licenses/application/waivers-in-force.js';
import { type DecideClearance } from '../../../licenses/application/decide-clearance.js';
import { lineageOfSteps } from '../../application/build-lineage.js';
import { type Offering } from '../../domain/offering.js';
import { type GatewayPlace, type GatewayVendor } from '../domain/gateway-call.js';
import { type GatewayModels } from './gateway-models.js';
import { type GatewaySettingsOfUseCase, type SettingsInForce } from './gateway-settings-of-use-case.js';

export interface ClearedModel {
  /** As the vendor's SDK names it. */
  readonly name: string;
  readonly listingId: string;
  readonly operations: readonly Offering['operation'][];
}

/**
 * The models that a call without pictures would be cleared to use today, under the settings of the use case. A hint, not
 * a decision: nothing is recorded, and each call is decided by itself.
 */
export class ListGatewayModels {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly settings: GatewaySettingsOfUseCase,
    private readonly models: GatewayModels,
    private readonly decideClearance: DecideClearance,
    private readonly waivers: WaiversInForce,
  ) {}

  /** @throws ColophonError `not_found`, `gateway_closed` */
  async list(principal: Principal, vendor: GatewayVendor, place: GatewayPlace): Promise<ClearedModel[]> {
    const known = [...this.models.known(vendor)];
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const inForce = await this.settings.require(tx, place);
      const cleared: ClearedModel[] = [];
      for (const [name, offerings] of known) {
        const usable = [];
        for (const offering of offerings)
          if (await this.isCleared(tx, { principal, place, inForce, offering })) usable.push(offering);
        const [first] = usable;
        if (first === undefined) continue;
        const operations = usable.map(({ operation }) => operation);
        cleared.push({ name, listingId: first.listingId, operations });
      }
      return cleared;
    });
  }

  private async isCleared(
    tx: Tx,
    question: {
      readonly principal: Principal;
      readonly place: GatewayPlace;
      readonly inForce: SettingsInForce;
      readonly offering: Offering;
    },
  ): Promise<boolean> {
    const { principal, place, inForce, offering } = question;
    if (offering.provider === 'sandbox' && principal.mode === 'live') return false;
    const { listingId, operation, components = [] } = offering;
    const lineage = lineageOfSteps([{ stepKey: operation, operation, listingId, components }]);
    const use = { projectId: place.projectId, useCaseId: inForce.useCaseId };
    const asked = { roles: principal.roles, use, texts: [], originProjectIds: [] };
    const { result, registry } = await this.decideClearance.decide(
      tx,
      lineage,
      inForce.settings.facts,
      asked,
    );
    if (result.decision !== 'review') return result.decision === 'allow';
    const { findings } = result;
    const { campaignEnd } = inForce.settings.facts;
    const open = { ...use, findings, askedBy: [principal.principalId], campaignEnd };
    return (await this.waivers.coversFindings(tx, open, registry)) !== undefined;
  }
}
