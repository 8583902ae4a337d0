import { type ReservationReader } from '../../provenance/domain/reservations/reservation.js';
import { ColophonError } from '../../shared/errors.js';
import {
  type FileSignalReader,
  type ReceivedReading,
  receivedReadingSchema,
} from '../domain/signal-reading.js';

/** What a child process answers is checked again: the file that it read may have taken it over. */
export class IsolatedSignalReader implements FileSignalReader {
  constructor(private readonly reader: ReservationReader) {}

  async read(file: { readonly path: string; readonly mediaType: string }): Promise<ReceivedReading> {
    const { found, unread, sourceStatements, versionLabels } = await this.reader.readReservations({
      ...file,
      mayBeLarge: true,
    });
    const reading = receivedReadingSchema.safeParse({
      reading: {
        signals: found,
        unreadPlaces: unread,
        ...(sourceStatements.length === 0 ? {} : { sourceStatements }),
      },
      versionLabels,
    });
    if (reading.success) return reading.data;
    throw new ColophonError('manifest_malformed', 'What the file reserves cannot be read safely.', {
      cause: reading.error,
    });
  }
}
