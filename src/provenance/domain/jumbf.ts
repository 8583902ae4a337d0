/**
 * Just enough JUMBF (ISO/IEC 19566-5) to find the claims and signatures in a manifest store.
 * A box is length (4), type (4), [length (8) when the first is 1], content; a superbox `jumb` begins with a
 * description box `jumd`: type UUID (16), toggles (1), zero-terminated label.
 */
interface Box {
  readonly type: string;
  readonly content: Buffer;
}

const MAX_BOXES = 10_000;
const CLAIM_LABEL = /^c2pa\.claim(\.v2)?$/;
const SIGNATURE_LABEL = /^c2pa\.signature$/;

export interface ActiveClaim {
  /** Label of the active manifest, `urn:c2pa:...`. */
  readonly manifestLabel: string;
  /** The CBOR bytes which the claim signature covers. */
  readonly claim: Buffer;
}

/**
 * One manifest of a store; `undefined` for what it does not have, or has in a compressed form. All parts are views into
 * the store: what is written into them is written into it.
 */
export interface StoredManifest {
  readonly manifestLabel: string;
  readonly claim: Buffer | undefined;
  /** The COSE_Sign1 of the claim. */
  readonly signature: Buffer | undefined;
  readonly assertions: readonly StoredAssertion[];
}

export interface StoredAssertion {
  /** With its instance number, e.g. `cawg.identity__1`. */
  readonly label: string;
  /** What a hashed URI of the assertion is over: the superbox without its own header (C2PA 2.4 section 8.4.2.3). */
  readonly hashed: Buffer;
  /** The content of the first box behind the description, e.g. CBOR bytes. */
  readonly content: Buffer;
}

/**
 * The claim of the active manifest, which is the last one in the store (C2PA 2.4 section 11.1.4.2).
 * `undefined` when the store is not built like that; hostile lengths read as nothing.
 */
export function activeClaim(store: Buffer): ActiveClaim | undefined {
  const last = storedManifests(store).at(-1);
  return last?.claim && { manifestLabel: last.manifestLabel, claim: last.claim };
}

/** Every manifest of the store in its order, the active one last. */
export function storedManifests(store: Buffer): StoredManifest[] {
  const outer = boxes(store)[0];
  if (outer?.type !== 'jumb' || labelOf(outer) !== 'c2pa') return [];
  return superboxes(outer).flatMap((manifest) => {
    const label = labelOf(manifest);
    return label === undefined ? [] : [storedManifest(label, superboxes(manifest))];
  });
}

/**
 * A manifest store that holds the active manifest of this one and nothing else: the outer box with its description and
 * the last manifest, byte for byte. Links to ingredients lead nowhere in it.
 */
export function activeManifestOnly(store: Buffer): Buffer | undefined {
  const outer = boxes(store)[0];
  if (outer?.type !== 'jumb' || labelOf(outer) !== 'c2pa') return undefined;
  const [description] = boxes(outer.content, 1);
  const manifest = superboxes(outer).at(-1);
  if (description === undefined || manifest === undefined) return undefined;
  return boxBytes('jumb', boxBytes('jumd', description.content), boxBytes('jumb', manifest.content));
}

/** @throws RangeError for more than 4 GiB */
function boxBytes(type: string, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat([...content]);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(8 + body.length, 0);
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, body]);
}

function storedManifest(manifestLabel: string, parts: readonly Box[]): StoredManifest {
  const cborOf = (wanted: RegExp): Buffer | undefined => {
    const part = parts.find((box) => wanted.test(labelOf(box) ?? ''));
    return part && boxes(part.content).find((box) => box.type === 'cbor')?.content;
  };
  const assertionStore = parts.find((box) => labelOf(box) === 'c2pa.assertions');
  return {
    manifestLabel,
    claim: cborOf(CLAIM_LABEL),
    signature: cborOf(SIGNATURE_LABEL),
    assertions: assertionStore === undefined ? [] : superboxes(assertionStore).flatMap(storedAssertion),
  };
}

function storedAssertion(superbox: Box): StoredAssertion[] {
  const label = labelOf(superbox);
  const content = boxes(superbox.content)[1]?.content;
  return label === undefined || content === undefined ? [] : [{ label, hashed: superbox.content, content }];
}

function superboxes(parent: Box): Box[] {
  return boxes(parent.content).filter((box) => box.type === 'jumb');
}

function labelOf(superbox: Box): string | undefined {
  const description = boxes(superbox.content, 1)[0];
  if (description?.type !== 'jumd') return undefined;
  const end = description.content.indexOf(0, 17);
  return end < 0 ? undefined : description.content.toString('utf8', 17, end);
}

function boxes(bytes: Buffer, limit = MAX_BOXES): Box[] {
  const found: Box[] = [];
  let offset = 0;
  while (offset + 8 <= bytes.length && found.length < limit) {
    const declared = bytes.readUInt32BE(offset);
    const isLong = declared === 1;
    if (isLong && offset + 16 > bytes.length) break;
    const headerBytes = isLong ? 16 : 8;
    const size =
      declared === 0 ? bytes.length - offset : isLong ? Number(bytes.readBigUInt64BE(offset + 8)) : declared;
    if (size < headerBytes || offset + size > bytes.length) break;
    found.push({
      type: bytes.toString('latin1', offset + 4, offset + 8),
      content: bytes.subarray(offset + headerBytes, offset + size),
    });
    offset += size;
  }
  return found;
}
