import { type FileVerification } from '../domain/file-verification.js';
import { type LogPlace } from '../domain/log-standing.js';
import { type TimeStampFinding } from '../domain/signature-finding.js';
import { statusWords } from '../domain/status-words.js';
import { type TrustListUse } from '../domain/trust-list.js';

/** The one answer about a file, by whatever route it was asked for. Text in it is the file's own: show it escaped. */
export function verificationView({
  verification,
  headline,
  testWork,
  log,
  remoteManifest,
}: FileVerification) {
  const { signer, timeStamp, statuses } = verification;
  return {
    file: {
      sha256: verification.sha256,
      sizeBytes: verification.sizeBytes,
      mediaType: verification.mediaType,
    },
    manifestPlacement: verification.manifestPlacement ?? null,
    verdict: verification.verdict,
    headline,
    testWork: testWork ?? null,
    sentences: verification.sentences,
    trustedBy: verification.trustedBy ?? null,
    brokenIngredient: verification.brokenIngredient,
    breaks: verification.breaks,
    signer: signer
      ? { ...signer, list: listView(signer.list), notTrustedBecause: signer.notTrustedBecause ?? null }
      : null,
    timeStamp: timeStamp ? timeStampView(timeStamp) : null,
    disclosure: verification.disclosure ?? null,
    identities: verification.identities,
    log: {
      origin: null,
      entryIndex: null,
      recordedAt: null,
      checkpoint: null,
      recall: null,
      status: log.status,
      text: log.text,
      ...placeView(log.place),
      keyMisuse: log.misusedKey !== undefined,
      history: log.history.map(({ manifestLabel, place }) => ({ manifestLabel, ...placeView(place) })),
    },
    remoteManifest: remoteManifest ?? null,
    chain: verification.chain ?? null,
    statuses: statuses.map((status) => ({ ...status, meaning: statusWords(status.code) })),
  };
}

function placeView(place: LogPlace | undefined) {
  if (place === undefined) return {};
  const { origin, entryIndex, recordedAt, checkpoint, recall } = place;
  return {
    ...{ origin, entryIndex: entryIndex ?? null, recordedAt },
    ...{ checkpoint: checkpoint ?? null, recall: recall ?? null },
  };
}

function timeStampView({ status, at, authority, list }: TimeStampFinding) {
  return { status, at: at ?? null, authority: authority ?? null, list: listView(list) };
}

function listView(list: TrustListUse | undefined) {
  if (list === undefined) return null;
  return { ...list, issuedAt: list.issuedAt ?? null, nextUpdateAt: list.nextUpdateAt ?? null };
}
