import { type OrganizationTx } from '../database/organization-tx.js';
import { remoteManifests } from '../provenance/adapters/remote-manifest.js';
import { type OwnLog, type ReportKeyMisuse, VerifyFile } from '../provenance/application/verify-file.js';
import { type LogKnowledge, type LogPlace } from '../provenance/domain/log-standing.js';
import { parsePublicId } from '../shared/ids.js';
import { type AssetRepository } from '../assets/adapters/asset.repository.js';
import { type composeAssets } from './assets.js';
import { type composeDatabase } from './database.js';
import { type composeProvenance } from './provenance.js';
import { type Composed, type ServicesOptions } from './services-options.js';
import { type DataSource } from 'typeorm';

/** Verification for everybody: what a file says, and what our logs know of it. */
export function composeVerification(
  { configuration, logger }: ServicesOptions,
  { dataSource, organizationTx }: Composed<typeof composeDatabase>,
  { assets }: Pick<Composed<typeof composeAssets>, 'assets'>,
  { verifier }: Composed<typeof composeProvenance>,
) {
  const keyMisuse = { count: 0 };
  const reportKeyMisuse: ReportKeyMisuse = ({ fileSha256, claim }) => {
    keyMisuse.count += 1;
    // Hashes only: everything else in the file is the forger's own text. No organization can be named: it is his word.
    logger.error(
      { fileSha256, claimSha256: claim.claimSha256, certificateSha256: claim.certificateSha256 },
      'KEY MISUSE: a file carries a signature by the claim key of this installation that no log of it knows',
    );
  };
  const verifyFile = new VerifyFile(
    verifier,
    ownLog(dataSource, organizationTx, assets),
    reportKeyMisuse,
    remoteManifests(configuration.remoteManifestHosts, {
      allowedPrivateHosts: configuration.outboundAllowedHosts,
    }),
  );
  return { verifyFile, keyMisuseCount: () => keyMisuse.count };
}

interface Found {
  readonly organizationId: string;
  readonly assetId: string;
}

function ownLog(dataSource: DataSource, organizationTx: OrganizationTx, assets: AssetRepository): OwnLog {
  return {
    async lookUp({ sha256, manifestPlacement, manifestSha256, claims, namedLogs }): Promise<LogKnowledge> {
      const key = manifestPlacement === 'sidecar' ? (manifestSha256 ?? sha256) : sha256;
      const file = await assets.findSigned(dataSource, key);
      const signed = await assets.findSignedClaims(dataSource, claims);
      const places = new Map<string, LogPlace>();
      for (const each of signed) {
        if (!claims.some(({ claimSha256 }) => claimSha256 === each.claimSha256)) continue;
        const place = await placeInLog(organizationTx, each);
        if (place) places.set(each.claimSha256, place);
      }
      return {
        // A sidecar that we know beside another file makes that file none of ours.
        file: file && (await placeInLog(organizationTx, file, sha256)),
        claims: places,
        labels: new Set(signed.map(({ manifestLabel }) => manifestLabel)),
        namesOurLog: await anyIsOurs(organizationTx, namedLogs),
      };
    },
  };
}

async function placeInLog(
  organizationTx: OrganizationTx,
  found: Found,
  sha256?: string,
): Promise<LogPlace | undefined> {
  const [row] = await organizationTx.run(found.organizationId, (tx) =>
    tx.query<{
      origin: string;
      index: string | null;
      recorded_at: Date;
      size: string | null;
      signed_at: Date | null;
      mode: string;
      recalled_at: Date | null;
      reason: string | null;
    }>(
      `SELECT l.origin, e.index, coalesce(e.recorded_at, a.created_at) AS recorded_at, c.size, c.signed_at,
              a.mode, k.recalled_at, k.reason
         FROM asset a JOIN audit_log l ON l.organization_id = a.organization_id
         LEFT JOIN audit_entry e ON e.organization_id = a.organization_id AND e.entry_id = a.entry_id
         LEFT JOIN asset_recall k ON k.organization_id = a.organization_id AND k.asset_id = a.id
         LEFT JOIN LATERAL (SELECT size, signed_at FROM audit_checkpoint
           WHERE organization_id = a.organization_id AND size > e.index ORDER BY size DESC LIMIT 1) c ON true
        WHERE a.organization_id = $1 AND a.id = $2 AND ($3::text IS NULL OR a.sha256 = $3)`,
      [found.organizationId, found.assetId, sha256 ?? null],
    ),
  );
  if (!row) return undefined;
  return {
    origin: row.origin,
    entryIndex: row.index === null ? undefined : Number(row.index),
    recordedAt: row.recorded_at.toISOString(),
    checkpoint:
      row.size === null || row.signed_at === null
        ? undefined
        : { treeSize: Number(row.size), signedAt: row.signed_at.toISOString() },
    isTest: row.mode === 'test',
    recall:
      row.recalled_at === null || row.reason === null
        ? undefined
        : { at: row.recalled_at.toISOString(), reason: row.reason },
  };
}

/** An origin ends with the organization whose log it is; whether that is so, its own log says. */
async function anyIsOurs(organizationTx: OrganizationTx, origins: readonly string[]): Promise<boolean> {
  for (const origin of origins) {
    const organizationId = parsePublicId('organization', origin.slice(origin.lastIndexOf('/') + 1));
    if (organizationId === undefined) continue;
    const rows = await organizationTx.run(organizationId, (tx) =>
      tx.query('SELECT 1 FROM audit_log WHERE organization_id = $1 AND origin = $2', [
        organizationId,
        origin,
      ]),
    );
    if (rows.length > 0) return true;
  }
  return false;
}
