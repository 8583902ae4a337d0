import { type AffectedLog } from '../../provenance/application/keys/affected-assets.js';
import { type KeyGeneration } from '../../provenance/domain/key-generation.js';
import { type KeyDesk } from './key-desk.js';

/** What a key signed, log by log. With `json` one line a log, so that the list may be of any length. */
export async function printAffected(desk: KeyDesk, key: KeyGeneration, json: boolean): Promise<void> {
  const sha256 = key.certificate?.sha256;
  let assets = 0;
  let logs = 0;
  if (sha256 !== undefined) {
    for await (const log of desk.affected.of(sha256)) {
      if (log.assets.length > 0) logs++;
      assets += log.assets.length;
      console.log(json ? JSON.stringify(log) : logText(log));
    }
  }
  if (json) return;
  console.log(
    assets === 0
      ? 'No recorded asset was signed with this key.'
      : `${assets} ${assets === 1 ? 'asset' : 'assets'} in ${logs} ${logs === 1 ? 'log' : 'logs'}. A file with this certificate that is not among them was not signed here.`,
  );
}

function logText({ origin, assets, firstIndex, lastIndex, unrecorded }: AffectedLog): string {
  const range =
    firstIndex === undefined ? 'no index yet' : `entries ${firstIndex} to ${lastIndex ?? firstIndex}`;
  const lines = assets.map(
    ({ assetId, logIndex, createdAt, timeStamped, sha256 }) =>
      `  ${assetId}  entry ${logIndex ?? '-'}  ${createdAt}${timeStamped ? '  time-stamped' : ''}  ${sha256}`,
  );
  const older =
    unrecorded === 0 ? [] : [`  and ${unrecorded} older, of which is not recorded which key signed them`];
  return [`${origin}: ${assets.length} signed, ${range}`, ...lines, ...older].join('\n');
}
