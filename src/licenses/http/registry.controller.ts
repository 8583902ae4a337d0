import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../../http/authentication.guard.js';
import { decodeCursor, type PageQuery, pageQuerySchema, toPage } from '../../http/pagination.js';
import { ColophonError } from '../../shared/errors.js';
import { ListingRegistry } from '../application/listing-registry.js';
import { type IndexedListing } from '../domain/listing-index.js';

const LISTING_SORT_KEY = /^[a-z0-9][a-z0-9._-]{0,79}@[a-z0-9-]{1,40}$/;

@ApiTags('Registry')
@ApiBearerAuth()
@Controller('v1/models')
export class RegistryController {
  constructor(private readonly registry: ListingRegistry) {}

  @Get()
  @Allow('organization:read')
  @ApiOperation({ summary: 'Model listings: model, revision and channel with license and training data' })
  list(@Query({ schema: pageQuerySchema }) query: PageQuery) {
    const after = decodeCursor(query.cursor, LISTING_SORT_KEY);
    const rows = this.registry.index.all.filter(({ listing }) => after === undefined || listing.id > after);
    return toPage(rows.slice(0, query.limit + 1), query.limit, ({ listing }) => listing.id, summary);
  }

  @Get(':id/terms')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Everything known of one listing: terms with source, components, training data' })
  terms(@Param('id') id: string) {
    const found = LISTING_SORT_KEY.test(id) ? this.registry.index.get(id) : undefined;
    if (!found) throw new ColophonError('not_found', 'There is no model listing with this id.');
    return { ...found.listing, sha256: found.sha256 };
  }
}

function summary({ listing, sha256 }: IndexedListing) {
  const { id, name, vendor, modalities, channel, license, trainingData } = listing;
  return { id, name, vendor, modalities, channel, license, trainingData, sha256 };
}
