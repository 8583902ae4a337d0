import { createHash, webcrypto, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decode, encode } from 'cborg';
import { readManifestStore } from '../../adapters/carried-store.js';
import { readClaimSignature } from '../../adapters/cose-reading.js';
import { type StoredManifest, storedManifests } from '../../domain/jumbf.js';
import { createFreeAuthority, type FreeAuthority, signFreely } from '../free-signer.js';
import { type MediaFile } from '../signing-workshop.js';
import { inSegments, segmentsOf } from './jpeg-segments.js';

/**
 * A JPEG that we never made, with two manifest stores: a genuine one of ours, of another picture, where readers by the
 * book look; and one by a stranger, valid for these very bytes and with the label and the serial number of ours, in
 * segments with another identifier, which the C2PA library reads all the same.
 */
export async function pictureWithTwoStores(
  genuine: MediaFile,
  picture: MediaFile,
  folder: string,
): Promise<MediaFile> {
  const { store: ours } = await readManifestStore(genuine.path);
  const manifest = ours && storedManifests(ours).at(-1);
  if (ours === undefined || manifest === undefined) throw new Error('the genuine file has no manifest');
  const stranger = await createFreeAuthority({ serialNumber: serialNumberOf(manifest) });
  const definition = { title: 'Forged', label: manifest.manifestLabel };
  const signed = await signFreely(picture, join(folder, 'strange.jpg'), stranger, definition);
  const file = await readFile(signed.path);
  const segments = segmentsOf(file);
  const [first, last] = [segments[0], segments.at(-1)];
  if (first === undefined || last === undefined) throw new Error('the library embedded nothing');
  const head = file.subarray(0, first.offset);
  const tail = file.subarray(last.offset + last.sizeBytes);
  const added = inSegments(ours, first.instanceNumber);
  const hash = createHash('sha256').update(head).update(added).update(tail).digest();
  const theirs = await boundTo(Buffer.concat(segments.map(({ boxes }) => boxes)), hash, stranger);
  const hidden = segments.map(({ offset, sizeBytes }) =>
    Buffer.from(file.subarray(offset, offset + sizeBytes)),
  );
  let copied = 0;
  for (const [i, segment] of hidden.entries()) {
    const boxesAt = segment.length - (segments[i]?.boxes.length ?? 0);
    copied += theirs.copy(segment, boxesAt, copied);
    segment.write('XX', 4);
  }
  const path = join(folder, 'two-stores.jpg');
  await writeFile(path, Buffer.concat([head, ...hidden, added, tail]));
  return { path, mediaType: 'image/jpeg' };
}

function serialNumberOf({ signature }: StoredManifest): string {
  const leaf = signature && readClaimSignature(signature)?.chain[0];
  if (leaf === undefined) throw new Error('the genuine manifest has no certificate');
  return new X509Certificate(leaf).serialNumber;
}

/** The store with another hash of the file, every hash above it made anew, and signed again: all of the same length. */
async function boundTo(store: Buffer, fileHash: Buffer, by: FreeAuthority): Promise<Buffer> {
  const manifest = storedManifests(store).at(-1);
  const binding = manifest?.assertions.find(({ label }) => label === 'c2pa.hash.data');
  if (manifest?.claim === undefined || manifest.signature === undefined || binding === undefined)
    throw new Error('the manifest of the stranger has an unexpected form');
  const { claim, signature } = manifest;
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
  const assertionHash = sha256(binding.hashed);
  const content = decode(binding.content, { useMaps: true }) as Map<string, Uint8Array>;
  fileHash.copy(binding.content, binding.content.indexOf(content.get('hash') ?? ''));
  sha256(binding.hashed).copy(claim, claim.indexOf(assertionHash));
  const cose = decode(signature.subarray(1), { useMaps: true }) as Uint8Array[];
  const toBeSigned = encode(['Signature1', cose[0], new Uint8Array(0), new Uint8Array(claim)]);
  const signed = await webcrypto.subtle.sign(
    { name: 'ECDSA', hash: 'SHA-256' },
    by.key,
    new Uint8Array(toBeSigned),
  );
  Buffer.from(signed).copy(signature, signature.indexOf(cose[3] ?? ''));
  return store;
}
