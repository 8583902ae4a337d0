import { v7 as uuidv7 } from 'uuid';

/**
 * Identifiers are UUIDv7 (RFC 9562): sortable by creation time, kept as `uuid` in the database.
 * The API shows them with a typed prefix, so that an asset id is never mistaken for a run id.
 */
export const ID_PREFIXES = {
  organization: 'org',
  project: 'prj',
  useCase: 'use',
  principal: 'prn',
  pipeline: 'pip',
  run: 'run',
  stepRun: 'stp',
  asset: 'ast',
  clearance: 'clr',
  clearanceMatrix: 'mtx',
  waiver: 'wvr',
  contribution: 'ctb',
  review: 'rvw',
  report: 'rep',
  shareLink: 'shl',
  reportSchedule: 'rsc',
  entry: 'ent',
  legalHold: 'lhd',
  erasure: 'era',
  removal: 'rmv',
  listing: 'lst',
  licenseText: 'ltx',
  curation: 'cur',
  catalogImport: 'imp',
  obligation: 'obl',
  obligationProof: 'prf',
  policy: 'plc',
  budget: 'bud',
  ownPrice: 'prc',
  routeChoice: 'rte',
  vote: 'vot',
  baseline: 'bas',
  outcomeImport: 'oim',
  signatureKey: 'sgk',
  correction: 'cor',
  attachment: 'att',
  storyboard: 'stb',
  reviewComment: 'rvc',
  examination: 'exm',
  claim: 'clm',
  claimAnswer: 'cla',
  webhookEndpoint: 'whe',
  webhookDelivery: 'whd',
} as const;

export type IdKind = keyof typeof ID_PREFIXES;

export function newId(): string {
  return uuidv7();
}

/** `("run", "018f...")` -> `"run_018f..."`, dashes removed. */
export function publicId(kind: IdKind, id: string): string {
  return `${ID_PREFIXES[kind]}_${id.replaceAll('-', '')}`;
}

const PUBLIC_ID = /^([a-z]{3})_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;

/** The inverse of {@link publicId}; `undefined` for anything that is not an id of this kind. */
export function parsePublicId(kind: IdKind, text: string): string | undefined {
  const match = PUBLIC_ID.exec(text);
  if (!match || match[1] !== ID_PREFIXES[kind]) return undefined;
  return match.slice(2).join('-');
}
