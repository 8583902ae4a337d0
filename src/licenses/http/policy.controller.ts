import { Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { decodeCursor, pageQuerySchema, toPage, UUID_SORT_KEY } from '../../http/pagination.js';
import { textSchema } from '../../http/safe-text.js';
import { idOf } from '../../http/validation.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { CheckPolicy } from '../application/check-policy.js';
import { type ListedPolicy, listPolicies, readPolicy } from '../application/list-policies.js';
import { type PolicyContent, type PolicyScope, SetPolicy } from '../application/set-policy.js';
import { MAX_TERM_LENGTH, MAX_TERMS, termId } from '../domain/policies/blocked-terms.js';
import { POLICY_ACTIONS } from '../domain/policies/policy.js';
import { POLICY_SCHEMA, POLICY_SCHEMA_SHA256 } from '../domain/policies/policy-schema.js';
import { MAX_POLICY_BYTES } from '../domain/policies/policy-text.js';
import { wellFormedBytes } from './storable.js';

/** Without a project: the whole organization. With one: that project, or one use case of it. */
const scopeSchema = z
  .strictObject({
    projectId: z
      .string()
      .regex(/^prj_[0-9a-f]{32}$/)
      .optional(),
    useCase: z.string().min(1).max(100).optional(),
  })
  .refine(({ projectId, useCase }) => useCase === undefined || projectId !== undefined, {
    path: ['useCase'],
    message: 'needs the projectId to which it belongs',
  });
const cedarSchema = z.string().max(MAX_POLICY_BYTES, `at most ${MAX_POLICY_BYTES} bytes`);
const common = {
  scope: scopeSchema.default({}),
  /** Version that you have read; when another one is in force by now, nothing is changed. */
  expectedVersion: z.int().nonnegative().max(2_147_483_647).optional(),
};
const setPoliciesSchema = z
  .strictObject({
    ...common,
    /** Policies in Cedar. An empty text takes them out of force. */
    text: cedarSchema,
  })
  .meta({ id: 'SetPolicies' });
const setTermsSchema = z
  .strictObject({ ...common, terms: z.array(textSchema(MAX_TERM_LENGTH)).max(MAX_TERMS) })
  .meta({ id: 'SetBlockedTerms' });
const checkSchema = z
  .strictObject({
    text: cedarSchema,
    clearanceId: z
      .string()
      .regex(/^clr_[0-9a-f]{32}$/)
      .optional(),
    action: z.enum(POLICY_ACTIONS).default('generate'),
    /** For `release`: the work of people to assume. */
    humanContribution: z.boolean().default(false),
    contributionKinds: z
      .array(z.string().regex(/^[A-Z_]{1,40}$/))
      .max(20)
      .default([]),
  })
  .meta({ id: 'CheckPolicies' });
const listQuerySchema = pageQuerySchema.extend({
  /** `true`: every version, not only those in force. */
  history: z.enum(['true', 'false']).default('false'),
});

@ApiTags('Policies')
@ApiBearerAuth()
@Controller('v1/policies')
export class PolicyController {
  constructor(
    private readonly setPolicy: SetPolicy,
    private readonly checkPolicy: CheckPolicy,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Put()
  @Audited('policy.changed')
  @Allow('policies:set')
  @ApiOperation({
    summary: 'Put policies in force, on top of the licenses: they can forbid, and never allow',
  })
  async setPolicies(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: setPoliciesSchema }) { text, ...request }: z.infer<typeof setPoliciesSchema>,
  ) {
    wellFormedBytes(text);
    return this.set(principal, request, { kind: 'cedar', text });
  }

  @Put('blocked-terms')
  @Audited('policy.changed')
  @Allow('policies:set')
  @ApiOperation({ summary: 'Put a list of words in force that no prompt may hold; an empty list ends it' })
  async setTerms(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: setTermsSchema }) { terms, ...request }: z.infer<typeof setTermsSchema>,
  ) {
    return this.set(principal, request, { kind: 'blocked-terms', terms });
  }

  @Post('check')
  @HttpCode(200)
  @Unaudited('Reads a text that the caller sends, and shows what it would say of a recorded decision.')
  @Allow('policies:set')
  @ApiOperation({ summary: 'Try policies: are they valid, and what would they say of a clearance?' })
  async check(
    @CurrentPrincipal() { organizationId }: Principal,
    @Body({ schema: checkSchema }) body: z.infer<typeof checkSchema>,
  ) {
    wellFormedBytes(body.text);
    const { text, action, humanContribution, contributionKinds } = body;
    const clearanceId =
      body.clearanceId === undefined ? undefined : parsePublicId('clearance', body.clearanceId);
    const read = await this.checkPolicy.read(text, organizationId);
    const checked = await this.organizationTx.run(organizationId, (tx) =>
      this.checkPolicy.check(tx, {
        text,
        read,
        clearanceId,
        action,
        human: { humanContribution, contributionKinds },
      }),
    );
    if (!checked.valid) return { valid: false, errors: checked.problems };
    const { sha256, warnings, wouldSay = null } = checked;
    const policies = checked.policies.map(({ text: _text, ...policy }) => policy);
    return { valid: true, sha256, policies, warnings, wouldSay };
  }

  @Get()
  @Unaudited('Which policies are in force. Every change of them is in the log.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Policies and lists in force, newest first; with history=true every version' })
  async list(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: listQuerySchema }) { cursor, limit, history }: z.infer<typeof listQuerySchema>,
  ) {
    const before = decodeCursor(cursor, UUID_SORT_KEY);
    const rows = await this.organizationTx.run(organizationId, (tx) =>
      listPolicies(tx, { before, limit, history: history === 'true' }),
    );
    return toPage(rows, limit, ({ id }) => id, listedView);
  }

  @Get('schema')
  @Unaudited('What a policy can ask about, the same for everybody.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'The Cedar schema that policies are checked against' })
  schema() {
    return { sha256: POLICY_SCHEMA_SHA256, schema: POLICY_SCHEMA };
  }

  @Get(':id')
  @Unaudited('One version of policies that the organization wrote itself; its hash is in the log.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'One version, with its text or its terms' })
  async get(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('policy')) id: string) {
    const { bytes, ...policy } = await this.organizationTx.run(organizationId, (tx) => readPolicy(tx, id));
    if (policy.kind === 'cedar') return { ...listedView(policy), text: bytes.toString('utf8') };
    const terms = JSON.parse(bytes.toString('utf8')) as string[];
    return { ...listedView(policy), terms: terms.map((term) => ({ id: termId(term), term })) };
  }

  private async set(
    principal: Principal,
    request: { scope: z.infer<typeof scopeSchema>; expectedVersion?: number | undefined },
    given: PolicyContent,
  ) {
    refuseTestKeyOnLive(principal.mode, 'live', 'A policy');
    const content = await this.setPolicy.read(given, principal.organizationId);
    const { id, ...version } = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.setPolicy.set(tx, principal, {
        scope: scopeOf(request.scope),
        content,
        expectedVersion: request.expectedVersion,
      }),
    );
    return { id: publicId('policy', id), ...version };
  }
}

/** @throws ColophonError `not_found` */
function scopeOf({ projectId: given, useCase }: z.infer<typeof scopeSchema>): PolicyScope {
  if (given === undefined) return { projectId: undefined, useCase };
  const projectId = parsePublicId('project', given);
  if (projectId === undefined) throw new ColophonError('not_found', 'There is no such project.');
  return { projectId, useCase };
}

function listedView({ id, projectId, useCaseId, createdBy, createdAt, ...policy }: ListedPolicy) {
  return {
    id: publicId('policy', id),
    ...policy,
    projectId: projectId === null ? null : publicId('project', projectId),
    useCaseId: useCaseId === null ? null : publicId('useCase', useCaseId),
    createdBy: publicId('principal', createdBy),
    createdAt: createdAt.toISOString(),
  };
}
