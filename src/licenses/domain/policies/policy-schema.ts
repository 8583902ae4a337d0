import { ROLES } from '../../../identity/domain/principal.js';
import { sha256Hex } from '../../../shared/bytes.js';
import { COUNTRIES } from '../countries.js';
import { DECISIONS, RULE_IDS } from '../finding.js';
import { RIGHTS_BASES } from '../rights.js';
import { PURPOSES } from '../terms.js';
import { DISCLOSURES, OPT_OUT_HANDLINGS, TRAINING_BASES } from '../training-data.js';

export const INDEMNITY_RESULTS = ['intact', 'lost', 'unknown', 'none'] as const;
export const ACCESS_KINDS = ['open-weights', 'api', 'code', 'unknown'] as const;

const words = (name: string, values: Iterable<string>): string =>
  `entity ${name} enum [${[...values].map((value) => `"${value}"`).join(', ')}];`;

/**
 * What a policy may ask about. Closed vocabularies are enumerated entities and not strings: a misspelled word in a
 * policy is then refused when it is saved, instead of never matching anything.
 *
 * A release may add attributes, and never changes the meaning of one.
 */
export const POLICY_SCHEMA = `// What policies of Colophon can ask about. docs/licenses/policies.md explains each attribute.
${words('Role', ROLES)}
${words('Decision', DECISIONS)}
${words('LicenseRule', RULE_IDS)}
${words('Purpose', PURPOSES)}
${words('Disclosure', DISCLOSURES)}
${words('TrainingRights', TRAINING_BASES)}
${words('OptOuts', OPT_OUT_HANDLINGS)}
${words('Indemnity', INDEMNITY_RESULTS)}
${words('Access', ACCESS_KINDS)}
${words('InputRights', RIGHTS_BASES)}
${words('Country', COUNTRIES)}

// What is known of several listings together: each set holds the values of all of them.
type Listings = {
  listings: Set<String>,
  models: Set<String>,
  channels: Set<String>,
  vendors: Set<String>,
  licenses: Set<String>,
  access: Set<Access>,
  trainingDisclosure: Set<Disclosure>,
  trainingRights: Set<TrainingRights>,
  optOuts: Set<OptOuts>,
  litigation: Bool,
  indemnity: Set<Indemnity>,
  indemnified: Bool
};

entity Person {
  roles: Set<Role>
};

entity Work {
  // Everything the work descends from, hidden components included.
  lineage: Listings,
  // Of these, the ones that make or change the picture: generators, editors, LoRAs.
  generators: Listings,
  license: { decision: Decision, findings: Set<LicenseRule> },
  purpose: Purpose,
  countries: Set<Country>,
  worldwide: Bool,
  inEuropeanUnion: Bool,
  inputRights: Set<InputRights>,
  project?: String,
  useCase?: String
};

action generate appliesTo {
  principal: [Person],
  resource: [Work],
  context: {}
};

action release appliesTo {
  principal: [Person],
  resource: [Work],
  context: { humanContribution: Bool, contributionKinds: Set<String> }
};
`;

export const POLICY_SCHEMA_SHA256 = sha256Hex(POLICY_SCHEMA);
