import { type NamedActorRole, type PlannedAssertion, type PlannedIdentity } from './manifest-plan.js';

/** With which key somebody is named in a manifest. */
export type Naming = Pick<PlannedIdentity, 'key' | 'isTrustedHere'>;

/** What is said in the name of an actor, beside the actions and the bytes: the words of the customer. */
const NAMED_REFERENCES: ReadonlySet<string> = new Set(['cawg.metadata', 'cawg.training-mining']);

export function namedAs(
  naming: Naming,
  roles: readonly NamedActorRole[],
  assertions: readonly PlannedAssertion[],
): PlannedIdentity {
  const references = assertions.map(({ label }) => label).filter((label) => NAMED_REFERENCES.has(label));
  return { ...naming, roles, references };
}
