import { type AppendEntry } from '../../../audit/application/append-entry.js';
import { type Tx } from '../../../database/organization-tx.js';
import { actorOf } from '../../../identity/application/actor.js';
import { type Principal } from '../../../identity/domain/principal.js';
import { sha256Hex } from '../../../shared/bytes.js';
import { canonicalJson } from '../../../shared/canonical-json.js';
import { type Clock } from '../../../shared/clock.js';
import { ColophonError } from '../../../shared/errors.js';
import { publicId } from '../../../shared/ids.js';
import { type GatewayPlace } from '../domain/gateway-call.js';
import { type GatewaySettings, gatewaySettingsSchema } from '../domain/gateway-settings.js';
import { useCaseOfPlace } from './use-case-of-place.js';

/** Settings in force, with what identifies them in the log. */
export interface SettingsInForce {
  readonly settings: GatewaySettings;
  readonly sha256: string;
  /** Counts from 1. */
  readonly version: number;
  readonly setAt: Date;
  /** UUID. */
  readonly useCaseId: string;
}

/** Under which facts and rights calls of SDKs run in each use case. Every change is a new version with its entry. */
export class GatewaySettingsOfUseCase {
  constructor(
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /**
   * @returns `undefined` where nobody has said anything
   * @throws ColophonError `not_found` for an unknown project or use case
   */
  async find(tx: Tx, { projectId, useCase }: GatewayPlace): Promise<SettingsInForce | undefined> {
    const [useCaseId, [row]] = await Promise.all([
      useCaseOfPlace(tx, { projectId, useCase }),
      tx.query<{ settings: Buffer; ordinal: number; created_at: Date }>(
        `SELECT g.settings, g.ordinal, g.created_at FROM gateway_settings g
           JOIN use_case u ON u.organization_id = g.organization_id AND u.id = g.use_case_id
          WHERE g.organization_id = $1 AND u.project_id = $2 AND u.name = $3 ORDER BY g.ordinal DESC LIMIT 1`,
        [tx.organizationId, projectId, useCase],
      ),
    ]);
    if (!row) return undefined;
    return {
      settings: gatewaySettingsSchema.parse(JSON.parse(row.settings.toString('utf8'))),
      sha256: sha256Hex(row.settings),
      version: row.ordinal,
      setAt: row.created_at,
      useCaseId,
    };
  }

  /** For a call. @throws ColophonError `not_found`, `gateway_closed` */
  async require(tx: Tx, place: GatewayPlace): Promise<SettingsInForce> {
    const found = await this.find(tx, place);
    if (found === undefined) {
      throw new ColophonError(
        'gateway_closed',
        'The gateway of this use case is closed: nobody has said yet under which facts its calls run.',
      );
    }
    if (!found.settings.open) {
      throw new ColophonError('gateway_closed', 'The gateway of this use case has been closed.');
    }
    return found;
  }

  /** @throws ColophonError `not_found`; `conflict` when somebody else was faster */
  async set(
    tx: Tx,
    principal: Principal,
    place: GatewayPlace,
    settings: GatewaySettings,
  ): Promise<SettingsInForce> {
    const useCaseId = await useCaseOfPlace(tx, place);
    const bytes = canonicalJson(settings);
    const sha256 = sha256Hex(bytes);
    const entryId = await this.appendEntry.append(tx, {
      type: 'use_case.gateway_set',
      projectId: place.projectId,
      actor: actorOf(principal),
      subject: { kind: 'use_case', id: publicId('useCase', useCaseId) },
      data: {
        projectId: publicId('project', place.projectId),
        useCase: place.useCase,
        open: settings.open,
        purpose: settings.facts.purpose,
        ...(settings.inputRights === null ? {} : { inputRightsBasis: settings.inputRights.rightsBasis }),
        settingsSha256: sha256,
      },
    });
    const setAt = this.clock.now();
    const [inserted] = await tx.query<{ ordinal: number }>(
      `INSERT INTO gateway_settings (organization_id, use_case_id, ordinal, settings, set_by, entry_id, created_at)
       SELECT $1, $2, coalesce(max(ordinal), 0) + 1, $3, $4, $5, $6 FROM gateway_settings
        WHERE organization_id = $1 AND use_case_id = $2
       ON CONFLICT DO NOTHING RETURNING ordinal`,
      [tx.organizationId, useCaseId, bytes, principal.principalId, entryId, setAt],
    );
    if (!inserted)
      throw new ColophonError('conflict', 'Somebody else has changed these settings at the same time.');
    return { settings, sha256, version: inserted.ordinal, setAt, useCaseId };
  }
}
