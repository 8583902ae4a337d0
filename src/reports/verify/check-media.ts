import { type EntryEnvelope } from '../../audit/core/entry.js';
import { type MediaVerification } from '../../provenance/domain/media-verifier.port.js';
import { type TrustList } from '../../provenance/domain/trust-list.js';
import { isColophonError } from '../../shared/errors.js';
import { BUNDLE_PATHS, type BundleFile, type BundleIndex } from '../domain/bundle-format.js';
import { type VerifyMedia } from './bundle-verification.js';
import { readIdentityLists, tellIdentities } from './check-identities.js';
import { type ProvedLog } from './check-log.js';
import { type BundleContents } from './check-sums.js';
import { type Checklist } from './checklist.js';

type AssetFile = Extract<BundleFile, { role: 'asset' }>;

/** Each media file against the entry that recorded its signing, and its manifest against file and entry. */
export async function checkMedia(
  index: BundleIndex,
  contents: BundleContents,
  log: ProvedLog,
  verifyMedia: VerifyMedia,
  checklist: Checklist,
): Promise<void> {
  const anchors = contents.get(BUNDLE_PATHS.trustAnchors)?.bytes?.toString('latin1') ?? '';
  const identityLists = readIdentityLists(contents, checklist);
  const files = index.files.filter((file) => file.role === 'asset');
  if (!files.some((file) => file.assetId === index.asset.id && file.sha256 === index.asset.sha256)) {
    checklist.fault(BUNDLE_PATHS.index, 'The bundle does not hold the asset that it is about.');
  }
  for (const file of files) {
    const content = contents.get(file.path);
    if (content?.scratchPath === undefined) continue;
    const entry = checkRecord(file, content.sha256, log, checklist);
    if (entry === undefined) continue;
    const sidecar = checkSidecar(file, entry, index, contents, checklist);
    const paths = { path: content.scratchPath, manifestPath: sidecar };
    const result = await verify(file, { ...paths, anchors, identityLists }, verifyMedia, checklist);
    if (result === undefined) continue;
    checkManifest(file, result, entry, checklist);
    tellIdentities(file.assetId, result, identityLists, checklist);
  }
}

function checkRecord(
  file: AssetFile,
  sha256: string,
  log: ProvedLog,
  checklist: Checklist,
): EntryEnvelope | undefined {
  if (sha256 !== file.sha256)
    checklist.fault(file.path, 'The file is not the one that bundle.json describes.');
  const signed = [...log.entries.values()].filter(
    ({ type, subject }) => type === 'asset.signed' && subject.id === file.assetId,
  );
  const entry = signed.find(({ data }) => data.sha256 === sha256);
  if (entry === undefined) {
    const text =
      signed.length === 0
        ? 'The bundle has no proved entry for the signing of this file.'
        : 'The file is not the one that was signed: the log recorded another SHA-256.';
    checklist.fault(file.path, text);
  } else checklist.equal(file.path, 'The media type', file.mediaType, entry.data.mediaType);
  return entry;
}

/** Where the manifest of a file that carries none lies unpacked; it must be the one that the log names. */
function checkSidecar(
  file: AssetFile,
  { data }: EntryEnvelope,
  index: BundleIndex,
  contents: BundleContents,
  checklist: Checklist,
): string | undefined {
  const described = index.files.find(({ role, ...rest }) => role === 'manifest' && isOf(rest, file.assetId));
  if (data.manifestPlacement !== 'sidecar') {
    if (described) checklist.fault(described.path, 'The log says that the manifest is inside of the file.');
    return undefined;
  }
  const content = described && contents.get(described.path);
  if (content?.scratchPath === undefined) {
    checklist.fault(
      file.path,
      'The manifest of this file is a file of its own, and the bundle does not hold it.',
    );
    return undefined;
  }
  checklist.equal(content.path, 'The SHA-256 of the manifest', content.sha256, data.manifestSha256);
  return content.scratchPath;
}

function isOf(role: object, assetId: string): boolean {
  return 'assetId' in role && role.assetId === assetId;
}

async function verify(
  file: AssetFile,
  {
    anchors,
    identityLists,
    ...paths
  }: {
    readonly path: string;
    readonly manifestPath: string | undefined;
    readonly anchors: string;
    readonly identityLists: readonly TrustList[];
  },
  verifyMedia: VerifyMedia,
  checklist: Checklist,
): Promise<MediaVerification | undefined> {
  try {
    return await verifyMedia({ ...paths, mediaType: file.mediaType }, anchors, identityLists);
  } catch (error) {
    // Anything else is a fault of ours, and must not look like one of the bundle.
    if (!isColophonError(error)) throw error;
    checklist.fault(file.path, `The manifest of the file cannot be read: ${error.message}`);
    return undefined;
  }
}

function checkManifest(
  file: AssetFile,
  result: MediaVerification,
  { data }: EntryEnvelope,
  checklist: Checklist,
): void {
  const { path, assetId } = file;
  if (result.verdict === 'none') checklist.fault(path, 'The file has no manifest.');
  if (result.verdict === 'broken') {
    checklist.fault(
      path,
      'The manifest of the file does not hold: file or manifest were changed after signing.',
    );
  }
  if (result.verdict === 'intact') {
    checklist.fault(path, 'The manifest was not signed under the authority in trust/claim-ca.pem.');
  }
  checklist.equal(path, 'The SHA-256 of the manifest', result.manifestSha256, data.manifestSha256);
  checklist.equal(path, 'The SHA-256 of the claim', result.claimSha256, data.claimSha256);
  checklist.equal(path, 'The label of the manifest', result.chain?.manifestLabel, data.manifestLabel);
  if (result.brokenIngredient) {
    checklist.notProved.push(
      `Something from which ${assetId} was made carried a manifest that did not hold when it came in; what that manifest said is not proved.`,
    );
  }
}
