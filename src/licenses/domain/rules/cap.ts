import { type Boundary, type CapScope } from '../terms.js';
import { type EngineVersion, isSince } from '../engine-version.js';
import { type Figure } from '../run-facts.js';

/** Where a figure stands against a cap. */
export type CapState = 'within' | 'at-disputed-amount' | 'over' | 'unknown';

/** `inclusive`: figure >= amount is over. `exclusive`: figure > amount is over. */
export function exceeds(figure: number, amount: number, boundary: Boundary): boolean {
  return boundary === 'inclusive' ? figure >= amount : figure > amount;
}

export interface Cap {
  readonly amount: number;
  readonly boundary: Boundary;
  readonly disputed: boolean;
  readonly scope: CapScope;
}

export interface Figures {
  readonly entity: Figure;
  readonly withAffiliates: Figure;
  readonly product: Figure;
}

/**
 * The bounds of the figure that a scope asks for: a product earns no more than its company, and a company no more than
 * it earns with its affiliates. So a stated part can break a wider cap, and a stated whole can keep a narrower one.
 */
export function capState(cap: Cap, figures: Figures, version: EngineVersion): CapState {
  const { least, most } = boundsOf(cap.scope, figures, version);
  if (least !== null && exceeds(least, cap.amount, cap.boundary)) return 'over';
  if (cap.disputed && least === cap.amount) return 'at-disputed-amount';
  if (most === null || exceeds(most, cap.amount, cap.boundary)) return 'unknown';
  return cap.disputed && most === cap.amount ? 'at-disputed-amount' : 'within';
}

function boundsOf(scope: CapScope, figures: Figures, version: EngineVersion) {
  const { entity, withAffiliates, product } = figures;
  if (isSince('2.2.0', version)) return nestedBounds(scope, figures);
  switch (scope) {
    case 'entity+affiliates':
      return { least: known(withAffiliates) ?? known(entity), most: known(withAffiliates) };
    case 'entity':
      return { least: known(entity), most: known(entity) ?? known(withAffiliates) };
    case 'product':
      return { least: known(product), most: known(product) ?? known(entity) ?? known(withAffiliates) };
  }
}

const known = (figure: Figure): number | null => (figure === 'unknown' ? null : figure);

/**
 * The same for figures that may contradict each other: a part that is larger than the whole is the least that the whole
 * can be.
 */
function nestedBounds(scope: CapScope, { entity, withAffiliates, product }: Figures) {
  const [ofProduct, ofEntity, ofAll] = [known(product), known(entity), known(withAffiliates)];
  switch (scope) {
    case 'product':
      return bounds(ofProduct, ofProduct ?? ofEntity ?? ofAll);
    case 'entity':
      return bounds(greater(ofProduct, ofEntity), ofEntity ?? ofAll);
    case 'entity+affiliates':
      return bounds(greater(greater(ofProduct, ofEntity), ofAll), ofAll);
  }
}

function bounds(least: number | null, most: number | null) {
  return { least, most: most === null ? null : greater(least, most) };
}

function greater(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.max(one, other);
}

const WHOLE_NUMBERS = new Intl.NumberFormat('en-US');

/** The amount of a cap in words, e.g. 1,000,000. */
export function amountWords(amount: number): string {
  return WHOLE_NUMBERS.format(amount);
}
