import { decode } from 'cborg';
import { type StoredAssertion, storedManifests } from '../domain/jumbf.js';
import { type ValidationStatus } from '../domain/media-verifier.port.js';
import { type ByteSource } from './byte-source.js';
import { isC2paBox } from './iso-media-manifest-store.js';
import { type Stretch } from './manifest-store-slice.js';
import { isMediaLeftOut, type LeavesOut } from './media-places/left-out-boxes.js';

const HARD_BINDING = /^c2pa\.hash\./;
const DATA_HASH = /^c2pa\.hash\.data(__\d+)?$/;
const BOX_HASH = /^c2pa\.hash\.bmff(\.v\d+)?(__\d+)?$/;

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
  const binding = bindingsIn(store, DATA_HASH).find(({ content }) =>
    leftOut(content).some((stretch) => !isWithin(stretch, places)),
  );
  return binding && failure('assertion.dataHash.additionalExclusionsPresent', binding);
}

/**
 * A hash of ISO media (`c2pa.hash.bmff`) leaves out boxes by their names, `free` and `skip` among them. Players go by
 * offsets and do not mind names: what they show may lie in such a box, and can be exchanged after it was signed.
 *
 * @returns the failure, if any
 */
export async function unsignedMedia(store: Buffer, file: ByteSource): Promise<ValidationStatus | undefined> {
  for (const binding of bindingsIn(store, BOX_HASH)) {
    if (await isMediaLeftOut(file, boxesLeftOut(binding.content)))
      return failure('assertion.bmffHash.additionalExclusionsPresent', binding);
  }
  return undefined;
}

interface Binding extends StoredAssertion {
  readonly manifestLabel: string;
}

/** A manifest that only adds to an older one (an update) has no hard binding: that of the older one counts. */
function bindingsIn(store: Buffer, kind: RegExp): Binding[] {
  const bound = storedManifests(store).findLast(({ assertions }) =>
    assertions.some(({ label }) => HARD_BINDING.test(label)),
  );
  if (bound === undefined) return [];
  const { manifestLabel, assertions } = bound;
  return assertions.filter(({ label }) => kind.test(label)).map((found) => ({ ...found, manifestLabel }));
}

function failure(code: string, { manifestLabel, label }: Binding): ValidationStatus {
  return {
    code,
    outcome: 'failure',
    url: `self#jumbf=/c2pa/${manifestLabel}/c2pa.assertions/${label}`,
    explanation: undefined,
  };
}

interface BoxExclusion {
  readonly xpath: unknown;
  /** The box must hold these bytes, too: C2PA's own boxes are known by them. */
  readonly data?: unknown;
}

/**
 * Boxes at the top level; what is left out within one, such as the offsets themselves in older manifests, is not looked
 * at here. An `mdat` whose pieces are hashed one by one is left out of the hash of the rest only.
 */
function boxesLeftOut(content: Buffer): LeavesOut {
  try {
    const { exclusions, merkle } = decode(content) as { exclusions: BoxExclusion[]; merkle?: unknown };
    const paths = new Set(exclusions.map(({ xpath }) => xpath));
    const anyUuid = exclusions.some(({ xpath, data }) => xpath === '/uuid' && !Array.isArray(data));
    if (Array.isArray(merkle) && merkle.length > 0) paths.delete('/mdat');
    return (box) => paths.has(`/${box.type}`) && (box.type !== 'uuid' || anyUuid || isC2paBox(box));
  } catch {
    return () => true;
  }
}

const EVERYTHING: Stretch = { offset: 0, sizeBytes: Number.POSITIVE_INFINITY };

/** What cannot be read may leave out everything. */
function leftOut(content: Buffer): Stretch[] {
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
