import { type OrganizationTx, type Tx } from '../../../database/organization-tx.js';
import { type Principal } from '../../../identity/domain/principal.js';
import { type Finding } from '../../../licenses/domain/finding.js';
import { ColophonError } from '../../../shared/errors.js';
import { publicId } from '../../../shared/ids.js';
import { type StartedRun, type StartRun, type StartRunRequest } from '../../application/start-run.js';
import { type RunValue } from '../../domain/definition-words.js';
import { type Offering } from '../../domain/offering.js';
import { type Run } from '../../domain/run.js';
import { callPipeline } from '../domain/call-pipeline.js';
import { variantsOf } from '../domain/call-variants.js';
import { type CallIdentity, type GatewayCall, type GatewayVendor } from '../domain/gateway-call.js';
import { JOB_VENDORS } from '../domain/gateway-job.js';
import { refuseKeysIn } from '../domain/keys-in-input.js';
import { type GatewayModels } from './gateway-models.js';
import { type Claim, ClaimLostError, type GatewayRequests, type RequestedRun } from './gateway-requests.js';
import { type GatewaySettingsOfUseCase, type SettingsInForce } from './gateway-settings-of-use-case.js';
import { type FetchInputs } from './fetch-inputs.js';
import { type ReceivedInput, type ReceiveFiles } from './receive-files.js';

const MAX_CLAIMS = 5;

/** What else is to be kept of a call. Done in the transaction that accepts its run: both are there, or neither is. */
export type Alongside = (tx: Tx, run: Run) => Promise<void>;
const NOTHING_ELSE: Alongside = () => Promise.resolve();

/**
 * A call of a vendor's SDK becomes an ordinary run, once, however often it is sent. Everything that can be refused is
 * refused here, before anything is accepted; there is no other way from the gateway to a provider.
 */
export class TakeCall {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly settings: GatewaySettingsOfUseCase,
    private readonly models: GatewayModels,
    private readonly requests: GatewayRequests,
    private readonly receiveFiles: ReceiveFiles,
    private readonly fetchInputs: FetchInputs,
    private readonly startRun: StartRun,
  ) {}

  /**
   * @returns the run of this call: new, or the one that an earlier sending made
   * @throws ColophonError `invalid_request`, `not_found`, `gateway_closed`, `unknown_model`, `input_rights_undeclared`, `clearance_denied`,
   *   `waiver_required`, `budget_exceeded`, `idempotency_key_reused`, and what an upload and a run throw
   */
  async take(
    principal: Principal,
    call: GatewayCall,
    identity: CallIdentity,
    alongside: Alongside = NOTHING_ELSE,
  ): Promise<RequestedRun> {
    refuseKeysIn(call);
    const isWhole = needsNothingElse(call);
    const taken = isWhole ? await this.takeAtOnce(principal, call, identity, alongside) : undefined;
    return taken ?? this.takeUnderClaim(principal, call, identity, alongside);
  }

  /**
   * A call that brings no files is claimed and accepted in one transaction.
   * @returns `undefined` where there is something to wait for: a twin, or an earlier answer that may still show
   */
  private async takeAtOnce(
    principal: Principal,
    call: GatewayCall,
    identity: CallIdentity,
    alongside: Alongside,
  ): Promise<RequestedRun | undefined> {
    const answer = await this.organizationTx.run(principal.organizationId, async (tx) => {
      const inForce = await this.settings.require(tx, call.place);
      const offering = this.models.resolve(call);
      const entered = await this.requests.enterWithin(tx, principal, identity, true);
      if (entered?.kind !== 'claimed') return entered;
      const { claim } = entered;
      const request = requestOf(principal, call, { inForce, offering, inputs: {} });
      const started = await this.startRun.startWithin(tx, principal, request);
      await this.settle(tx, claim, started, alongside);
      return { requestId: claim.requestId, started };
    });
    if (answer === undefined || 'runId' in answer) return answer;
    return acceptedRun(answer.requestId, answer.started);
  }

  private async takeUnderClaim(
    principal: Principal,
    call: GatewayCall,
    identity: CallIdentity,
    alongside: Alongside,
  ): Promise<RequestedRun> {
    const inForce = await this.organizationTx.runAtOnce(principal.organizationId, (tx) =>
      this.settings.require(tx, call.place),
    );
    const offering = this.models.resolve(call);
    for (let attempt = 0; attempt < MAX_CLAIMS; attempt++) {
      const entered = await this.requests.enter(principal, identity);
      if (entered.kind === 'joined') return entered;
      try {
        return await this.accept(principal, call, { inForce, offering, claim: entered.claim, alongside });
      } catch (error) {
        // We took longer than the claim lasts, and a repetition took over: its run is ours.
        if (error instanceof ClaimLostError) continue;
        await this.free(principal, entered.claim);
        throw error;
      }
    }
    throw new ColophonError('idempotency_in_flight', 'The same request is being worked on.');
  }

  private async accept(
    principal: Principal,
    call: GatewayCall,
    { inForce, offering, claim, alongside }: Accepting,
  ): Promise<RequestedRun> {
    const inputs = await this.inputsOf(principal, call, inForce);
    const request = requestOf(principal, call, { inForce, offering, inputs });
    const started = await this.organizationTx.run(principal.organizationId, async (tx) => {
      const decided = await this.startRun.startWithin(tx, principal, request);
      await this.settle(tx, claim, decided, alongside);
      return decided;
    });
    return acceptedRun(claim.requestId, started);
  }

  /** The claim becomes the run, or ends with the refusal. */
  private async settle(tx: Tx, claim: Claim, started: StartedRun, alongside: Alongside): Promise<void> {
    if (!('run' in started)) return this.requests.leave(tx, claim);
    await this.requests.accept(tx, claim, started.run.id);
    await alongside(tx, started.run);
  }

  /** Only now, under the claim: a call that is sent again finds its run without its files being fetched again. */
  private async inputsOf(
    principal: Principal,
    { vendor, place, files, assets = {}, addresses = {} }: GatewayCall,
    inForce: SettingsInForce,
  ): Promise<Record<string, ReceivedInput>> {
    const accepted = takesMedia(vendor) ? 'media' : 'pictures';
    const received = await this.fetchInputs.with(inForce, addresses, (fetched) =>
      this.receiveFiles.receive(principal, place, inForce, { ...files, ...fetched }, accepted),
    );
    const kinds = await this.receiveFiles.kindsOf(principal, Object.values(assets));
    const known = Object.entries(assets).map(([name, assetId]): [string, ReceivedInput] => [
      name,
      { assetId, kind: kinds.get(assetId) ?? 'image' },
    ]);
    return { ...received, ...Object.fromEntries(known) };
  }

  /** When the database cannot be reached the claim ends by itself; the reason of the refusal is what counts. */
  private async free({ organizationId }: Principal, claim: Claim): Promise<void> {
    await this.organizationTx
      .run(organizationId, (tx) => this.requests.leave(tx, claim))
      .catch((error: unknown) => {
        if (!(error instanceof ColophonError)) throw error;
      });
  }
}

