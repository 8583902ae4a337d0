import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { type SubjectKind } from '../core/entry-types.js';
import { type LogWriter } from './log-writer.js';

/** Writes down that somebody is about to be shown sealed values in clear. */
export class RecordOpened {
  constructor(private readonly log: LogWriter) {}

  /**
   * Call it before the first byte of the answer leaves. Nothing is written where nothing is shown.
   *
   * @param subject what the reader asked for
   * @param entryIds UUIDs of the entries whose values are shown
   * @throws ColophonError `audit_unavailable`: they must not be shown
   */
  async before(
    principal: Principal,
    subject: { readonly kind: SubjectKind; readonly id: string },
    entryIds: readonly string[],
  ): Promise<void> {
    if (entryIds.length === 0) return;
    await this.log.append(principal.organizationId, {
      type: 'opening.read',
      actor: actorOf(principal),
      subject,
      data: { entryIds: entryIds.map((id) => publicId('entry', id)) },
    });
  }
}
