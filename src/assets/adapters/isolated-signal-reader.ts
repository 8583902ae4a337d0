import { type ReservationReader } from '../../provenance/domain/reservations/reservation.js';
import { ColophonError } from '../../shared/errors.js';
import { type FileSignalReader, type SignalReading, signalReadingSchema } from '../domain/signal-reading.js';

/** What a child process answers is checked again: the file that it read may have taken it over. */
export class IsolatedSignalReader implements FileSignalReader {
  constructor(private readonly reader: ReservationReader) {}

  async read(file: { readonly path: string; readonly mediaType: string }): Promise<SignalReading> {
    const { found, unread } = await this.reader.readReservations({ ...file, mayBeLarge: true });
    const reading = signalReadingSchema.safeParse({ signals: found, unreadPlaces: unread });
    if (reading.success) return reading.data;
    throw new ColophonError('manifest_malformed', 'What the file reserves cannot be read safely.', {
      cause: reading.error,
    });
  }
}
