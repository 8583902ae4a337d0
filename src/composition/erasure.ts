import { EraseDataSubject } from '../audit/application/erase-data-subject.js';
import { LiftLegalHold } from '../audit/application/lift-legal-hold.js';
import { ListLegalHolds } from '../audit/application/list-legal-holds.js';
import { PlaceLegalHold } from '../audit/application/place-legal-hold.js';
import { RecordOpened } from '../audit/application/record-opened.js';
import { type composeAssets } from './assets.js';
import { type composeRetention } from './retention.js';
import { type composeLog } from './log.js';
import { type ServicesOptions, type Composed, clock } from './services-options.js';

export function composeErasure(
  { logger }: ServicesOptions,
  { vault, appendEntry, logWriter }: Composed<typeof composeLog>,
  { store }: Composed<typeof composeAssets>,
  { settleRemovedFiles }: Composed<typeof composeRetention>,
) {
  return {
    eraseDataSubject: new EraseDataSubject(
      appendEntry,
      (organizationId, sha256) => store.remove(organizationId, sha256),
      (organizationId) => settleRemovedFiles.settle(organizationId),
      (error) => logger.error({ err: error }, 'a file of an erased person could not be deleted; erase again'),
      clock,
    ),
    placeLegalHold: new PlaceLegalHold(appendEntry, clock),
    liftLegalHold: new LiftLegalHold(appendEntry, clock),
    listLegalHolds: new ListLegalHolds(vault),
    recordOpened: new RecordOpened(logWriter),
  };
}
