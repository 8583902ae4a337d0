import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { type PageQuery, pageQuerySchema } from '../../http/pagination.js';
import { nameSchema } from '../../http/safe-text.js';
import { idOf } from '../../http/validation.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { actorOf } from '../application/actor.js';
import { Administer } from '../application/administer.js';
import { KEY_MODES } from '../domain/api-key.js';
import { refuseTestKeyOnLive } from '../domain/key-mode.js';
import { type Principal, ROLES } from '../domain/principal.js';

const createProjectSchema = z.strictObject({ name: nameSchema() }).meta({ id: 'CreateProject' });
const createUseCaseSchema = z
  .strictObject({ name: z.string().regex(/^[a-z][a-z0-9-]{0,59}$/, 'lower-case letters, digits and dashes') })
  .meta({ id: 'CreateUseCase' });
const createPrincipalSchema = z
  .strictObject({
    kind: z.enum(['user', 'service']).default('user'),
    displayName: nameSchema(),
    roles: z.array(z.enum(ROLES)).min(1).max(ROLES.length),
  })
  .meta({ id: 'CreatePrincipal' });
const createApiKeySchema = z
  .strictObject({
    principalId: z.string().regex(/^prn_[0-9a-f]{32}$/),
    mode: z.enum(KEY_MODES),
    expiresAt: z.iso.datetime().optional(),
  })
  .meta({ id: 'CreateApiKey' });

const MAX_LISTED = 200;

@ApiTags('Organization')
@ApiBearerAuth()
@Controller('v1')
export class IdentityController {
  constructor(
    private readonly administer: Administer,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get('me')
  @Unaudited('Tells the caller what their own key says of them.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Who am I, by this key' })
  me(@CurrentPrincipal() principal: Principal) {
    return {
      organizationId: publicId('organization', principal.organizationId),
      principalId: publicId('principal', principal.principalId),
      keyId: principal.keyId,
      mode: principal.mode,
      roles: principal.roles,
    };
  }

  @Get('projects')
  @Unaudited('Names of projects and use cases.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Projects with their use cases' })
  async projects(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: pageQuerySchema }) _query: PageQuery,
  ) {
    const rows = await this.organizationTx.run(organizationId, (tx) =>
      tx.query<{ id: string; name: string; use_cases: string[] }>(
        `SELECT p.id, p.name, coalesce(array_agg(u.name ORDER BY u.name) FILTER (WHERE u.name IS NOT NULL), '{}') AS use_cases
           FROM project p LEFT JOIN use_case u ON u.organization_id = p.organization_id AND u.project_id = p.id
          WHERE p.organization_id = $1 GROUP BY p.id, p.name ORDER BY p.id LIMIT ${MAX_LISTED}`,
        [organizationId],
      ),
    );
    return {
      items: rows.map((row) => ({
        id: publicId('project', row.id),
        name: row.name,
        useCases: row.use_cases,
      })),
    };
  }

  @Post('projects')
  @Audited('project.created')
  @Allow('organization:administer')
  @ApiOperation({ summary: 'Create a project' })
  async createProject(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: createProjectSchema }) body: z.infer<typeof createProjectSchema>,
  ) {
    const id = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.administer.createProject(tx, body.name, actorOf(principal)),
    );
    return { id: publicId('project', id), name: body.name };
  }

  @Get('projects/:id/use-cases')
  @Unaudited('Names and ids of use cases.')
  @Allow('organization:read')
  @ApiOperation({
    summary: 'The use cases of a project, with the ids that budgets, matrices and returns take',
  })
  async useCases(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('project')) projectId: string,
  ) {
    const rows = await this.organizationTx.run(organizationId, async (tx) => {
      const [project] = await tx.query('SELECT 1 FROM project WHERE organization_id = $1 AND id = $2', [
        organizationId,
        projectId,
      ]);
      if (!project) throw new ColophonError('not_found', 'There is no project with this id.');
      return tx.query<{ id: string; name: string }>(
        `SELECT id, name FROM use_case WHERE organization_id = $1 AND project_id = $2 ORDER BY name LIMIT ${MAX_LISTED}`,
        [organizationId, projectId],
      );
    });
    return { items: rows.map(({ id, name }) => ({ id: publicId('useCase', id), name })) };
  }

  @Post('projects/:id/use-cases')
  @Audited('use_case.created')
  @Allow('organization:administer')
  @ApiOperation({ summary: 'Create a use case of a project' })
  async createUseCase(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('project')) projectId: string,
    @Body({ schema: createUseCaseSchema }) body: z.infer<typeof createUseCaseSchema>,
  ) {
    const id = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.administer.createUseCase(tx, projectId, body.name, actorOf(principal)),
    );
    return { id: publicId('useCase', id), name: body.name };
  }

  @Post('principals')
  @Audited('principal.created')
  @Allow('organization:administer')
  @ApiOperation({ summary: 'Add a person or a service, with roles' })
  async createPrincipal(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: createPrincipalSchema }) body: z.infer<typeof createPrincipalSchema>,
  ) {
    refuseTestKeyOnLive(principal.mode, 'live', 'Who is in the organization, and with which roles,');
    const id = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.administer.createPrincipal(tx, body, actorOf(principal)),
    );
    return { id: publicId('principal', id), roles: body.roles };
  }

  @Post('api-keys')
  @Audited('api_key.created')
  @Allow('organization:administer')
  @ApiOperation({ summary: 'Create an API key; it is shown in this answer and never again' })
  async createApiKey(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: createApiKeySchema }) body: z.infer<typeof createApiKeySchema>,
  ) {
    const principalId = parsePublicId('principal', body.principalId);
    if (principalId === undefined)
      throw new ColophonError('not_found', 'There is no principal with this id.');
    if (principal.mode === 'test' && body.mode === 'live')
      throw new ColophonError('wrong_mode', 'A test key cannot make a live one.');
    const expiresAt = body.expiresAt === undefined ? undefined : new Date(body.expiresAt);
    const key = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.administer.createApiKey(tx, { principalId, mode: body.mode, expiresAt }, actorOf(principal)),
    );
    return { id: key.id, key: key.text, mode: body.mode };
  }

  @Post('api-keys/:id/revoke')
  @Audited('api_key.revoked')
  @Allow('organization:administer')
  @HttpCode(200)
  @ApiOperation({ summary: 'Revoke an API key, at once' })
  async revokeApiKey(@CurrentPrincipal() principal: Principal, @Param('id') id: string) {
    if (!/^[0-9A-Za-z]{12}$/.test(id))
      throw new ColophonError('not_found', 'There is no API key with this id.');
    await this.organizationTx.run(principal.organizationId, (tx) =>
      this.administer.revokeApiKey(tx, id, principal.mode, actorOf(principal)),
    );
    return { id, revoked: true };
  }
}
