import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { type MarkingDuties, markingDutiesSchema } from '../domain/marking-duty.js';
import content from './marking-duties.json' with { type: 'json' };

let parsed: MarkingDuties | undefined;

/** @throws z.ZodError naming the duty and the field. Duties that cannot be trusted are not used at all. */
export function parseMarkingDuties(file: unknown): MarkingDuties {
  const { readOn, duties } = markingDutiesSchema.parse(file);
  return { readOn, duties, sha256: sha256Hex(canonicalJson({ v: 1, readOn, duties })) };
}

/** The calendar of legal marking duties that comes with the product. */
export function markingDuties(): MarkingDuties {
  parsed ??= parseMarkingDuties(content);
  return parsed;
}
