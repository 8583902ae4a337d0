import { Body, Controller, Get, Headers, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { FormRoute } from '../../http/form-route.js';
import { FormUploads } from '../../http/form-uploads.js';
import { Idempotency } from '../../http/idempotency.js';
import { decodeCursor, pageQuerySchema, toPage } from '../../http/pagination.js';
import { textSchema } from '../../http/safe-text.js';
import { idOf, invalidRequest } from '../../http/validation.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { sha256Hex } from '../../shared/bytes.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type Affected } from '../application/affected-decisions.js';
import { MAX_CATALOG_BYTES } from '../application/catalog-items.js';
import { EffectiveRegistry } from '../application/effective-registry.js';
import { documentContextSchema, IMPORTABLE, ImportModels } from '../application/import-models.js';
import { RecordCuration } from '../application/record-curation.js';
import { RecordLicenseText } from '../application/record-license-text.js';
import { RecordListings } from '../application/record-listings.js';
import { correctionSchema, newEvidenceSchema } from '../domain/curation.js';
import { listingIdSchema, newListingSchema } from '../domain/listing.js';
import { textsOf } from '../domain/registry-state.js';
import { dateSchema } from '../domain/terms.js';
import { withoutUnprovenFacts } from '../domain/unproven-facts.js';
import { FormatError } from '../formats/format-error.js';
import { curationView, readingView } from './listing-view.js';
import { storableBytes, wellFormedBytes } from './storable.js';

const licenseKeySchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$/, 'an SPDX id or LicenseRef-...');
const recordModelSchema = z.strictObject({ listing: newListingSchema }).meta({ id: 'RecordModel' });
const importSchema = documentContextSchema.extend({ format: z.enum(IMPORTABLE) });
const licenseTextSchema = z
  .strictObject({
    licenseKey: licenseKeySchema,
    /** The text, byte for byte as UTF-8: its SHA-256 names it. */
    text: z.string().min(1).max(900_000),
    sourceUrl: z
      .url({ protocol: /^https$/ })
      .nullable()
      .default(null),
    readOn: dateSchema,
    inForceSince: dateSchema.nullable().default(null),
    /**
     * Only these listings are under this text; empty: all under the key. Under a key that is the license of no listing:
     * the listings that the document is about.
     */
    listingIds: z.array(listingIdSchema).max(1000).default([]),
    termsReadFromThis: z.boolean().default(false),
  })
  .meta({ id: 'RecordLicenseText' });
const curationSchema = z
  .strictObject({
    listingId: listingIdSchema,
    correction: correctionSchema,
    evidence: newEvidenceSchema,
    reason: textSchema(2000),
  })
  .meta({ id: 'RecordCuration' });
const COUNTS_AS_QUOTATION =
  'The text was not recorded as one of this listing, so it counts as a quotation only: what stood before stays in doubt. Record it with POST /v1/license-texts for the license key of the listing or with listingIds naming it, then record the curation again.';
const textsQuerySchema = pageQuerySchema.extend({ licenseKey: licenseKeySchema.optional() });
const curationsQuerySchema = pageQuerySchema.extend({ listingId: listingIdSchema.optional() });
const VERSION_SORT_KEY = /^\d{1,15}$/;

