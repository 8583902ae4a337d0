import { type DynamicModule, Module, type Provider as NestProvider, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, Reflector } from '@nestjs/core';
import { type Logger } from 'pino';
import { AssetRepository } from './assets/adapters/asset.repository.js';
import { AssetIntake } from './assets/application/asset-intake.js';
import { ReadAsset } from './assets/application/read-asset.js';
import { UploadAsset } from './assets/application/upload-asset.js';
import { AssetController } from './assets/http/asset.controller.js';
import { PublishedLogs } from './audit/application/published-logs.js';
import { ReadLog } from './audit/application/read-log.js';
import { AuditController } from './audit/http/audit.controller.js';
import { LogFilesController } from './audit/http/log-files.controller.js';
import { RecordContribution } from './contributions/application/record-contribution.js';
import { ReviewAsset } from './contributions/application/review-asset.js';
import { StateAuthorship } from './contributions/application/state-authorship.js';
import { ContributionController } from './contributions/http/contribution.controller.js';
import { OrganizationTx } from './database/organization-tx.js';
import { RunRepository } from './generation/adapters/run.repository.js';
import { CancelRun } from './generation/application/cancel-run.js';
import { CreatePipeline } from './generation/application/create-pipeline.js';
import { ReceiveFalWebhook } from './generation/application/receive-fal-webhook.js';
import { ReconcileStep } from './generation/application/reconcile-step.js';
import { RunEvents } from './generation/application/run-events.js';
import { StartRun } from './generation/application/start-run.js';
import { FalWebhookController } from './generation/http/fal-webhook.controller.js';
import { PipelineController } from './generation/http/pipeline.controller.js';
import { RunEventsController } from './generation/http/run-events.controller.js';
import { RunController } from './generation/http/run.controller.js';
import { AuthenticationGuard } from './http/authentication.guard.js';
import { Health } from './http/health.js';
import { HealthController } from './http/health.controller.js';
import { Idempotency } from './http/idempotency.js';
import { Metrics } from './http/metrics.js';
import { ProblemFilter } from './http/problem.filter.js';
import { StartPageController } from './http/start-page.controller.js';
import { validationPipe } from './http/validation.js';
import { Administer } from './identity/application/administer.js';
import { Authenticate } from './identity/application/authenticate.js';
import { IdentityController } from './identity/http/identity.controller.js';
import { ApproveWaiver } from './licenses/application/approve-waiver.js';
import { DecideClearance } from './licenses/application/decide-clearance.js';
import { ListingRegistry } from './licenses/application/listing-registry.js';
import { WaiverFollowUp } from './licenses/application/waiver-follow-up.js';
import { ClearanceController } from './licenses/http/clearance.controller.js';
import { RegistryController } from './licenses/http/registry.controller.js';
import { VerifyFile } from './provenance/application/verify-file.js';
import { MediaVerifierToken } from './provenance/domain/media-verifier.port.js';
import { VerifyController } from './provenance/http/verify.controller.js';
import { RequestReport } from './reports/application/request-report.js';
import { ReportController } from './reports/http/report.controller.js';
import { healthChecks } from './health-checks.js';
import { type Services } from './services.js';

/** Hands what src/services.ts built to the controllers. Nothing is constructed by the framework but controllers. */
@Module({})
export class AppModule {
  static with(services: Services, logger: Logger, metrics: Metrics): DynamicModule {
    return {
      module: AppModule,
      controllers: [
        StartPageController,
        HealthController,
        IdentityController,
        RegistryController,
        ClearanceController,
        RunController,
        RunEventsController,
        PipelineController,
        FalWebhookController,
        AssetController,
        ContributionController,
        VerifyController,
        AuditController,
        LogFilesController,
        ReportController,
      ],
      providers: [
        { provide: APP_FILTER, useValue: new ProblemFilter(logger) },
        { provide: APP_PIPE, useValue: validationPipe },
        {
          provide: APP_GUARD,
          useFactory: (reflector: Reflector) => new AuthenticationGuard(reflector, services.authenticate),
          inject: [Reflector],
        },
        ...instances(services, metrics),
      ],
    };
  }
}

function instances(services: Services, metrics: Metrics): NestProvider[] {
  const values: [Type | (abstract new () => unknown), unknown][] = [
    [OrganizationTx, services.organizationTx],
    [Idempotency, services.idempotency],
    [Authenticate, services.authenticate],
    [Administer, services.administer],
    [ListingRegistry, services.registry],
    [DecideClearance, services.decideClearance],
    [ApproveWaiver, services.approveWaiver],
    [WaiverFollowUp, services.waiverFollowUp],
    [AssetRepository, services.assets],
    [AssetIntake, services.intake],
    [UploadAsset, services.uploadAsset],
    [ReadAsset, services.readAsset],
    [MediaVerifierToken, services.verifier],
    [VerifyFile, services.verifyFile],
    [RunRepository, services.runs],
    [RunEvents, services.events],
    [StartRun, services.startRun],
    [CancelRun, services.cancelRun],
    [ReconcileStep, services.reconcileStep],
    [CreatePipeline, services.createPipeline],
    [ReceiveFalWebhook, services.receiveFalWebhook],
    [RecordContribution, services.recordContribution],
    [StateAuthorship, services.stateAuthorship],
    [ReviewAsset, services.reviewAsset],
    [ReadLog, services.readLog],
    [PublishedLogs, services.publishedLogs],
    [RequestReport, services.requestReport],
    [Health, new Health(healthChecks(services))],
    [Metrics, metrics],
  ];
  return values.map(([provide, useValue]) => ({ provide, useValue }));
}
