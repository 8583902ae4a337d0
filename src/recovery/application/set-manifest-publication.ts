import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { publicId } from '../../shared/ids.js';
import { type PublicationRepository } from '../adapters/publication.repository.js';

/** Whether strangers find the manifests of what a project released. */
export class SetManifestPublication {
  constructor(
    private readonly publications: PublicationRepository,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found`, `conflict` */
  async set(tx: Tx, principal: Principal, projectId: string, publish: boolean): Promise<void> {
    await this.publications.isPublished(tx, projectId);
    const entryId = await this.appendEntry.append(tx, {
      type: 'project.manifest_publication_set',
      projectId,
      actor: actorOf(principal),
      subject: { kind: 'project', id: publicId('project', projectId) },
      data: { publish },
    });
    await this.publications.set(tx, {
      projectId,
      publish,
      setBy: principal.principalId,
      entryId,
      createdAt: this.clock.now(),
    });
  }
}
