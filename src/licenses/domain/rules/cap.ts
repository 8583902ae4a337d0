import { type Boundary, type CapScope } from '../terms.js';
import { type Figure } from '../run-facts.js';

/** Where a figure stands against a cap. */
export type CapState = 'within' | 'at-disputed-amount' | 'over' | 'unknown';

/** `inclusive`: figure >= amount is over. `exclusive`: figure > amount is over. */
export function exceeds(figure: number, amount: number, boundary: Boundary): boolean {
  return boundary === 'inclusive' ? figure >= amount : figure > amount;
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
export function capState(
  cap: {
    readonly amount: number;
    readonly boundary: Boundary;
    readonly disputed: boolean;
    readonly scope: CapScope;
  },
  figures: Figures,
): CapState {
  const { least, most } = boundsOf(cap.scope, figures);
  if (least !== null && exceeds(least, cap.amount, cap.boundary)) return 'over';
  if (cap.disputed && least === cap.amount) return 'at-disputed-amount';
  if (most === null || exceeds(most, cap.amount, cap.boundary)) return 'unknown';
  return cap.disputed && most === cap.amount ? 'at-disputed-amount' : 'within';
}

function boundsOf(scope: CapScope, { entity, withAffiliates, product }: Figures) {
  const known = (figure: Figure) => (figure === 'unknown' ? null : figure);
  switch (scope) {
    case 'entity+affiliates':
      return { least: known(withAffiliates) ?? known(entity), most: known(withAffiliates) };
    case 'entity':
      return { least: known(entity), most: known(entity) ?? known(withAffiliates) };
    case 'product':
      return { least: known(product), most: known(product) ?? known(entity) ?? known(withAffiliates) };
  }
}
