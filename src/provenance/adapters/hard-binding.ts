import { decode } from 'cborg';
import { type StoredAssertion, storedManifests } from '../domain/jumbf.js';
import { type ValidationStatus } from '../domain/media-verifier.port.js';
import { type Stretch } from './manifest-store-slice.js';

const HARD_BINDING = /^c2pa\.hash\./;
const DATA_HASH = /^c2pa\.hash\.data(__\d+)?$/;

/**
 * A data hash (C2PA 2.4, `c2pa.hash.data`) leaves out the stretch in which the manifest lies. Signers leave room there,
 * and what a signature does not cover in the manifest itself can be cut short (padding, time-stamps): then another picture
 * finds room in front of the one that was signed, and the hash still fits. The library (c2pa-rs of c2pa-node 0.8) does
 * not look at what lies there, so we do: nothing but the manifest store in its container may.
 *
 * @param places of the store in the file; none for a manifest in a file of its own, which needs no stretch left out
 * @returns the failure, if any
 */
export function unsignedStretch(store: Buffer, places: readonly Stretch[]): ValidationStatus | undefined {
  // A manifest that only adds to an older one (an update) has no hard binding: that of the older one counts.
  const bound = storedManifests(store).findLast(({ assertions }) =>
    assertions.some(({ label }) => HARD_BINDING.test(label)),
  );
  const bindings = bound?.assertions.filter(({ label }) => DATA_HASH.test(label)) ?? [];
  const open = bindings.find((binding) => leftOut(binding).some((stretch) => !isWithin(stretch, places)));
  return (
    open && {
      code: 'assertion.dataHash.additionalExclusionsPresent',
      outcome: 'failure',
      url: `self#jumbf=/c2pa/${bound?.manifestLabel ?? ''}/c2pa.assertions/${open.label}`,
      explanation: undefined,
    }
  );
}

const EVERYTHING: Stretch = { offset: 0, sizeBytes: Number.POSITIVE_INFINITY };

/** What cannot be read may leave out everything. */
function leftOut({ content }: StoredAssertion): Stretch[] {
  try {
    const { exclusions } = decode(content) as { exclusions?: unknown };
    if (exclusions === undefined || exclusions === null) return [];
    return (exclusions as { start: unknown; length: unknown }[]).map(({ start, length }) =>
      typeof start === 'number' && typeof length === 'number'
        ? { offset: start, sizeBytes: length }
        : EVERYTHING,
    );
  } catch {
    return [EVERYTHING];
  }
}

/** Places that touch, such as the segments of a JPEG, count as one. */
function isWithin({ offset, sizeBytes }: Stretch, places: readonly Stretch[]): boolean {
  let reached = offset;
  for (const place of [...places].sort((a, b) => a.offset - b.offset))
    if (place.offset <= reached) reached = Math.max(reached, place.offset + place.sizeBytes);
  return reached >= offset + sizeBytes;
}
