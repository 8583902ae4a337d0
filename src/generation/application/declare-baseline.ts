import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { newId, publicId } from '../../shared/ids.js';
import { type Baseline } from '../domain/use-case-return.js';
import { findUseCase } from './use-case.js';

export interface DeclaredBaseline extends Baseline {
  readonly id: string;
  readonly declaredBy: string;
  readonly declaredAt: Date;
  /** Where the numbers are from, in the words of who declared them; `undefined` when those were erased. */
  readonly source: string | undefined;
}

/** The old way: what one piece cost and how long it took. The newest declaration counts; the others are kept. */
export class Baselines {
  constructor(
    private readonly vault: SubjectVault,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  async declare(
    tx: Tx,
    principal: Principal,
    useCaseId: string,
    { source, ...baseline }: Baseline & { readonly source: string },
  ): Promise<string> {
    refuseTestKeyOnLive(principal.mode, 'live', 'A baseline');
    await findUseCase(tx, useCaseId);
    const id = newId();
    const { principalId } = principal;
    const amounts = {
      costMicroUsd: baseline.costMicroUsd?.toString(),
      investmentMicroUsd: baseline.investmentMicroUsd?.toString(),
    };
    await tx.query(
      `INSERT INTO use_case_baseline (organization_id, id, use_case_id, cost_micro_usd, minutes, investment_micro_usd,
                                      sealed_source, declared_by, declared_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        tx.organizationId,
        id,
        useCaseId,
        amounts.costMicroUsd ?? null,
        baseline.minutes ?? null,
        amounts.investmentMicroUsd ?? null,
        await this.vault.encrypt(tx, principalId, source),
        principalId,
        this.clock.now(),
      ],
    );
    await this.appendEntry.append(tx, {
      type: 'baseline.declared',
      actor: actorOf(principal),
      subject: { kind: 'use_case', id: publicId('useCase', useCaseId) },
      data: {
        baselineId: publicId('baseline', id),
        ...(amounts.costMicroUsd === undefined ? {} : { costMicroUsd: amounts.costMicroUsd }),
        ...(baseline.minutes === undefined ? {} : { seconds: Math.round(baseline.minutes * 60) }),
        ...(amounts.investmentMicroUsd === undefined
          ? {}
          : { investmentMicroUsd: amounts.investmentMicroUsd }),
      },
      sealed: { source: { value: source, subjectId: principalId } },
    });
    return id;
  }

  async newest(tx: Tx, useCaseId: string): Promise<DeclaredBaseline | undefined> {
    const [row] = await tx.query<{
      id: string;
      cost_micro_usd: string | null;
      minutes: number | null;
      investment_micro_usd: string | null;
      sealed_source: string;
      declared_by: string;
      declared_at: Date;
    }>(
      `SELECT * FROM use_case_baseline WHERE organization_id = $1 AND use_case_id = $2
        ORDER BY declared_at DESC, id DESC LIMIT 1`,
      [tx.organizationId, useCaseId],
    );
    if (!row) return undefined;
    const amount = (text: string | null) => (text === null ? undefined : BigInt(text));
    return {
      id: row.id,
      costMicroUsd: amount(row.cost_micro_usd),
      minutes: row.minutes ?? undefined,
      investmentMicroUsd: amount(row.investment_micro_usd),
      declaredBy: row.declared_by,
      declaredAt: row.declared_at,
      source: await this.vault.decrypt(tx, row.declared_by, row.sealed_source),
    };
  }
}