@ApiTags('Registry')
@ApiBearerAuth()
@Controller('v1')
export class RegistryRecordsController {
  constructor(
    private readonly registry: EffectiveRegistry,
    private readonly recordListings: RecordListings,
    private readonly importModels: ImportModels,
    private readonly recordLicenseText: RecordLicenseText,
    private readonly recordCuration: RecordCuration,
    private readonly uploads: FormUploads,
    private readonly idempotency: Idempotency,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Post('models')
  @Audited('listing.recorded')
  @Allow('registry:record')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({ summary: 'Record a listing of your own: a LoRA, a fine-tune, a self-hosted model' })
  async recordModel(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: recordModelSchema }) { listing }: z.infer<typeof recordModelSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const fingerprint = ['POST /v1/models', storableBytes(listing)];
    return this.once({ principal, key, fingerprint, reply }, async (tx) => {
      const recorded = await this.recordListings.record(tx, principal, [listing], { kind: 'typed' });
      const [outcome] = recorded.outcomes;
      if (outcome === undefined || outcome.outcome === 'refused') {
        throw new ColophonError(
          'conflict',
          'This listing comes with the product. Correct its facts with POST /v1/curations.',
        );
      }
      const { sha256 } = outcome;
      const { notes } = withoutUnprovenFacts(listing, textsOf((await this.registry.now(tx)).readings));
      return { id: listing.id, sha256, outcome: outcome.outcome, notes, ...affectedView(recorded.affected) };
    });
  }

  @Post('models/import')
  @Audited('listing.recorded')
  @Allow('registry:record')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @FormRoute({ name: 'import', description: 'JSON: format, and what the document does not say of itself' })
  @ApiOperation({ summary: 'Take over a catalog, a model card, an SPDX or CycloneDX document, Croissant' })
  async importFile(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const options = { maxBytes: MAX_CATALOG_BYTES, field: { name: 'import', schema: importSchema } };
    return this.uploads.readDocument(request, options, async ({ bytes, fields }) => {
      const fingerprint = ['POST /v1/models/import', sha256Hex(bytes), JSON.stringify(fields)];
      const { format, ...context } = fields;
      const { index } = await this.organizationTx.run(principal.organizationId, (tx) =>
        this.registry.now(tx),
      );
      const read = await this.importModels.read(bytes, { format, context }, index).catch(refuseFile);
      return this.once({ principal, key, fingerprint, reply }, async (tx) => {
        const { id, items, affected } = await this.importModels.record(tx, principal, read);
        const count = (outcome: string) => items.filter((item) => item.outcome === outcome).length;
        const summary = {
          items: items.length,
          recorded: count('recorded'),
          unchanged: count('unchanged'),
          notUnderstood: count('not-understood'),
        };
        return { id: publicId('catalogImport', id), summary, ...affectedView(affected), items };
      });
    });
  }

  @Post('license-texts')
  @Audited('license_text.recorded', 'license_text.changed')
  @Allow('registry:record')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({
    summary: 'Record the text of a license that was read; another text re-opens what rests on the old one',
  })
  async recordText(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: licenseTextSchema }) body: z.infer<typeof licenseTextSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const { text, ...request } = body;
    const fingerprint = ['POST /v1/license-texts', storableBytes(request), wellFormedBytes(text)];
    return this.once({ principal, key, fingerprint, reply }, async (tx) => {
      const recorded = await this.recordLicenseText.record(tx, principal, {
        ...request,
        bytes: wellFormedBytes(text),
      });
      return { ...readingView(recorded), ...affectedView(recorded.affected) };
    });
  }

  @Get('license-texts')
  @Unaudited('Texts of licenses that the organization read, without the texts themselves.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Which texts of licenses were read, newest first' })
  async listTexts(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: textsQuerySchema }) { cursor, limit, licenseKey }: z.infer<typeof textsQuerySchema>,
  ) {
    const before = Number(decodeCursor(cursor, VERSION_SORT_KEY) ?? Infinity);
    const { readings } = await this.organizationTx.run(organizationId, (tx) => this.registry.now(tx));
    const rows = [...readings.values()]
      .flat()
      .filter(
        (reading) => reading.version < before && (licenseKey ?? reading.licenseKey) === reading.licenseKey,
      )
      .sort((a, b) => b.version - a.version);
    return toPage(rows, limit, ({ version }) => String(version), readingView);
  }

  @Get('license-texts/:id')
  @Unaudited('A published text of a license, as the organization kept it.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'One text of a license with the day on which it was read' })
  async getText(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('licenseText')) id: string,
  ) {
    return this.organizationTx.run(organizationId, async (tx) => {
      const { readings } = await this.registry.now(tx);
      const reading = [...readings.values()].flat().find((one) => one.id === id);
      const [row] = await tx.query<{ bytes: Buffer }>(
        'SELECT bytes FROM license_text WHERE organization_id = $1 AND sha256 = $2',
        [tx.organizationId, reading?.sha256 ?? ''],
      );
      if (reading === undefined || row === undefined)
        throw new ColophonError('not_found', 'There is no license text with this id.');
      return { ...readingView(reading), text: row.bytes.toString('utf8') };
    });
  }

  @Post('curations')
  @Audited('curation.recorded')
  @Allow('registry:record')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({ summary: 'Correct one fact of a listing, with evidence' })
  async curate(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: curationSchema }) body: z.infer<typeof curationSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const fingerprint = ['POST /v1/curations', storableBytes(body)];
    return this.once({ principal, key, fingerprint, reply }, async (tx) => {
      const recorded = await this.recordCuration.record(tx, principal, body);
      const notes = recorded.evidence.countsAs === undefined ? [] : [COUNTS_AS_QUOTATION];
      return { ...curationView(recorded, [recorded]), notes, ...affectedView(recorded.affected) };
    });
  }

  @Get('curations')
  @Unaudited(
    'Corrections of facts with their evidence. Why they were made is sealed in the log and not shown.',
  )
  @Allow('organization:read')
  @ApiOperation({ summary: 'Corrections of facts, newest first, with those that they took the place of' })
  async listCurations(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: curationsQuerySchema })
    { cursor, limit, listingId }: z.infer<typeof curationsQuerySchema>,
  ) {
    const before = Number(decodeCursor(cursor, VERSION_SORT_KEY) ?? Infinity);
    const { curations } = await this.organizationTx.run(organizationId, (tx) => this.registry.now(tx));
    const rows = [...curations.values()]
      .flat()
      .filter((one) => one.version < before && (listingId ?? one.listingId) === one.listingId)
      .sort((a, b) => b.version - a.version);
    return toPage(
      rows,
      limit,
      ({ version }) => String(version),
      (curation) => curationView(curation, curations.get(curation.listingId) ?? []),
    );
  }

  /** 201 with the answer of `work`, once per Idempotency-Key. */
  private async once(
    request: {
      principal: Principal;
      key: string | undefined;
      fingerprint: readonly (string | Uint8Array)[];
      reply: FastifyReply;
    },
    work: (tx: Tx) => Promise<unknown>,
  ): Promise<unknown> {
    const { reply, ...idempotent } = request;
    // There is one registry: what live decisions rest on is not written with a test key.
    refuseTestKeyOnLive(request.principal.mode, 'live', 'The registry');
    const answer = await this.idempotency.run(idempotent, (once) =>
      this.organizationTx.run(request.principal.organizationId, async (tx) => {
        const made = { status: 201, body: await work(tx) };
        await once.complete(tx, made);
        return made;
      }),
    );
    void reply.status(answer.status);
    return answer.body;
  }
}

function affectedView({ clearances, waivers }: Affected) {
  return {
    reopened: {
      clearanceIds: clearances.map((id) => publicId('clearance', id)),
      waiverIds: waivers.map((id) => publicId('waiver', id)),
    },
  };
}

function refuseFile(error: unknown): never {
  if (!(error instanceof FormatError)) throw error;
  const { line, column } = error.place;
  throw invalidRequest([{ path: 'file', message: `line ${line}, column ${column}: ${error.message}` }]);
}
