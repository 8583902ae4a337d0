import {
  AssetEntity,
  AssetParentEntity,
  SignedClaimEntity,
  SignedFileEntity,
} from './assets/adapters/asset.entity.js';
import {
  AssetReleaseEntity,
  ContributionEntity,
  ReviewEntity,
} from './contributions/adapters/contribution.entity.js';
import {
  PipelineEntity,
  RunEntity,
  StepRunEntity,
  UpstreamJobEntity,
} from './generation/adapters/run.entity.js';
import { ReportScheduleEntity } from './reports/adapters/report-schedule.entity.js';
import { ReportEntity } from './reports/adapters/report.entity.js';
import { ShareLinkEntity } from './reports/adapters/share-link.entity.js';

/** Every TypeORM entity. Tables without one are written and read with SQL where it matters which statement runs. */
export const ENTITIES = [
  AssetEntity,
  AssetParentEntity,
  SignedFileEntity,
  SignedClaimEntity,
  PipelineEntity,
  RunEntity,
  StepRunEntity,
  UpstreamJobEntity,
  ContributionEntity,
  ReviewEntity,
  AssetReleaseEntity,
  ReportEntity,
  ReportScheduleEntity,
  ShareLinkEntity,
];
