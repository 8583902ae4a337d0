import { type CampaignCosts, type CampaignReport, type Spent } from './campaign.js';

/** Steps of one listing that were made in one mode, ended alike, and whose cost is known by one basis. */
export interface StepsOfListing {
  /** Null for steps that people do. */
  readonly listingId: string | null;
  readonly mode: 'live' | 'test';
  readonly succeeded: boolean;
  readonly steps: number;
  readonly settledMicroUsd: bigint;
  /** How the cost is known; null for steps that are not settled. */
  readonly basis: string | null;
  /** Begun, and neither paid nor given back. */
  readonly openSteps: number;
  readonly openMicroUsd: bigint;
}

type Spending = Pick<CampaignReport, 'models' | 'chargedFailures' | 'testWork' | 'peopleSteps' | 'costs'>;

/**
 * Which models made something, what was paid for nothing, what was tried out, and what people did: every settled cent is
 * in exactly one of them, and all together are what is settled. Pure.
 */
export function spendingOf(rows: readonly StepsOfListing[]): Spending {
  const ofPeople = rows.filter(({ listingId }) => listingId === null);
  const ofModels = rows.filter(({ listingId }) => listingId !== null);
  const live = ofModels.filter(({ mode }) => mode === 'live');
  const made = byListing(live.filter(({ succeeded }) => succeeded));
  const steps = made.reduce((sum, one) => sum + one.steps, 0);
  return {
    models: made.map((one) => ({
      ...one,
      shareBasisPoints: Math.round((10_000 * one.steps) / steps),
    })),
    chargedFailures: byListing(live.filter(({ succeeded, basis }) => !succeeded && basis !== null)),
    testWork: byListing(
      ofModels.filter(({ mode, succeeded, basis }) => mode === 'test' && (succeeded || basis !== null)),
    ),
    peopleSteps: spentOn(ofPeople.filter(({ succeeded, basis }) => succeeded || basis !== null)),
    costs: costsOf(rows),
  };
}

function byListing(rows: readonly StepsOfListing[]): (Spent & { listingId: string })[] {
  const groups = new Map<string, StepsOfListing[]>();
  for (const row of rows) groups.set(row.listingId ?? '', [...(groups.get(row.listingId ?? '') ?? []), row]);
  return [...groups]
    .map(([listingId, group]) => ({ listingId, ...spentOn(group) }))
    .sort((a, b) => b.steps - a.steps || (a.listingId < b.listingId ? -1 : 1));
}

function spentOn(rows: readonly StepsOfListing[]): Spent {
  return { steps: count(rows), settledMicroUsd: sum(rows, 'settledMicroUsd').toString() };
}

function costsOf(rows: readonly StepsOfListing[]): CampaignCosts {
  const settled = rows.filter(({ basis }) => basis !== null);
  const basis: Record<string, number> = {};
  for (const { basis: name, steps } of settled) basis[name ?? ''] = (basis[name ?? ''] ?? 0) + steps;
  return {
    settledMicroUsd: sum(rows, 'settledMicroUsd').toString(),
    openMicroUsd: sum(rows, 'openMicroUsd').toString(),
    settledSteps: count(settled),
    openSteps: rows.reduce((total, { openSteps }) => total + openSteps, 0),
    basis,
  };
}

function count(rows: readonly StepsOfListing[]): number {
  return rows.reduce((total, { steps }) => total + steps, 0);
}

function sum(rows: readonly StepsOfListing[], of: 'settledMicroUsd' | 'openMicroUsd'): bigint {
  return rows.reduce((total, row) => total + row[of], 0n);
}
