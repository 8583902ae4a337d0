/**
 * Reads a zip whose files are stored as they are, as bundles are written (APPNOTE.TXT sections 4.3.7, 4.3.12, 4.3.16).
 * Names are looked up, never used as paths.
 * @throws Error in plain words for anything else
 */
export function readStoredZip(zip: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const end = endRecordAt(view);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === 0xffffffff)
    throw new Error('The file is too large for a browser. Use the command in VERIFY.md.');
  const files = new Map<string, Uint8Array>();
  for (let i = 0; i < count; i++) {
    if (at + 46 > zip.length || view.getUint32(at, true) !== 0x02014b50) throw damaged();
    const [method, size, stored] = [
      view.getUint16(at + 10, true),
      view.getUint32(at + 24, true),
      view.getUint32(at + 20, true),
    ];
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      view.getUint16(at + offset, true),
    ) as [number, number, number];
    const local = view.getUint32(at + 42, true);
    const name = latin1(zip.subarray(at + 46, at + 46 + nameLength));
    if (method !== 0 || size !== stored)
      throw new Error('The zip is compressed, so it was packed again. Ask for the original.');
    if (files.has(name)) throw new Error(`Two files are called ${name}.`);
    if (local + 30 > zip.length || view.getUint32(local, true) !== 0x04034b50) throw damaged();
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (start + size > zip.length) throw damaged();
    files.set(name, zip.subarray(start, start + size));
    at += 46 + nameLength + extraLength + commentLength;
  }
  return files;
}

/** The end record has 22 bytes and no comment here. */
function endRecordAt(view: DataView): number {
  const at = view.byteLength - 22;
  if (at < 0 || view.getUint32(at, true) !== 0x06054b50)
    throw new Error('This is no evidence bundle, or it was cut off.');
  return at;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function damaged(): Error {
  return new Error('The zip file is damaged.');
}
