import { Controller, Get, Header, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyRequest } from 'fastify';
import { FINGERPRINT_ALGORITHM } from '../../assets/domain/picture-fingerprint.js';
import { Unaudited } from '../../http/audited.js';
import { Public } from '../../http/authentication.guard.js';
import { Health } from '../../http/health.js';
import { FetchReference } from '../application/fetch-reference.js';
import { PublicAddress } from '../../http/public-address.js';

const SPECIFICATION_VERSION = '2.4.0';
const SAME_FOR_ALL = 'What this service can do, the same for everybody.';

/** Discovery of the C2PA Soft Binding Resolution API. What is not supported is not named: nothing is stored for others. */
@ApiTags('Soft binding resolution')
@Controller()
export class SbrServicesController {
  constructor(
    private readonly reference: FetchReference,
    private readonly address: PublicAddress,
    private readonly health: Health,
  ) {}

  @Get('sbr/services/supportedAlgorithms')
  @Unaudited(SAME_FOR_ALL)
  @Public()
  @ApiOperation({ summary: 'Algorithms of soft bindings that can be asked for' })
  supportedAlgorithms() {
    return { watermarks: [], fingerprints: [{ alg: FINGERPRINT_ALGORITHM }] };
  }

  @Get('sbr/services/capabilities')
  @Unaudited(SAME_FOR_ALL)
  @Public()
  @ApiOperation({ summary: 'Optional parts of the API that are there' })
  capabilities() {
    return {
      c2paSpecificationVersion: SPECIFICATION_VERSION,
      supportedCapabilities: ['queryByContent', ...(this.reference.isEnabled ? ['queryByReference'] : [])],
    };
  }

  @Get('sbr/services/status')
  @Unaudited(SAME_FOR_ALL)
  @Public()
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'ok, or degraded while something needed does not work' })
  async status() {
    const { ready } = await this.health.check();
    return { status: ready ? 'ok' : 'degraded', timestamp: new Date().toISOString() };
  }

  @Get('.well-known/c2pa-soft-binding-resolution')
  @Unaudited(SAME_FOR_ALL)
  @Public()
  @ApiOperation({ summary: 'Where the soft binding resolution API is (RFC 8615)' })
  discovery(@Req() request: FastifyRequest) {
    const api = `${this.address.of(request)}/sbr`;
    return {
      apiEndpoint: api,
      c2paSpecificationVersion: SPECIFICATION_VERSION,
      capabilitiesEndpoint: `${api}/services/capabilities`,
      statusEndpoint: `${api}/services/status`,
    };
  }
}
