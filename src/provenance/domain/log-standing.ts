import { type ClaimFinding } from './signature-finding.js';
import { type MediaVerification } from './media-verifier.port.js';

/** Where our log holds something that we signed. */
export interface LogPlace {
  readonly origin: string;
  /** `undefined` while the entry is committed but has no index yet. */
  readonly entryIndex: number | undefined;
  /** RFC 3339: when the signing was recorded. */
  readonly recordedAt: string;
  /** The newest signed checkpoint that covers the entry; `undefined` while none does. */
  readonly checkpoint: { readonly treeSize: number; readonly signedAt: string } | undefined;
  /** It was made with a test key. */
  readonly isTest: boolean;
  /** Its release was taken back. `at` is RFC 3339; `reason` a machine word, e.g. `rights_claim`. */
  readonly recall?: { readonly at: string; readonly reason: string } | undefined;
}

/** What our log knows about a file: about its bytes, and about the manifests in it. */
export interface LogKnowledge {
  readonly file: LogPlace | undefined;
  /** By the SHA-256 of the claim. */
  readonly claims: ReadonlyMap<string, LogPlace>;
  /** Labels of manifests that we made. */
  readonly labels: ReadonlySet<string>;
  /** The manifest names a log of this installation as its record. */
  readonly namesOurLog: boolean;
}

/**
 * `in_log`: we signed exactly these bytes. `changed`: we signed the manifest, not these bytes. `forged`: it claims to
 * be ours and our log does not know it. `other_installation`: it names this product under another key. `unknown`.
 */
export type LogStatus = 'in_log' | 'changed' | 'forged' | 'other_installation' | 'unknown';

export interface LogStanding {
  readonly status: LogStatus;
  readonly text: string;
  readonly place: LogPlace | undefined;
  /** Manifests of ours among what the file was made from. */
  readonly history: readonly { readonly manifestLabel: string; readonly place: LogPlace }[];
  /** A signature that holds, by our key, that our log does not know: whoever made it has our key. */
  readonly misusedKey: ClaimFinding | undefined;
}

export function logStanding(verification: MediaVerification, known: LogKnowledge): LogStanding {
  const { claims } = verification;
  const active = claims.find(({ isActive }) => isActive);
  const history = claims
    .filter(({ isActive }) => !isActive)
    .flatMap(({ manifestLabel, claimSha256 }) => {
      const place = known.claims.get(claimSha256);
      return place ? [{ manifestLabel, place }] : [];
    });
  const misusedKey = claims.find(
    ({ signatureHolds, isOurCertificate, claimSha256 }) =>
      signatureHolds && isOurCertificate && !known.claims.has(claimSha256),
  );
  const { status, place } = judge(verification, known, active, misusedKey);
  return {
    status,
    text:
      words({ status, place }, verification, misusedKey, history.length) +
      testWords(place) +
      recallWords(place, history),
    place,
    history,
    misusedKey,
  };
}

function judge(
  verification: MediaVerification,
  known: LogKnowledge,
  active: ClaimFinding | undefined,
  misusedKey: ClaimFinding | undefined,
): { status: LogStatus; place: LogPlace | undefined } {
  if (known.file) return { status: 'in_log', place: known.file };
  if (misusedKey) return { status: 'forged', place: undefined };
  const place = active && known.claims.get(active.claimSha256);
  if (place) return { status: 'changed', place };
  const hasOurLabel = active !== undefined && known.labels.has(active.manifestLabel);
  if (hasOurLabel && maybeDamaged(verification, active)) return { status: 'changed', place: undefined };
  // Our certificate is public: anybody can paste it into a manifest that our key never signed.
  const claimsToBeOurs = hasOurLabel || active?.isOurCertificate === true || known.namesOurLog;
  if (claimsToBeOurs) return { status: 'forged', place: undefined };
  const namesProduct = /^colophon\b/i.test(verification.chain?.claimGenerator ?? '');
  return { status: namesProduct ? 'other_installation' : 'unknown', place: undefined };
}

/**
 * A manifest with the name of one of ours and other words may be ours with a scratch. Not so when somebody else signed
 * it: names of manifests are public.
 */
function maybeDamaged({ verdict }: MediaVerification, active: ClaimFinding): boolean {
  const { signatureHolds, isOurCertificate, certificateSha256 } = active;
  return verdict === 'broken' && !signatureHolds && (isOurCertificate || certificateSha256 === undefined);
}

function testWords(place: LogPlace | undefined): string {
  return place?.isTest === true ? ' It was made with a test key: it is not for publication.' : '';
}

/** Whoever has the file is told not to use it, whatever its manifest says. */
function recallWords(place: LogPlace | undefined, history: LogStanding['history']): string {
  if (place?.recall) {
    const { at, reason } = place.recall;
    return ` Its publisher took the release of this work back on ${at.slice(0, 10)} (${reason.replaceAll('_', ' ')}): it must not be used any more.`;
  }
  return history.some((known) => known.place.recall)
    ? ' Something that it was made from was recalled by its publisher; see the history.'
    : '';
}

function words(
  { status, place }: Pick<LogStanding, 'status' | 'place'>,
  { verdict }: MediaVerification,
  misusedKey: ClaimFinding | undefined,
  ours: number,
): string {
  switch (status) {
    case 'in_log':
      return verdict === 'none'
        ? 'The log of this installation holds exactly this file. Its manifest is a file of its own: send it too to have it checked.'
        : 'This installation signed exactly this file, and its log says so.';
    case 'changed':
      if (place === undefined)
        return 'The manifest in this file has the name of one that this installation signed, and is not that one: it was changed or damaged, or somebody copied the name. Ask for the original.';
      return verdict === 'broken'
        ? 'This installation signed the manifest in this file, but the file is another one now: it was saved again, edited or damaged after it was signed. Ask for the original.'
        : 'This installation signed the manifest in this file. Some bytes differ from the file that it recorded, in places that no signature covers, and what is shown or heard may lie there. Ask for the original.';
    case 'forged':
      return misusedKey
        ? 'The file carries a signature by the key of this installation, but its log does not know it. Treat it as a forgery and tell the operator: somebody else may have the key.'
        : 'The file names this installation as its maker, but this installation neither signed nor recorded it. Treat it as a forgery.';
    case 'other_installation':
      return 'The manifest names this product, but not this installation: another one may have made it, under its own key and with its own log.';
    case 'unknown':
      return ours > 0
        ? `The log of this installation does not know this file. It does know ${ours === 1 ? 'a manifest' : `${ours} manifests`} among what the file was made from.`
        : 'The log of this installation does not know this file.';
  }
}
