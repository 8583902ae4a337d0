import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { useCaseOf } from '../../licenses/application/find-use.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type ReviewNeeds } from '../domain/review/review-standing.js';

export interface ReviewSettings {
  readonly needs: ReviewNeeds;
  /** 0 where nobody has said anything. */
  readonly version: number;
  readonly setAt: Date | undefined;
}

/** UUID of the project, and the name of a use case in it. */
export interface UseCasePlace {
  readonly projectId: string;
  readonly useCase: string;
}

const DEFAULT_NEEDS: ReviewNeeds = { approvals: 1, humanContribution: false, checklist: false };

/** What each use case asks for before a release. Every change is a new version with its entry. */
export class ReviewSettingsOfUseCase {
  constructor(
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found` */
  async find(tx: Tx, place: UseCasePlace): Promise<ReviewSettings> {
    const useCaseId = await useCaseOf(tx, place.projectId, place.useCase);
    const [row] = await tx.query<{
      ordinal: number;
      approvals: number;
      human_contribution: boolean;
      checklist: boolean;
      created_at: Date;
    }>(
      `SELECT ordinal, approvals, human_contribution, checklist, created_at FROM review_settings
        WHERE organization_id = $1 AND use_case_id = $2 ORDER BY ordinal DESC LIMIT 1`,
      [tx.organizationId, useCaseId],
    );
    if (row === undefined) return { needs: DEFAULT_NEEDS, version: 0, setAt: undefined };
    const needs: ReviewNeeds = {
      approvals: row.approvals === 2 ? 2 : 1,
      humanContribution: row.human_contribution,
      checklist: row.checklist,
    };
    return { needs, version: row.ordinal, setAt: row.created_at };
  }

  /** They hold for everything that is released from now on. @throws ColophonError `not_found`, `conflict` */
  async set(tx: Tx, principal: Principal, place: UseCasePlace, needs: ReviewNeeds): Promise<ReviewSettings> {
    const useCaseId = await useCaseOf(tx, place.projectId, place.useCase);
    if (useCaseId === null) throw new Error('a named use case has an id');
    const { version } = await this.find(tx, place);
    const setAt = this.clock.now();
    const entryId = await this.appendEntry.append(tx, {
      type: 'use_case.review_set',
      projectId: place.projectId,
      actor: actorOf(principal),
      subject: { kind: 'use_case', id: publicId('useCase', useCaseId) },
      data: { projectId: publicId('project', place.projectId), useCase: place.useCase, ...needs },
    });
    try {
      await tx.query(
        `INSERT INTO review_settings
           (organization_id, use_case_id, ordinal, approvals, human_contribution, checklist, set_by, entry_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [
          ...[tx.organizationId, useCaseId, version + 1],
          ...[
            needs.approvals,
            needs.humanContribution,
            needs.checklist,
            principal.principalId,
            entryId,
            setAt,
          ],
        ],
      );
    } catch (error) {
      if (violatedConstraint(error) === 'review_settings_pkey')
        throw new ColophonError('conflict', 'Somebody else has changed these settings at the same time.');
      throw error;
    }
    return { needs, version: version + 1, setAt };
  }
}
