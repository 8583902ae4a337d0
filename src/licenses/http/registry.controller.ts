import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { decodeCursor, pageQuerySchema, toPage } from '../../http/pagination.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { EffectiveRegistry } from '../application/effective-registry.js';
import { RegistryHistory } from '../application/registry-changes.js';
import { type IndexedListing } from '../domain/listing-index.js';
import { LICENSE_STATUSES, LINEAGE_ROLES, MODALITIES } from '../domain/listing.js';
import { type RegistryState } from '../domain/registry-state.js';
import { DISCLOSURES } from '../domain/training-data.js';
import { listingSummary, listingTerms, originOf } from './listing-view.js';
import { describedView } from './registry-event-view.js';

const LISTING_SORT_KEY = /^[a-z0-9][a-z0-9._-]{0,79}@[a-z0-9-]{1,40}$/;
const EVENT_SORT_KEY = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\|[a-z-]{1,30}\|[A-Za-z0-9.+-]{1,60}$/;

const listQuerySchema = pageQuerySchema.extend({
  /** Part of the id or the name, in any case. */
  q: z.string().min(1).max(100).optional(),
  vendor: z.string().min(1).max(120).optional(),
  channel: z.string().min(1).max(31).optional(),
  modality: z.enum(MODALITIES).optional(),
  role: z.enum(LINEAGE_ROLES).optional(),
  access: z.enum(['open-weights', 'api', 'code']).optional(),
  license: z.string().min(1).max(100).optional(),
  licenseStatus: z.enum(LICENSE_STATUSES).optional(),
  disclosure: z.enum(DISCLOSURES).optional(),
  origin: z.enum(['product', 'own']).optional(),
  /** `true`: only those with a curation. */
  curated: z.enum(['true', 'false']).optional(),
});
type ListQuery = z.infer<typeof listQuerySchema>;

const momentSchema = z.union([z.iso.datetime({ offset: true }), z.iso.date()]);
const changesQuerySchema = pageQuerySchema.extend({ since: momentSchema, until: momentSchema.optional() });
type ChangesQuery = z.infer<typeof changesQuerySchema>;

@ApiTags('Registry')
@ApiBearerAuth()
@Controller('v1/models')
export class RegistryController {
  constructor(
    private readonly registry: EffectiveRegistry,
    private readonly history: RegistryHistory,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get()
  @Unaudited('Facts on models: those that come with the product, and those that the organization recorded.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Model listings: model, revision and channel with license and training data' })
  async list(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: listQuerySchema }) query: ListQuery,
  ) {
    const after = decodeCursor(query.cursor, LISTING_SORT_KEY);
    const registry = await this.now(organizationId);
    const rows = registry.index.all.filter(
      (entry) => (after === undefined || entry.listing.id > after) && matches(entry, query, registry),
    );
    return toPage(
      rows.slice(0, query.limit + 1),
      query.limit,
      ({ listing }) => listing.id,
      (entry) => listingSummary(entry, registry),
    );
  }

  @Get('changes')
  @Unaudited('What the log tells already, by day: listings, corrections, license texts and waivers.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'What changed since a day: listings, license texts, curations, waivers, product' })
  async changes(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: changesQuerySchema }) { cursor, limit, since, until }: ChangesQuery,
  ) {
    const after = decodeCursor(cursor, EVENT_SORT_KEY);
    const [from, to] = [new Date(since), until === undefined ? new Date() : endOf(until)];
    const page = await this.organizationTx.run(organizationId, async (tx) => {
      const events = await this.history.between(tx, from, to);
      const rest = events.filter(({ key }) => after === undefined || key > after);
      return this.history.describe(tx, rest.slice(0, limit + 1));
    });
    return toPage(page, limit, ({ key }) => key, describedView);
  }

  @Get(':id')
  @Unaudited('Facts on a model: those that come with the product, and those that the organization recorded.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'One listing as decisions use it' })
  async get(@CurrentPrincipal() { organizationId }: Principal, @Param('id') id: string) {
    const registry = await this.now(organizationId);
    return listingSummary(found(registry, id), registry);
  }

  @Get(':id/terms')
  @Unaudited('Facts on a model: those that come with the product, and those that the organization recorded.')
  @Allow('organization:read')
  @ApiOperation({
    summary: 'Everything known of one listing: facts with source and day, curations, license texts',
  })
  async terms(@CurrentPrincipal() { organizationId }: Principal, @Param('id') id: string) {
    const registry = await this.now(organizationId);
    return listingTerms(found(registry, id), registry);
  }

  private now(organizationId: string): Promise<RegistryState> {
    return this.organizationTx.run(organizationId, (tx) => this.registry.now(tx));
  }
}

function found(registry: RegistryState, id: string): IndexedListing {
  const entry = LISTING_SORT_KEY.test(id) ? registry.index.get(id) : undefined;
  if (!entry) throw new ColophonError('not_found', 'There is no model listing with this id.');
  return entry;
}

/** A day ends with its last millisecond. */
function endOf(moment: string): Date {
  return new Date(moment.includes('T') ? moment : `${moment}T23:59:59.999Z`);
}

function matches({ listing }: IndexedListing, query: ListQuery, registry: RegistryState): boolean {
  const { q, vendor, modality, role, curated } = query;
  const { id, name, license } = listing;
  const isCurated = (registry.curations.get(id) ?? []).length > 0;
  const asked: readonly (readonly [unknown, boolean])[] = [
    [q, `${id} ${name}`.toLowerCase().includes((q ?? '').toLowerCase())],
    [vendor, listing.vendor.toLowerCase() === vendor?.toLowerCase()],
    [query.channel, listing.channel === query.channel],
    [modality, modality !== undefined && listing.modalities.includes(modality)],
    [role, role !== undefined && listing.roles.includes(role)],
    [query.access, listing.access === query.access],
    [query.license, license.spdxOrRef === query.license],
    [query.licenseStatus, license.status === query.licenseStatus],
    [query.disclosure, listing.trainingData.disclosure === query.disclosure],
    [query.origin, originOf(registry, id) === query.origin],
    [curated, isCurated === (curated === 'true')],
  ];
  return asked.every(([condition, met]) => condition === undefined || met);
}
