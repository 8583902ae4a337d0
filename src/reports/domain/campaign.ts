import { counted } from '../../shared/counted.js';
import { type DossierSigner } from './dossier.js';

/**
 * What a campaign report says of a project, or of one use case of it, in a time. Times are RFC 3339 UTC, ids are public
 * ids, money is micro-USD as text. No names of people: who did what is in the dossiers of the assets.
 */
export interface CampaignReport {
  readonly v: 1;
  readonly reportId: string;
  readonly createdAt: string;
  readonly signedBy?: DossierSigner | undefined;
  readonly product: { readonly name: string; readonly version: string };
  readonly organization: { readonly id: string; readonly name: string };
  readonly project: { readonly id: string; readonly name: string };
  readonly useCase?: string | undefined;
  readonly span: { readonly from?: string | undefined; readonly until?: string | undefined };
  /** Finished files: released, or not made into another one. Oldest first. */
  readonly assets: readonly CampaignAsset[];
  /** Files on the way to these. */
  readonly intermediateAssets: number;
  /** Asset x market x obligation, in the order of the assets. */
  readonly matrix: readonly MatrixCell[];
  readonly expiries: readonly Expiry[];
  readonly indemnity: readonly IndemnityRow[];
  /** Of live steps that succeeded. */
  readonly models: readonly ModelUse[];
  /** Of live steps of which nothing usable came, and which are paid; absent in reports of older versions. */
  readonly chargedFailures?: readonly ModelSpent[] | undefined;
  /** Of steps that were made with test keys: the sandbox played the models of others. Absent in reports of older versions. */
  readonly testWork?: readonly ModelSpent[] | undefined;
  /** Choices and approvals in runs, which no model does; absent in reports of older versions. */
  readonly peopleSteps?: Spent | undefined;
  readonly costs: CampaignCosts;
  /** Exceptions that hold, or held, for runs of the campaign. */
  readonly waivers: readonly CampaignWaiver[];
  /** What outsiders claim of the files, or of what they were made from; absent in reports of older versions. */
  readonly claims?: readonly CampaignClaim[] | undefined;
  readonly changes: CampaignChanges;
  /** What is missing, unknown or open, most important first. */
  readonly gaps: readonly { readonly severity: 'open' | 'unknown' | 'note'; readonly text: string }[];
}

export type CampaignAssetState =
  | 'released'
  | 'recalled'
  | 'approved'
  | 'rejected'
  | 'changes_requested'
  /** Some have approved, but more have to. */
  | 'in_review'
  | 'not_reviewed';

export interface CampaignAsset {
  readonly id: string;
  readonly title: string;
  readonly mediaType: string;
  readonly mode: 'live' | 'test';
  readonly sha256: string;
  readonly createdAt: string;
  readonly state: CampaignAssetState;
  readonly releasedAt?: string | undefined;
  readonly recalledAt?: string | undefined;
  /** False for files from before obligations were recorded: then nobody worked out what is owed. */
  readonly obligationsKnown: boolean;
}

export interface MatrixCell {
  readonly assetId: string;
  /** Where it is owed, in words. */
  readonly market: string;
  readonly kind: string;
  readonly source: 'law' | 'license';
  readonly applies: 'yes' | 'may_apply';
  /** Of the obligation as it reads on the day of the report. */
  readonly state: 'open' | 'done' | 'waived' | 'not_applicable';
  /** `added` and `changed` since the file was signed; absent in reports of older versions. */
  readonly since?: 'signing' | 'added' | 'changed' | undefined;
  readonly blocking: boolean;
  readonly obligationId: string;
  readonly text: string;
  /** Said where the words of law or license were not verified. */
  readonly notVerified: string | null;
}

export interface Expiry {
  /** `YYYY-MM-DD`, or `unknown`. */
  readonly on: string;
  readonly what: 'waiver' | 'input_rights' | 'license' | 'campaign' | 'claim';
  readonly text: string;
  readonly subject: string;
  readonly isPast: boolean;
}

export interface IndemnityRow {
  readonly listingId: string;
  readonly result: 'intact' | 'lost' | 'unknown' | 'none';
  readonly runs: number;
  readonly lostBecause: readonly string[];
  readonly open: readonly string[];
}

export interface Spent {
  readonly steps: number;
  readonly settledMicroUsd: string;
}

export interface ModelSpent extends Spent {
  readonly listingId: string;
}

export interface ModelUse extends ModelSpent {
  /** Of all live steps of models that succeeded, in hundredths of a percent. */
  readonly shareBasisPoints: number;
}

