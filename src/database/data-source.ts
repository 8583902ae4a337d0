import { parse } from 'pg-connection-string';
import {
  DataSource,
  type EntityTarget,
  type MixedList,
  type MigrationInterface,
  type ObjectLiteral,
} from 'typeorm';
import { Identity1700000000001 } from '../../migrations/0001-identity.js';
import { Audit1700000000002 } from '../../migrations/0002-audit.js';
import { ClearanceAndAssets1700000000003 } from '../../migrations/0003-clearance-and-assets.js';
import { Generation1700000000004 } from '../../migrations/0004-generation.js';
import { HumanWorkAndReports1700000000005 } from '../../migrations/0005-human-work-and-reports.js';
import { Erasure1700000000006 } from '../../migrations/0006-erasure.js';
import { Registry1700000000007 } from '../../migrations/0007-registry.js';
import { Policies1700000000008 } from '../../migrations/0008-policies.js';
import { Obligations1700000000009 } from '../../migrations/0009-obligations.js';
import { FileSignals1700000000010 } from '../../migrations/0010-file-signals.js';
import { ClearanceMatrix1700000000011 } from '../../migrations/0011-clearance-matrix.js';
import { SigningKeys1700000000012 } from '../../migrations/0012-signing-keys.js';
import { MediaKinds1700000000013 } from '../../migrations/0013-media-kinds.js';
import { Recovery1700000000014 } from '../../migrations/0014-recovery.js';
import { ManifestSettings1700000000015 } from '../../migrations/0015-manifest-settings.js';
import { SignedClaims1700000000016 } from '../../migrations/0016-signed-claims.js';
import { IdempotencyExpiry1700000000017 } from '../../migrations/0017-idempotency-expiry.js';
import { FewerRoundTrips1700000000018 } from '../../migrations/0018-fewer-round-trips.js';
import { ProviderCredentials1700000000019 } from '../../migrations/0019-provider-credentials.js';
import { Gateway1700000000021 } from '../../migrations/0021-gateway.js';
import { Pipelines1700000000023 } from '../../migrations/0023-pipelines.js';
import { Money1700000000025 } from '../../migrations/0025-money.js';
import { QualityAndReturns1700000000026 } from '../../migrations/0026-quality-and-returns.js';
import { GatewayJobs1700000000027 } from '../../migrations/0027-gateway-jobs.js';
import { ContributionRecords1700000000028 } from '../../migrations/0028-contribution-records.js';
import { Review1700000000030 } from '../../migrations/0030-review.js';
import { CounselReports1700000000031 } from '../../migrations/0031-counsel-reports.js';
import { ShareLinks1700000000032 } from '../../migrations/0032-share-links.js';
import { WebhookEndpoints1700000000033 } from '../../migrations/0033-webhook-endpoints.js';
import { OriginsOfDecisions1700000000034 } from '../../migrations/0034-origins-of-decisions.js';
import { Retention1700000000035 } from '../../migrations/0035-retention.js';
import { ErasedFiles1700000000036 } from '../../migrations/0036-erased-files.js';
import { ExaminationsAndClaims1700000000037 } from '../../migrations/0037-examinations-and-claims.js';
import { ReportSchedulesOfAllKinds1700000000038 } from '../../migrations/0038-report-schedules-of-all-kinds.js';
import { GatewayExpiry1700000000039 } from '../../migrations/0039-gateway-expiry.js';
import { GatewayParts1700000000040 } from '../../migrations/0040-gateway-parts.js';
import { DisputesKeep1700000000041 } from '../../migrations/0041-disputes-keep.js';
import { ClaimsRestore1700000000043 } from '../../migrations/0043-claims-restore.js';
import { LaterObligations1700000000044 } from '../../migrations/0044-later-obligations.js';
import { Outlooks1700000000045 } from '../../migrations/0045-outlooks.js';
import { UpstreamJobs1700000000046 } from '../../migrations/0046-upstream-jobs.js';
import { HumanWorkTraces1700000000048 } from '../../migrations/0048-human-work-traces.js';
import { GuessableValues1700000000049 } from '../../migrations/0049-guessable-values.js';

