import { BUNDLE_PATHS, BUNDLE_VERSION, type BundleIndex, requiredPaths } from '../domain/bundle-format.js';
import { type BundleContent } from './bundle-reader.js';
import { type Checklist } from './checklist.js';

export type BundleContents = ReadonlyMap<string, BundleContent>;

/** Every file against `SHA256SUMS`, and the list against the files: none missing, none added. */
export function checkSums(contents: BundleContents, checklist: Checklist): void {
  const hashes = new Map([...contents.values()].map(({ path, sha256 }) => [path, sha256]));
  checkListedSums(contents.get(BUNDLE_PATHS.sums)?.bytes, hashes, checklist);
}

/** @param hashes SHA-256 of each file by its path */
export function checkListedSums(
  listed: Buffer | undefined,
  hashes: ReadonlyMap<string, string>,
  checklist: Checklist,
): void {
  const sums = readSums(listed, checklist);
  if (sums === undefined) return;
  for (const [path, sha256] of hashes) {
    if (path === BUNDLE_PATHS.sums) continue;
    const expected = sums.get(path);
    if (expected === undefined) checklist.fault(path, 'The file was added: SHA256SUMS does not list it.');
    else if (expected !== sha256) {
      checklist.fault(path, 'The file was changed: it does not have the SHA-256 that SHA256SUMS gives.');
    }
  }
  for (const path of sums.keys()) {
    if (!hashes.has(path)) checklist.fault(path, 'The file is missing, although SHA256SUMS lists it.');
  }
}

/** `<64 lower-case hex digits>  <path>`, one line a file: the form of the tool sha256sum, and no other spelling. */
function readSums(bytes: Buffer | undefined, checklist: Checklist): Map<string, string> | undefined {
  if (bytes === undefined) {
    checklist.fault(BUNDLE_PATHS.sums, 'The file is missing or cannot be read.');
    return undefined;
  }
  const sums = new Map<string, string>();
  const text = bytes.toString('latin1');
  if (!text.endsWith('\n')) checklist.fault(BUNDLE_PATHS.sums, 'The list is cut off.');
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const match = /^([0-9a-f]{64}) {2}([\x21-\x7e]+)$/.exec(line);
    const [, sha256 = '', path = ''] = match ?? [];
    if (!match || sums.has(path)) checklist.fault(BUNDLE_PATHS.sums, 'The list has a malformed line.');
    else sums.set(path, sha256);
  }
  return sums;
}

/** `bundle.json` against the files: each file has its role and, from format 5 on, its hash; each role has its file. */
export function checkIndex(index: BundleIndex, contents: BundleContents, checklist: Checklist): void {
  const described = new Set<string>([BUNDLE_PATHS.index, BUNDLE_PATHS.sums]);
  const isSigned = index.v >= BUNDLE_VERSION;
  if (isSigned) described.add(BUNDLE_PATHS.signedIndex);
  for (const { path, sha256 } of index.files) {
    if (isSigned && sha256 !== contents.get(path)?.sha256)
      checklist.fault(path, 'The file does not have the SHA-256 that bundle.json gives.');
    if (described.has(path)) checklist.fault(path, 'bundle.json names the file twice.');
    described.add(path);
    if (!contents.has(path)) checklist.fault(path, 'The file is missing, although bundle.json lists it.');
  }
  for (const path of contents.keys()) {
    if (!described.has(path)) checklist.fault(path, 'The file was added: bundle.json does not list it.');
  }
  for (const path of requiredPaths(index.v)) {
    if (!described.has(path))
      checklist.fault(path, 'bundle.json does not list this file, which every bundle has.');
  }
}
