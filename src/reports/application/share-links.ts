import { randomBytes } from 'node:crypto';
import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type KeyMode } from '../../identity/domain/api-key.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal, requirePermission } from '../../identity/domain/principal.js';
import { sha256Hex } from '../../shared/bytes.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { type ReportEntity } from '../adapters/report.entity.js';
import { ShareLinkEntity } from '../adapters/share-link.entity.js';
import { formatShareToken, SHARE_SECRET_BYTES } from '../domain/share-token.js';
import { disabledAmong } from './disabled-creators.js';
import { type RequestReport } from './request-report.js';

const HOUR_MS = 3_600_000;
const MAX_LISTED = 500;
const WHAT = 'What the link opens';

/** UUIDs; exactly one of them. */
export type ShareScope = { readonly assetId: string } | { readonly reportId: string };

/** Whether a link opens something now, and if not, why not. */
export type ShareLinkState = 'open' | 'expired' | 'revoked' | 'creator_disabled';

export interface ListedLink {
  readonly link: ShareLinkEntity;
  readonly state: ShareLinkState;
}

/** Links by which somebody outside of the organization reads reports, for a time. */
export class ShareLinks {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly assets: AssetRepository,
    private readonly reports: RequestReport,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /**
   * @returns the link, and its token, which is shown this once
   * @throws ColophonError `wrong_mode`, `not_found`, `forbidden`
   */
  create(
    principal: Principal,
    scope: ShareScope,
    expiresInHours: number,
  ): Promise<{ link: ShareLinkEntity; token: string }> {
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      await this.requireScope(tx, principal, scope);
      const token = formatShareToken(tx.organizationId, randomBytes(SHARE_SECRET_BYTES));
      const now = this.clock.now();
      const link: ShareLinkEntity = {
        organizationId: tx.organizationId,
        id: newId(),
        tokenSha256: sha256Hex(token),
        assetId: 'assetId' in scope ? scope.assetId : null,
        reportId: 'reportId' in scope ? scope.reportId : null,
        expiresAt: new Date(now.getTime() + expiresInHours * HOUR_MS),
        revokedAt: null,
        createdBy: principal.principalId,
        createdAt: now,
      };
      await tx.manager.insert(ShareLinkEntity, link);
      await this.appendEntry.append(tx, {
        type: 'share_link.created',
        actor: actorOf(principal),
        subject: { kind: 'share_link', id: publicId('shareLink', link.id) },
        data: { subjectId: scopeId(link), expiresAt: link.expiresAt.toISOString() },
      });
      return { link, token };
    });
  }

  list(organizationId: string): Promise<ListedLink[]> {
    return this.organizationTx.run(organizationId, async (tx) => {
      const links = await tx.manager.find(ShareLinkEntity, {
        where: { organizationId },
        order: { id: 'DESC' },
        take: MAX_LISTED,
      });
      return this.withStates(tx, links);
    });
  }

  private async withStates(tx: Tx, links: readonly ShareLinkEntity[]): Promise<ListedLink[]> {
    const creators = links.map(({ createdBy }) => createdBy);
    const disabled = await disabledAmong(tx, creators);
    const now = this.clock.now();
    return links.map((link) => ({ link, state: stateOf(link, disabled.has(link.createdBy), now) }));
  }

  /** What is read at this moment ends; nothing more is shown. Revoking twice changes nothing. */
  revoke(principal: Principal, id: string): Promise<ListedLink> {
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const { organizationId } = tx;
      // Waits for a use that is being written down, which took the row under a share lock.
      const link = await tx.manager.findOne(ShareLinkEntity, {
        where: { organizationId, id },
        lock: { mode: 'pessimistic_write' },
      });
      if (!link) throw new ColophonError('not_found', 'There is no share link with this id.');
      if (link.revokedAt !== null) return { link, state: 'revoked' };
      refuseTestKeyOnLive(principal.mode, await this.modeOf(tx, link.assetId), WHAT);
      const revokedAt = this.clock.now();
      await tx.manager.update(ShareLinkEntity, { organizationId, id }, { revokedAt });
      await this.appendEntry.append(tx, {
        type: 'share_link.revoked',
        actor: actorOf(principal),
        subject: { kind: 'share_link', id: publicId('shareLink', id) },
        data: { subjectId: scopeId(link) },
      });
      return { link: { ...link, revokedAt }, state: 'revoked' };
    });
  }

  private async requireScope(tx: Tx, principal: Principal, scope: ShareScope): Promise<void> {
    if ('assetId' in scope) {
      refuseTestKeyOnLive(principal.mode, await this.modeOf(tx, scope.assetId), WHAT);
      return;
    }
    const report: ReportEntity = await this.reports.get(tx, scope.reportId);
    refuseTestKeyOnLive(
      principal.mode,
      await this.modeOf(tx, report.kind === 'asset' ? report.subjectId : null),
      WHAT,
    );
    // Nobody hands on what they may not have themselves.
    if (report.kind === 'period') requirePermission(principal, 'audit:export');
  }

  /** What is of no one asset speaks of live work. @throws ColophonError `not_found` */
  private async modeOf(tx: Tx, assetId: string | null): Promise<KeyMode> {
    return assetId === null ? 'live' : (await this.assets.get(tx, assetId)).mode;
  }
}

function stateOf({ revokedAt, expiresAt }: ShareLinkEntity, isDisabled: boolean, now: Date): ShareLinkState {
  if (revokedAt !== null) return 'revoked';
  if (expiresAt <= now) return 'expired';
  return isDisabled ? 'creator_disabled' : 'open';
}

/** Public id of what a link opens. */
export function scopeId({ assetId, reportId }: ShareLinkEntity): string {
  return assetId === null ? publicId('report', reportId ?? '') : publicId('asset', assetId);
}