import { PreparingClient } from './preparing-client.js';
import { SnakeNaming } from './snake-naming.js';

export const SCHEMA = 'colophon';

/** In order. Never edited once released; a change is a new migration. */
export const MIGRATIONS: (new () => MigrationInterface)[] = [
  Identity1700000000001,
  Audit1700000000002,
  ClearanceAndAssets1700000000003,
  Generation1700000000004,
  HumanWorkAndReports1700000000005,
  Erasure1700000000006,
  Registry1700000000007,
  Policies1700000000008,
  Obligations1700000000009,
  FileSignals1700000000010,
  ClearanceMatrix1700000000011,
  SigningKeys1700000000012,
  MediaKinds1700000000013,
  Recovery1700000000014,
  ManifestSettings1700000000015,
  SignedClaims1700000000016,
  IdempotencyExpiry1700000000017,
  FewerRoundTrips1700000000018,
  ProviderCredentials1700000000019,
  Gateway1700000000021,
  Pipelines1700000000023,
  Money1700000000025,
  QualityAndReturns1700000000026,
  GatewayJobs1700000000027,
  ContributionRecords1700000000028,
  Review1700000000030,
  CounselReports1700000000031,
  ShareLinks1700000000032,
  WebhookEndpoints1700000000033,
  OriginsOfDecisions1700000000034,
  Retention1700000000035,
  ErasedFiles1700000000036,
  ExaminationsAndClaims1700000000037,
  ReportSchedulesOfAllKinds1700000000038,
  GatewayExpiry1700000000039,
  GatewayParts1700000000040,
  DisputesKeep1700000000041,
  ClaimsRestore1700000000043,
  LaterObligations1700000000044,
  Outlooks1700000000045,
  UpstreamJobs1700000000046,
  HumanWorkTraces1700000000048,
  GuessableValues1700000000049,
];

export interface DataSourceOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly poolSize: number;
  readonly entities: MixedList<EntityTarget<ObjectLiteral>>;
  /** Session role taken at connect, for migrations that must run as the owner. */
  readonly role?: string;
}

/** The schema is never synchronized from entities: migrations are the only way to change it. */
export function createDataSource(options: DataSourceOptions): DataSource {
  const sessionOptions = [
    `-c search_path=${SCHEMA}`,
    ...(options.role ? [`-c role=${options.role}`] : []),
  ].join(' ');
  return new DataSource({
    type: 'postgres',
    ...serverOptions(options.url),
    schema: SCHEMA,
    applicationName: options.applicationName,
    entities: options.entities as never,
    migrations: MIGRATIONS,
    migrationsTransactionMode: 'each',
    migrationsTableName: 'migration',
    synchronize: false,
    namingStrategy: new SnakeNaming(),
    installExtensions: false,
    poolSize: options.poolSize,
    extra: {
      options: sessionOptions,
      connectionTimeoutMillis: 10_000,
      statement_timeout: 60_000,
      // Statements go out behind each other without waiting (OrganizationTx, ADR 0046).
      pipeline: true,
      // Whoever works as the owner changes the schema, and runs each statement once.
      ...(options.role === undefined ? { Client: PreparingClient } : {}),
    },
  });
}

/** TypeORM's own URL parser does not know the Unix socket form; the driver's parser does. */
function serverOptions(url: string): {
  host?: string;
  port?: number;
  username?: string;
  password?: string;
  database?: string;
} {
  const { host, port, user, password, database } = parse(url);
  return {
    ...(host ? { host } : {}),
    ...(port ? { port: Number(port) } : {}),
    ...(user ? { username: user } : {}),
    ...(password ? { password } : {}),
    ...(database ? { database } : {}),
  };
}
