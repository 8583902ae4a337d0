import { type OwnLog } from '../../application/verify-file.js';
import { type LogPlace } from '../../domain/log-standing.js';
import { type SignedMedia } from '../../domain/media-signer.port.js';

/** What the log of an installation knows, by the rules of its database: these files, their claims and labels. */
export class KnownFiles implements OwnLog {
  private readonly files: SignedMedia[] = [];

  /** @param origin of its log */
  constructor(private readonly origin: string) {}

  add(signed: SignedMedia): void {
    this.files.push(signed);
  }

  lookUp({ sha256, manifestPlacement, manifestSha256, claims, namedLogs }: Parameters<OwnLog['lookUp']>[0]) {
    const place: LogPlace = {
      origin: this.origin,
      entryIndex: 1,
      recordedAt: '2026-11-22T10:00:00.000Z',
      checkpoint: undefined,
      isTest: false,
    };
    const asked = new Set(claims.map(({ claimSha256 }) => claimSha256));
    const byClaim = this.files.filter(({ claimSha256 }) => asked.has(claimSha256));
    const byLabel = this.files.filter(({ manifestLabel }) =>
      claims.some((claim) => claim.manifestLabel === manifestLabel),
    );
    const file = this.files.find(
      (each) =>
        each.sha256 === sha256 && (manifestPlacement !== 'sidecar' || each.manifestSha256 === manifestSha256),
    );
    return Promise.resolve({
      file: file && place,
      claims: new Map(byClaim.map(({ claimSha256 }) => [claimSha256, place])),
      labels: new Set(byLabel.map(({ manifestLabel }) => manifestLabel)),
      namesOurLog: namedLogs.includes(this.origin),
    });
  }
}
