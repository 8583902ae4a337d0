import { Controller, Get, Headers, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { Idempotency } from '../../http/idempotency.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { type LogKeyEvent } from '../application/log-key-records.js';
import { type LogKeyChange, type LogKeyStatus, RotateLogKey } from '../application/rotate-log-key.js';
import { SettleLogKeys } from '../application/settle-log-keys.js';

@ApiTags('Audit log')
@ApiBearerAuth()
@Controller('v1/audit/log-keys')
export class LogKeyController {
  constructor(
    private readonly rotateLogKey: RotateLogKey,
    private readonly settleLogKeys: SettleLogKeys,
    private readonly organizationTx: OrganizationTx,
    private readonly idempotency: Idempotency,
  ) {}

  @Get()
  @Unaudited('Public keys of the log, which the log itself names.')
  @Allow('audit:read')
  @ApiOperation({ summary: 'All keys that the log ever had, oldest first, and which of them sign' })
  async list(@CurrentPrincipal() { organizationId }: Principal) {
    const keys = await this.organizationTx.run(organizationId, (tx) => this.rotateLogKey.list(tx));
    return { items: keys.map(statusView) };
  }

  @Post()
  @Audited('log.key_added')
  @Allow('organization:administer')
  @HttpCode(201)
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({
    summary:
      'Add a key to the log: it becomes the current one, and those before it sign on until they are retired',
  })
  add(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
  ): Promise<unknown> {
    return this.once(principal, key, 201, ['POST /v1/audit/log-keys'], (tx) =>
      this.rotateLogKey.add(tx, principal),
    );
  }

  @Post(':id/retire')
  @Audited('log.key_retired')
  @Allow('organization:administer')
  @HttpCode(200)
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({ summary: 'Retire a key of the log, for good; never the current one' })
  retire(
    @CurrentPrincipal() principal: Principal,
    @Param('id') keyId: string,
    @Headers('idempotency-key') key: string | undefined,
  ): Promise<unknown> {
    return this.once(principal, key, 200, ['POST retire log key', keyId], (tx) =>
      this.rotateLogKey.retire(tx, principal, keyId),
    );
  }

  /**
   * The change and its answer in one transaction, once for each Idempotency-Key; then it takes effect. A request that
   * is repeated because the process died in between gets the same answer, and lets the change take effect.
   */
  private async once(
    principal: Principal,
    key: string | undefined,
    status: number,
    fingerprint: readonly string[],
    work: (tx: Tx) => Promise<LogKeyChange>,
  ): Promise<unknown> {
    const { organizationId } = principal;
    await this.settleLogKeys.settle(organizationId);
    const answer = await this.idempotency.run({ principal, key, fingerprint }, (idempotent) =>
      this.organizationTx.run(organizationId, async (tx) => {
        const done = { status, body: changeView(await work(tx)) };
        await idempotent.complete(tx, done);
        return done;
      }),
    );
    await this.settleLogKeys.settleAndPublish(organizationId);
    return answer.body;
  }
}

function changeView({ keyId, vkey, entryId }: LogKeyChange) {
  return { keyId, vkey, entryId: publicId('entry', entryId) };
}

function statusView({ keyId, vkey, state, added, retired }: LogKeyStatus) {
  const eventView = ({ at, entryId }: LogKeyEvent) => ({ at, entryId: publicId('entry', entryId) });
  return { keyId, vkey, state, added: eventView(added), retired: retired ? eventView(retired) : null };
}
