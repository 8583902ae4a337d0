import { type DynamicModule, Module, type Provider as NestProvider, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, Reflector } from '@nestjs/core';
import { type Logger } from 'pino';
import { ShowObligationsToday } from './assets/application/show-obligations-today.js';
import { AssetRepository } from './assets/adapters/asset.repository.js';
import { AssetIntake } from './assets/application/asset-intake.js';
import { ManifestSettingsOfProject } from './assets/application/manifest-settings.js';
import { NamedActors } from './assets/application/named-actors.js';
import { ReadAsset } from './assets/application/read-asset.js';
import { UploadAsset } from './assets/application/upload-asset.js';
import { AssetController } from './assets/http/asset.controller.js';
import { ManifestSettingsController } from './assets/http/manifest-settings.controller.js';
import { EraseDataSubject } from './audit/application/erase-data-subject.js';
import { LiftLegalHold } from './audit/application/lift-legal-hold.js';
import { ListLegalHolds } from './audit/application/list-legal-holds.js';
import { PlaceLegalHold } from './audit/application/place-legal-hold.js';
import { RecordOpened } from './audit/application/record-opened.js';
import { PublishedLogs } from './audit/application/published-logs.js';
import { CheckRows } from './audit/application/check-rows.js';
import { EntryStates } from './audit/application/entry-states.js';
import { ExportArchive } from './audit/application/export-archive.js';
import { ExportEntries } from './audit/application/export-entries.js';
import { ReadLog } from './audit/application/read-log.js';
import { ClearWitnessConflict } from './audit/application/clear-witness-conflict.js';
import { RotateLogKey } from './audit/application/rotate-log-key.js';
import { SettleLogKeys } from './audit/application/settle-log-keys.js';
import { AuditController } from './audit/http/audit.controller.js';
import { ErasureController } from './audit/http/erasure.controller.js';
import { ExportController } from './audit/http/export.controller.js';
import { LogKeyController } from './audit/http/log-key.controller.js';
import { WitnessController } from './audit/http/witness.controller.js';
import { LogFilesController } from './audit/http/log-files.controller.js';
import { ListObligations } from './contributions/application/list-obligations.js';
import { ProveObligation } from './contributions/application/prove-obligation.js';
import { RecordContribution } from './contributions/application/record-contribution.js';
import { ReviewAsset } from './contributions/application/review-asset.js';
import { AttachFile } from './contributions/application/attach-file.js';
import { CollectChecklist } from './contributions/application/collect-checklist.js';
import { CorrectContribution } from './contributions/application/correct-contribution.js';
import { ListReviewQueue } from './contributions/application/list-review-queue.js';
import { AnswerClaim } from './contributions/application/answer-claim.js';
import { ExamineAsset } from './contributions/application/examine-asset.js';
import { OrderStoryboard } from './contributions/application/order-storyboard.js';
import { RecordClaim } from './contributions/application/record-claim.js';
import { ReadContributions } from './contributions/application/read-contribution.js';
import { ReadReview } from './contributions/application/read-review.js';
import { RecallAsset } from './contributions/application/recall-asset.js';
import { RecordSelection } from './contributions/application/record-selection.js';
import { ReleaseAsset } from './contributions/application/release-asset.js';
import { RequestReview } from './contributions/application/request-review.js';
import { ReviewSettingsOfUseCase } from './contributions/application/review-settings.js';
import { SignatureKeys } from './contributions/application/signature-keys.js';
import { ContributionRecordController } from './contributions/http/contribution-record.controller.js';
import { ReviewController } from './contributions/http/review.controller.js';
import { ReviewQueueController } from './contributions/http/review-queue.controller.js';
import { ReviewSettingsController } from './contributions/http/review-settings.controller.js';
import { SignatureKeyController } from './contributions/http/signature-key.controller.js';
import { ClaimController } from './contributions/http/claim.controller.js';
import { ExaminationController } from './contributions/http/examination.controller.js';
import { StoryboardController } from './contributions/http/storyboard.controller.js';
import { ReleaseStandings } from './assets/application/release-standings.js';
import { AnswerOnce } from './http/answer-once.js';
import { StateAuthorship } from './contributions/application/state-authorship.js';
import { ContributionController } from './contributions/http/contribution.controller.js';
import { ObligationListController } from './contributions/http/obligation-list.controller.js';
import { ObligationController } from './contributions/http/obligation.controller.js';
import { OrganizationTx } from './database/organization-tx.js';
import { RunRepository } from './generation/adapters/run.repository.js';
import { AnswerStep } from './generation/application/answer-step.js';
import { ListOpenMoney } from './generation/application/list-open-money.js';
import { OwnPrices } from './generation/application/own-prices.js';
import { ManageBudgets } from './generation/application/manage-budgets.js';
import { CancelRun } from './generation/application/cancel-run.js';
import { CreatePipeline } from './generation/application/create-pipeline.js';
import { ProviderCredentials } from './generation/application/provider-credentials.js';
import { ReceiveFalWebhook } from './generation/application/receive-fal-webhook.js';
import { ReceiveReplicateWebhook } from './generation/application/receive-replicate-webhook.js';
import { ReconcileStep } from './generation/application/reconcile-step.js';
import { RunEvents } from './generation/application/run-events.js';
import { ResumeRun } from './generation/application/resume-run.js';
import { StartRun } from './generation/application/start-run.js';
import { FileParts } from './generation/gateway/application/file-parts.js';
import { AnnouncedFiles } from './generation/gateway/application/announced-files.js';
import { CapabilityLinks } from './generation/gateway/application/capability-links.js';
import { GatewaySettingsOfUseCase } from './generation/gateway/application/gateway-settings-of-use-case.js';
import { ListGatewayModels } from './generation/gateway/application/list-gateway-models.js';
import { JobDeliveries } from './generation/gateway/application/job-deliveries.js';
import { WebhookKeys } from './generation/gateway/domain/webhook-signing.js';
import { CapabilityAddresses } from './generation/gateway/http/capability-address.js';
import { GatewayAnswers } from './generation/gateway/http/gateway-answers.js';
import { GatewayFilesController } from './generation/gateway/http/gateway-files.controller.js';
import { GatewaySettingsController } from './generation/gateway/http/gateway-settings.controller.js';
import { FalGatewayController } from './generation/gateway/http/fal/fal.controller.js';
import { FalJobs } from './generation/gateway/http/fal/fal-jobs.js';
import { FalUploadsController } from './generation/gateway/http/fal/fal-uploads.controller.js';
import { FalWebhookKeysController } from './generation/gateway/http/fal/fal-webhook-keys.controller.js';
import { Predictions } from './generation/gateway/http/replicate/predictions.js';
import { ReplicateGatewayController } from './generation/gateway/http/replicate/replicate.controller.js';
import { RunWebhooksController } from './generation/gateway/http/run-webhooks.controller.js';
import { GeminiGatewayController } from './generation/gateway/http/gemini/gemini.controller.js';
import { OpenAiGatewayController } from './generation/gateway/http/openai/openai.controller.js';
import { ReconciliationController } from './generation/http/reconciliation.controller.js';
import { PriceController } from './generation/http/price.controller.js';
import { OwnQualityOfModels } from './generation/application/own-quality.js';
import { RankModels } from './generation/application/rank-models.js';
import { RouteChoices } from './generation/application/route-choices.js';
import { RepriceMonth } from './generation/application/reprice-month.js';
import { Baselines } from './generation/application/declare-baseline.js';
import { RecordOutcomes } from './generation/application/record-outcomes.js';
import { ReturnOfUseCase } from './generation/application/return-of-use-case.js';
import { QualityScores } from './generation/registry/quality-scores.js';
import { ModelChoiceController } from './generation/http/model-choice.controller.js';
import { QualityController } from './generation/http/quality.controller.js';
import { ReturnController } from './generation/http/return.controller.js';
import { BudgetController } from './generation/http/budget.controller.js';
import { FalWebhookController } from './generation/http/fal-webhook.controller.js';
import { ProviderCredentialController } from './generation/http/provider-credential.controller.js';
import { ReplicateWebhookController } from './generation/http/replicate-webhook.controller.js';
import { PipelineController } from './generation/http/pipeline.controller.js';
import { RunEventsController } from './generation/http/run-events.controller.js';
import { Offerings } from './generation/domain/offering.js';
import { RunStepsController } from './generation/http/run-steps.controller.js';
import { RunController } from './generation/http/run.controller.js';
import { AuthenticationGuard } from './http/authentication.guard.js';
import { FormUploads } from './http/form-uploads.js';
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
import { ClearanceStanding } from './licenses/application/clearance-standing.js';
import { DecideAgain } from './licenses/application/decide-again.js';
import { CompleteLineage } from './licenses/application/complete-lineage.js';
import { DecideClearance } from './licenses/application/decide-clearance.js';
import { DecideMatrix } from './licenses/application/decide-matrix.js';
import { EffectiveRegistry } from './licenses/application/effective-registry.js';
import { ImportModels } from './licenses/application/import-models.js';
import { ListWaivers } from './licenses/application/list-waivers.js';
import { PipelineLineage } from './licenses/application/pipeline-lineage.js';
import { RecordCuration } from './licenses/application/record-curation.js';
import { RecordLicenseText } from './licenses/application/record-license-text.js';
import { RecordListings } from './licenses/application/record-listings.js';
import { RegistryHistory } from './licenses/application/registry-changes.js';
import { ReopenedClearances } from './licenses/application/reopened-clearances.js';
import { AskPolicies } from './licenses/application/ask-policies.js';
import { CheckPolicy } from './licenses/application/check-policy.js';
import { SetPolicy } from './licenses/application/set-policy.js';
import { WaiverFollowUp } from './licenses/application/waiver-follow-up.js';
import { PolicyController } from './licenses/http/policy.controller.js';
import { ClearanceController } from './licenses/http/clearance.controller.js';
import { RegistryController } from './licenses/http/registry.controller.js';
import { RegistryRecordsController } from './licenses/http/registry-records.controller.js';
import { WaiverController } from './licenses/http/waiver.controller.js';
import { VerifyFile } from './provenance/application/verify-file.js';
import { AssetVerificationController } from './provenance/http/asset-verification.controller.js';
import { VerifyController } from './provenance/http/verify.controller.js';
import { MakeCertificate } from './reports/application/make-certificate.js';
import { FindSimilar } from './provenance/domain/find-similar.port.js';
import { PublicationRepository } from './recovery/adapters/publication.repository.js';
import { FetchReference } from './recovery/application/fetch-reference.js';
import { FindSimilarPictures } from './recovery/application/find-similar-pictures.js';
import { FingerprintFile } from './recovery/application/fingerprint-file.js';
import { ManifestReceipts } from './recovery/application/manifest-receipts.js';
import { RecoverableManifests } from './recovery/application/recoverable-manifests.js';
import { SetManifestPublication } from './recovery/application/set-manifest-publication.js';
import { ManifestPublicationController } from './recovery/http/manifest-publication.controller.js';
import { PublicAddress } from './http/public-address.js';
import { SbrManifestsController } from './recovery/http/sbr-manifests.controller.js';
import { SbrMatchesController } from './recovery/http/sbr-matches.controller.js';
import { SbrServicesController } from './recovery/http/sbr-services.controller.js';
import { BillOfMaterials } from './reports/application/bill-of-materials.js';
import { ReadShared } from './reports/application/read-shared.js';
import { ReportSchedules } from './reports/application/report-schedules.js';
import { ShareLinks } from './reports/application/share-links.js';
import { ListReports } from './reports/application/list-reports.js';
import { ReadReport } from './reports/application/read-report.js';
import { RequestReport } from './reports/application/request-report.js';
import { CertificateController } from './reports/http/certificate.controller.js';
import { BomController } from './reports/http/bom.controller.js';
import { ReportScheduleController } from './reports/http/report-schedule.controller.js';
import { ShareLinkController } from './reports/http/share-link.controller.js';
import { SharedController } from './reports/http/shared.controller.js';
import { ReportController } from './reports/http/report.controller.js';
import { ManageEndpoints } from './webhooks/application/manage-endpoints.js';
import { Deliveries } from './webhooks/application/read-deliveries.js';
import { WebhookAddresses } from './webhooks/application/webhook-address.js';
import { WebhookEndpointController } from './webhooks/http/webhook-endpoint.controller.js';
import { healthChecks } from './health-checks.js';
import { PreviewRetention } from './retention/application/preview-retention.js';
import { RetentionRules } from './retention/application/retention-rules.js';
import { RetentionController } from './retention/http/retention.controller.js';
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
        RegistryRecordsController,
        ClearanceController,
        WaiverController,
        PolicyController,
        RunController,
        RunStepsController,
        RunEventsController,
        PipelineController,
        FalWebhookController,
        ReplicateWebhookController,
        ProviderCredentialController,
        GatewaySettingsController,
        OpenAiGatewayController,
        GeminiGatewayController,
        GatewayFilesController,
        FalGatewayController,
        FalUploadsController,
        FalWebhookKeysController,
        ReplicateGatewayController,
        RunWebhooksController,
        BudgetController,
        ModelChoiceController,
        QualityController,
        ReturnController,
        PriceController,
        ReconciliationController,
        AssetController,
        ManifestSettingsController,
        ContributionController,
        ContributionRecordController,
        SignatureKeyController,
        StoryboardController,
        ExaminationController,
        ClaimController,
        ReviewController,
        ReviewQueueController,
        ReviewSettingsController,
        ObligationController,
        ObligationListController,
        VerifyController,
        AssetVerificationController,
        CertificateController,
        SbrMatchesController,
        SbrManifestsController,
        SbrServicesController,
        ManifestPublicationController,
        AuditController,
        ExportController,
        LogKeyController,
        WitnessController,
        ErasureController,
        LogFilesController,
        ReportController,
        ReportScheduleController,
        ShareLinkController,
        SharedController,
        BomController,
        WebhookEndpointController,
        RetentionController,
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
    [ManifestSettingsOfProject, services.manifestSettings],
    [NamedActors, services.namedActors],
    [Idempotency, services.idempotency],
    [FormUploads, new FormUploads(services.intake, services.idempotency)],
    [AnswerOnce, new AnswerOnce(services.organizationTx, services.idempotency)],
    [Authenticate, services.authenticate],
    [Administer, services.administer],
    [ManageEndpoints, services.manageEndpoints],
    [Deliveries, services.webhookDeliveries],
    [WebhookAddresses, services.webhookAddresses],
    [EffectiveRegistry, services.registry],
    [ClearanceStanding, services.standing],
    [ShowObligationsToday, services.obligationsToday],
    [CompleteLineage, services.completeLineage],
    [DecideClearance, services.decideClearance],
    [DecideMatrix, services.decideMatrix],
    [PipelineLineage, services.pipelineLineage],
    [DecideAgain, services.decideAgain],
    [RecordListings, services.recordListings],
    [ImportModels, services.importModels],
    [RecordLicenseText, services.recordLicenseText],
    [RecordCuration, services.recordCuration],
    [RegistryHistory, services.registryHistory],
    [AskPolicies, services.askPolicies],
    [SetPolicy, services.setPolicy],
    [CheckPolicy, services.checkPolicy],
    [ReopenedClearances, services.reopenedClearances],
    [ListWaivers, services.listWaivers],
    [ApproveWaiver, services.approveWaiver],
    [WaiverFollowUp, services.waiverFollowUp],
    [AssetRepository, services.assets],
    [UploadAsset, services.uploadAsset],
    [ReadAsset, services.readAsset],
    [MakeCertificate, services.makeCertificate],
    [VerifyFile, services.verifyFile],
    [FindSimilar, services.findSimilar],
    [FindSimilarPictures, services.similarPictures],
    [FingerprintFile, services.fingerprintFile],
    [FetchReference, services.fetchReference],
    [AssetIntake, services.intake],
    [RecoverableManifests, services.recoverableManifests],
    [ManifestReceipts, services.manifestReceipts],
    [PublicationRepository, services.publications],
    [SetManifestPublication, services.setManifestPublication],
    [PublicAddress, services.publicAddress],
    [RunRepository, services.runs],
    [RunEvents, services.runEvents],
    [StartRun, services.startRun],
    [ResumeRun, services.resumeRun],
    [Offerings, services.offerings],
    [AnswerStep, services.answerStep],
    [CancelRun, services.cancelRun],
    [ReconcileStep, services.reconcileStep],
    [CreatePipeline, services.createPipeline],
    [ReceiveFalWebhook, services.receiveFalWebhook],
    [ReceiveReplicateWebhook, services.receiveReplicateWebhook],
    [ProviderCredentials, services.providerCredentials],
    [GatewaySettingsOfUseCase, services.gatewaySettings],
    [ListGatewayModels, services.gatewayModels],
    [GatewayAnswers, services.gatewayAnswers],
    [AnnouncedFiles, services.announcedFiles],
    [FileParts, services.fileParts],
    [FalJobs, services.falJobs],
    [Predictions, services.predictions],
    [WebhookKeys, services.webhookKeys],
    [JobDeliveries, services.jobDeliveries],
    [CapabilityLinks, services.capabilityLinks],
    [CapabilityAddresses, services.capabilityAddresses],
    [ListOpenMoney, services.listOpenMoney],
    [OwnPrices, services.ownPrices],
    [OwnQualityOfModels, services.ownQuality],
    [RankModels, services.rankModels],
    [RouteChoices, services.routeChoices],
    [RepriceMonth, services.repriceMonth],
    [Baselines, services.baselines],
    [RecordOutcomes, services.recordOutcomes],
    [ReturnOfUseCase, services.returnOfUseCase],
    [QualityScores, services.qualityScores],
    [ManageBudgets, services.manageBudgets],
    [RecordContribution, services.recordContribution],
    [ProveObligation, services.proveObligation],
    [ListObligations, services.listObligations],
    [StateAuthorship, services.stateAuthorship],
    [ReviewAsset, services.reviewAsset],
    [ReadContributions, services.readContributions],
    [RecordSelection, services.recordSelection],
    [CorrectContribution, services.correctContribution],
    [AttachFile, services.attachFile],
    [SignatureKeys, services.signatureKeys],
    [OrderStoryboard, services.orderStoryboard],
    [ExamineAsset, services.examineAsset],
    [RecordClaim, services.recordClaim],
    [AnswerClaim, services.answerClaim],
    [CollectChecklist, services.collectChecklist],
    [ReadReview, services.readReview],
    [RequestReview, services.requestReview],
    [ListReviewQueue, services.reviewQueue],
    [ReviewSettingsOfUseCase, services.reviewSettings],
    [ReleaseAsset, services.releaseAsset],
    [RecallAsset, services.recallAsset],
    [ReleaseStandings, services.releaseStandings],
    [ReadLog, services.readLog],
    [EntryStates, services.entryStates],
    [ExportEntries, services.exportEntries],
    [ExportArchive, services.exportArchive],
    [CheckRows, services.checkRows],
    [PublishedLogs, services.publishedLogs],
    [RotateLogKey, services.rotateLogKey],
    [ClearWitnessConflict, services.clearWitnessConflict],
    [SettleLogKeys, services.settleLogKeys],
    [EraseDataSubject, services.eraseDataSubject],
    [PlaceLegalHold, services.placeLegalHold],
    [LiftLegalHold, services.liftLegalHold],
    [ListLegalHolds, services.listLegalHolds],
    [RecordOpened, services.recordOpened],
    [RetentionRules, services.retentionRules],
    [PreviewRetention, services.previewRetention],
    [RequestReport, services.requestReport],
    [BillOfMaterials, services.billOfMaterials],
    [ReadReport, services.readReport],
    [ListReports, services.listReports],
    [ShareLinks, services.shareLinks],
    [ReadShared, services.readShared],
    [ReportSchedules, services.reportSchedules],
    [Health, new Health(healthChecks(services))],
    [Metrics, metrics],
  ];
  return values.map(([provide, useValue]) => ({ provide, useValue }));
}
