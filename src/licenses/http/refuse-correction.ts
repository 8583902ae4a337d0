import { z } from 'zod';
import { invalidRequest } from '../../http/validation.js';

/** What does not fit the listing is told by field, as with any other body. @throws ColophonError `invalid_request` */
export function refuseCorrection(error: unknown): never {
  if (!(error instanceof z.ZodError)) throw error;
  throw invalidRequest(
    error.issues.map(({ path, message }) => ({ path: `correction.${path.map(String).join('.')}`, message })),
  );
}