function needsNothingElse({ files, assets = {}, addresses = {} }: GatewayCall): boolean {
  return [files, assets, addresses].every((named) => Object.keys(named).length === 0);
}

/** The run that a call asks for. */
function requestOf(
  { mode }: Principal,
  call: GatewayCall,
  {
    inForce,
    offering,
    inputs,
  }: Pick<Accepting, 'inForce' | 'offering'> & { readonly inputs: Record<string, ReceivedInput> },
): StartRunRequest {
  const isTest = mode === 'test';
  const named = Object.entries(namedFor(isTest, inputs));
  const images = Object.fromEntries(named.map(([name, { assetId }]) => [name, assetId]));
  const kinds = Object.fromEntries(named.map(([name, { kind }]) => [name, kind]));
  const given: Readonly<Record<string, RunValue>> = isTest ? call.sandboxParameters : call.parameters;
  const { values, variant } = variantsOf(call.count, given, isTest);
  return {
    projectId: call.place.projectId,
    useCaseName: call.place.useCase,
    pipeline: callPipeline(call, offering, values, kinds, variant),
    inputs: { values, images, substitutes: {} },
    facts: inForce.settings.facts,
    underReview: 'refuse',
  };
}

/** @throws ColophonError `clearance_denied`, `waiver_required` */
function acceptedRun(requestId: string, started: StartedRun): RequestedRun {
  if (!('run' in started)) throw refusal(started);
  return { requestId, runId: started.run.id, isNew: true };
}

/** Models on fal and Replicate work on any of them; OpenAI's and Google's calls here are about pictures. */
function takesMedia(vendor: GatewayVendor): boolean {
  return JOB_VENDORS.some((one) => one === vendor);
}

interface Accepting {
  readonly inForce: SettingsInForce;
  readonly offering: Offering;
  readonly claim: Claim;
  readonly alongside: Alongside;
}

/** The sandbox knows a picture as `image`, however the vendor's model calls it. */
function namedFor(isTest: boolean, inputs: Record<string, ReceivedInput>): Record<string, ReceivedInput> {
  const first = Object.keys(inputs).find((name) => inputs[name]?.kind === 'image');
  if (!isTest || first === undefined || inputs.image !== undefined) return inputs;
  const { [first]: image, ...rest } = inputs;
  return image === undefined ? rest : { image, ...rest };
}

function refusal({ outcome, clearance }: Exclude<StartedRun, { readonly run: unknown }>): ColophonError {
  const clearanceId = publicId('clearance', clearance.id);
  const { findings } = clearance;
  const extensions = { clearanceId, findings };
  if (outcome === 'denied') {
    return new ColophonError(
      'clearance_denied',
      findings.find(({ severity }) => severity === 'deny')?.message ?? 'The licenses do not allow this.',
      { extensions },
    );
  }
  const open = findings.filter(({ severity }) => severity === 'review');
  return new ColophonError('waiver_required', openQuestions(clearanceId, open), { extensions });
}

function openQuestions(clearanceId: string, open: readonly Finding[]): string {
  const names = open.map(({ ruleId, listingId }) =>
    listingId === null ? ruleId : `${ruleId} (${listingId})`,
  );
  const shown = `${names.slice(0, 10).join(', ')}${names.length > 10 ? ', ...' : ''}`;
  const alone = open.some(({ ruleId, listingId }) => listingId === null || ruleId.startsWith('policy.'))
    ? ' Those of policies, and those that name no model, can be accepted for a single run only: start it with POST /v1/runs, which waits.'
    : '';
  return `The license check ${clearanceId} leaves questions open that a person must decide: ${shown}.${alone}`;
}
