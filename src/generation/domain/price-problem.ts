import { ColophonError } from '../../shared/errors.js';

/** Why a request has no price, and of which parameter that is true. */
export interface PriceProblem {
  readonly path: string;
  readonly message: string;
}

/** More would be read by nobody. */
const MAX_NAMED = 20;

/** All at once, so that nobody has to ask as often as there are parameters. @throws ColophonError `price_unknown` */
export function refuseWithoutPrice(problems: readonly PriceProblem[]): void {
  const named = [...new Map(problems.map((problem) => [problem.message, problem])).values()].slice(
    0,
    MAX_NAMED,
  );
  if (named.length === 0) return;
  throw new ColophonError('price_unknown', named.map(({ message }) => message).join(' '), {
    extensions: { errors: named },
  });
}