/** Of everything in the campaign: what models made, charged failures, test work and steps of people. */
export interface CampaignCosts {
  readonly settledMicroUsd: string;
  /** Reserved for what is not settled. */
  readonly openMicroUsd: string;
  readonly settledSteps: number;
  readonly openSteps: number;
  readonly basis: Readonly<Record<string, number>>;
}

export interface CampaignWaiver {
  readonly id: string;
  readonly about: string;
  readonly reason: string;
  readonly approvedAt: string;
  readonly expiresAt: string;
  readonly isOpen: boolean;
}

export interface CampaignClaim {
  readonly id: string;
  readonly assetId: string;
  readonly kind: string;
  readonly receivedOn: string;
  readonly respondBy?: string | undefined;
  readonly recordedAt: string;
  readonly state: 'open' | 'upheld' | 'closed';
}

export interface CampaignChanges {
  /** The report before this one on the same campaign; absent for the first one. */
  readonly since?: { readonly reportId: string; readonly createdAt: string } | undefined;
  readonly items: readonly { readonly at: string; readonly text: string; readonly subject: string }[];
}

type Facts = Omit<CampaignReport, 'gaps'>;

/** What nobody should read past. Pure. */
export function campaignGaps(facts: Facts): CampaignReport['gaps'] {
  const { expiries, indemnity, costs, waivers } = facts;
  // What is owed for a test is owed by nobody: it is not for publication.
  const assets = facts.assets.filter(({ mode }) => mode === 'live');
  const known = new Map(assets.map((asset) => [asset.id, asset]));
  const matrix = facts.matrix.filter(({ assetId }) => known.has(assetId));
  const gaps: { severity: 'open' | 'unknown' | 'note'; text: string }[] = [];
  const add = (severity: 'open' | 'unknown' | 'note', number: number, text: string): void => {
    if (number > 0) gaps.push({ severity, text });
  };
  const openCells = matrix.filter(({ state, applies }) => state === 'open' && applies === 'yes');
  const released = openCells.filter(({ assetId }) => known.get(assetId)?.state === 'released');
  add(
    'open',
    released.length,
    `${counted(released.length, 'obligation')} of released files ${released.length === 1 ? 'is' : 'are'} open.`,
  );
  const waiting = openCells.length - released.length;
  add(
    'open',
    waiting,
    `${counted(waiting, 'obligation')} of files that are not released ${waiting === 1 ? 'is' : 'are'} open.`,
  );
  const recalled = assets.filter(({ state }) => state === 'recalled').length;
  add('open', recalled, `${counted(recalled, 'file was', 'files were')} recalled: not to be used any more.`);
  const claimed = (facts.claims ?? []).filter(({ state }) => state !== 'closed').length;
  add('open', claimed, `${counted(claimed, 'claim is', 'claims are')} not closed; see "Claims and notices".`);
  const past = expiries.filter(({ isPast }) => isPast).length;
  add(
    'open',
    past,
    `${counted(past, 'right or exception has', 'rights or exceptions have')} ended; see "Expiries".`,
  );
  const lost = indemnity.filter(({ result }) => result === 'lost').length;
  add('open', lost, `The indemnity of ${counted(lost, 'model', 'models')} is lost in at least one run.`);
  add(
    'open',
    costs.openSteps,
    `${counted(costs.openSteps, 'step is', 'steps are')} not settled: costs may grow.`,
  );
  const maybe = matrix.filter(({ state, applies }) => state === 'open' && applies === 'may_apply').length;
  add(
    'unknown',
    maybe,
    `${counted(maybe, 'obligation', 'obligations')} may apply: a person has to find out.`,
  );
  const unworked = assets.filter(({ obligationsKnown }) => !obligationsKnown).length;
  add('unknown', unworked, `For ${counted(unworked, 'file', 'files')} nobody worked out what is owed.`);
  const unsure = indemnity.filter(({ result }) => result === 'unknown').length;
  add(
    'unknown',
    unsure,
    `Whether an indemnity holds is not known for ${counted(unsure, 'model', 'models')}.`,
  );
  const endless = expiries.filter(({ on }) => on === 'unknown').length;
  add('unknown', endless, `${counted(endless, 'right has', 'rights have')} an end that nobody stated.`);
  const unverified = new Set(matrix.flatMap(({ notVerified }) => notVerified ?? [])).size;
  add(
    'note',
    unverified,
    `Not verified: ${counted(unverified, 'statement', 'statements')} of law or license.`,
  );
  const excepted = waivers.filter(({ isOpen }) => isOpen).length;
  add('note', excepted, `${counted(excepted, 'exception is', 'exceptions are')} in force.`);
  const tests = facts.assets.length - assets.length;
  add(
    'note',
    tests,
    `${counted(tests, 'file was made with a test key', 'files were made with test keys')}, without AI; see "Test files".`,
  );
  return gaps;
}
