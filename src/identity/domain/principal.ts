import { ColophonError } from '../../shared/errors.js';
import { type KeyMode } from './api-key.js';

export const ROLES = ['creator', 'reviewer', 'legal', 'asset_manager', 'auditor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who acts, as proved by the presented key. */
export interface Principal {
  readonly organizationId: string;
  readonly principalId: string;
  readonly keyId: string;
  readonly mode: KeyMode;
  readonly roles: readonly Role[];
}

/**
 * What a role may do. Deny by default: an action that is not listed for a role is refused.
 * An admin manages people and money and can neither create, approve nor release: evidence is not theirs to make.
 */
const PERMISSIONS = {
  'runs:create': ['creator'],
  'runs:reconcile': ['admin'],
  /** A step that waits for a person; which of these roles it needs, its pipeline says. */
  'runs:answer': ['creator', 'reviewer', 'legal', 'asset_manager'],
  'assets:upload': ['creator'],
  'contributions:create': ['creator'],
  /** A key by which a person's records are theirs: each person registers their own. */
  'signature_keys:register': ['creator'],
  'signature_keys:revoke': ['creator', 'admin'],
  /** That a recorded act is not to be counted. */
  'contributions:withdraw': ['creator', 'legal'],
  'reviews:request': ['creator', 'asset_manager'],
  'reviews:comment': ['creator', 'reviewer', 'legal', 'asset_manager'],
  'reviews:decide': ['reviewer'],
  /** How many approvals a use case needs, and what besides. */
  'reviews:set': ['legal', 'admin'],
  'assets:release': ['asset_manager', 'reviewer'],
  'assets:recall': ['asset_manager', 'legal'],
  /** Words of people about their work, in clear; each look is in the log. */
  'human_work:open': ['creator', 'reviewer', 'legal', 'asset_manager', 'auditor'],
  /** That something owed was done. */
  'obligations:prove': ['reviewer', 'legal', 'asset_manager'],
  /** That something need not be done. */
  'obligations:lift': ['legal'],
  /** What was seen in a file, and what a search for similar works gave. */
  'examinations:record': ['reviewer', 'legal', 'asset_manager'],
  /** What contracts say of exclusivity, and that no claim is known: a legal judgment. */
  'examinations:judge': ['legal'],
  'claims:record': ['legal', 'asset_manager'],
  'claims:answer': ['legal'],
  'claims:read': ['reviewer', 'legal', 'asset_manager', 'auditor'],
  'clearances:create': ['creator', 'legal'],
  'waivers:approve': ['legal'],
  /** Own listings, license texts and corrections of facts: what every decision rests on. */
  'registry:record': ['legal'],
  /** What the organization forbids itself, on top of the licenses. */
  'policies:set': ['legal', 'admin'],
  /** The facts and rights under which calls of SDKs run, which cannot state any themselves. */
  'gateway:set': ['legal', 'admin'],
  /** Where other systems are told of what happens. */
  'webhooks:manage': ['admin'],
  'pipelines:create': ['creator'],
  /** Whoever is asked by the person, or by a court. A hold is the counterweight, so admins cannot lift one. */
  'erasures:create': ['legal', 'admin'],
  'legal_holds:manage': ['legal'],
  'legal_holds:read': ['legal', 'auditor'],
  /** What goes by itself when its time is over. What releases rest on, only with the role legal. */
  'retention:set': ['legal', 'admin'],
  'retention:read': ['legal', 'admin', 'auditor'],
  /** That a model's work is good enough, or better than another's. */
  'votes:cast': ['creator', 'reviewer', 'legal', 'asset_manager'],
  /** What the old way cost, and what became of what is shown. */
  'returns:record': ['asset_manager', 'admin'],
  'reports:create': ['legal', 'auditor', 'asset_manager'],
  /** Letting somebody outside read reports. */
  'reports:share': ['legal'],
  /** Which links there are, and ending one: also when whoever made it has left. */
  'share_links:end': ['legal', 'admin'],
  'reports:schedule': ['legal', 'asset_manager'],
  /** Whether strangers find the manifests of what was released. */
  'manifests:publish': ['asset_manager', 'legal', 'admin'],
  'organization:read': ['creator', 'reviewer', 'legal', 'asset_manager', 'auditor', 'admin'],
  'audit:read': ['creator', 'reviewer', 'legal', 'asset_manager', 'auditor', 'admin'],
  /** The log in bulk, and the check of every row: custody, not daily work. */
  'audit:export': ['legal', 'auditor', 'admin'],
  'organization:administer': ['admin'],
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof PERMISSIONS;

export function isPermitted(principal: Principal, permission: Permission): boolean {
  const allowed: readonly Role[] = PERMISSIONS[permission];
  return principal.roles.some((role) => allowed.includes(role));
}

/** @throws ColophonError `forbidden`, naming the roles that would be allowed. */
export function requirePermission(principal: Principal, permission: Permission): void {
  if (isPermitted(principal, permission)) return;
  throw new ColophonError('forbidden', `This needs one of the roles: ${PERMISSIONS[permission].join(', ')}.`);
}
