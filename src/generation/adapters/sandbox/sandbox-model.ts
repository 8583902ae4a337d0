import { PRODUCT_NAME } from '../../../shared/product.js';

/** Corners of a unit cube, and its twelve triangles. */
const CORNERS = [
  [-1, -1, -1],
  [1, -1, -1],
  [1, 1, -1],
  [-1, 1, -1],
  [-1, -1, 1],
  [1, -1, 1],
  [1, 1, 1],
  [-1, 1, 1],
] as const;
const TRIANGLES = [
  0, 2, 1, 0, 3, 2, 4, 5, 6, 4, 6, 7, 0, 1, 5, 0, 5, 4, 3, 7, 6, 3, 6, 2, 0, 4, 7, 0, 7, 3, 1, 2, 6, 1, 6, 5,
] as const;
const FLOAT = 5126;
const UNSIGNED_SHORT = 5123;

/** A cuboid whose proportions and color come from the digest. Binary glTF 2.0 (GLB). */
export function renderSandboxModel(digest: Buffer): Buffer {
  const at = (index: number): number => (digest[index] ?? 0) / 255;
  const size = [0.5 + at(0), 0.5 + at(1), 0.5 + at(2)] as const;
  const positions = Buffer.alloc(CORNERS.length * 12);
  CORNERS.forEach((corner, index) => {
    corner.forEach((value, axis) => positions.writeFloatLE(value * (size[axis] ?? 1), index * 12 + axis * 4));
  });
  const indices = Buffer.alloc(TRIANGLES.length * 2);
  TRIANGLES.forEach((corner, index) => indices.writeUInt16LE(corner, index * 2));
  const document = {
    asset: { version: '2.0', generator: `${PRODUCT_NAME} sandbox (no AI, for tests)` },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0, name: 'Sandbox, not AI generated' }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0 }, indices: 1, material: 0 }] }],
    materials: [{ pbrMetallicRoughness: { baseColorFactor: [at(3), at(4), at(5), 1] } }],
    accessors: [
      // As they are after rounding to 32 bits: a validator compares them with the data.
      {
        bufferView: 0,
        componentType: FLOAT,
        count: CORNERS.length,
        type: 'VEC3',
        min: size.map((value) => -Math.fround(value)),
        max: size.map((value) => Math.fround(value)),
      },
      { bufferView: 1, componentType: UNSIGNED_SHORT, count: TRIANGLES.length, type: 'SCALAR' },
    ],
    bufferViews: [
      { buffer: 0, byteOffset: 0, byteLength: positions.length },
      { buffer: 0, byteOffset: positions.length, byteLength: indices.length },
    ],
    buffers: [{ byteLength: positions.length + indices.length }],
  };
  return container(Buffer.from(JSON.stringify(document)), Buffer.concat([positions, indices]));
}

/** glTF 2.0, section 4.4: header, JSON chunk filled up with spaces, binary chunk filled up with zeros. */
function container(json: Buffer, binary: Buffer): Buffer {
  const chunks = Buffer.concat([chunk('JSON', json, 0x20), chunk('BIN\0', binary, 0)]);
  const header = Buffer.alloc(12);
  header.write('glTF', 0, 'latin1');
  header.writeUInt32LE(2, 4);
  header.writeUInt32LE(header.length + chunks.length, 8);
  return Buffer.concat([header, chunks]);
}

function chunk(type: string, content: Buffer, filler: number): Buffer {
  const padded = Buffer.concat([content, Buffer.alloc((4 - (content.length % 4)) % 4, filler)]);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(padded.length, 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, padded]);
}
