import { brotliCompressSync, constants, deflateSync } from 'node:zlib';

/** A bomb has to be made, too, in each run of the tests. */
const FAST = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

/** Files that are small and make careless parsers work, recurse or allocate without end. */
export function parserBombs(png: Buffer): Readonly<Record<string, { bytes: Buffer; mediaType: string }>> {
  const picture = (store: Buffer): { bytes: Buffer; mediaType: string } => ({
    bytes: withManifestChunk(png, store),
    mediaType: 'image/png',
  });
  return {
    'JUMBF nested 20,000 deep': picture(nested(20_000)),
    'a store of 100,000 manifests': picture(
      store(Buffer.concat(Array.from({ length: 100_000 }, (_, i) => superbox(`m${i}`)))),
    ),
    'a box that claims 4 GB': picture(
      Buffer.concat([u32(0xffffffff), Buffer.from('jumb'), superbox('c2pa')]),
    ),
    'a box of no length at all': picture(Buffer.concat([store(superbox('m')), Buffer.alloc(8)])),
    'a compressed manifest of 64 MB of zeros': picture(
      store(
        superbox(
          'urn:c2pa:bomb',
          box(
            'brob',
            Buffer.concat([Buffer.from('jumb'), brotliCompressSync(Buffer.alloc(64 * 1024 * 1024), FAST)]),
          ),
          'c2cm',
        ),
      ),
    ),
    'a claim of CBOR arrays nested 100,000 deep': picture(
      store(superbox('urn:c2pa:x', superbox('c2pa.claim.v2', box('cbor', Buffer.alloc(100_000, 0x81))))),
    ),
    'a RIFF file that holds itself': {
      bytes: Buffer.concat([
        Buffer.from('RIFF'),
        u32le(0x7fffffff),
        Buffer.from('WEBP'),
        ...Array.from({ length: 20_000 }, () =>
          Buffer.concat([Buffer.from('LIST'), u32le(0x7fffffff), Buffer.from('WEBP')]),
        ),
      ]),
      mediaType: 'image/webp',
    },
    'moov boxes nested 20,000 deep': {
      bytes: Buffer.concat([box('ftyp', Buffer.from('avif\0\0\0\0avifmif1')), nestedBoxes('moov', 20_000)]),
      mediaType: 'image/avif',
    },
    'a PNG whose text unpacks to 64 MB': {
      bytes: insertChunk(
        png,
        'iTXt',
        Buffer.concat([
          Buffer.from('XML:com.adobe.xmp\0\x01\0\0\0'),
          deflateSync(Buffer.alloc(64 * 1024 * 1024, 0x20), { level: 1 }),
        ]),
      ),
      mediaType: 'image/png',
    },
  };
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function u32le(value: number): Buffer {
  return Buffer.from(u32(value)).reverse();
}

function box(type: string, content: Buffer): Buffer {
  return Buffer.concat([u32(content.length + 8), Buffer.from(type, 'latin1'), content]);
}

/** Type UUIDs of C2PA boxes: four letters and a fixed rest. */
function superbox(label: string, content: Buffer = Buffer.alloc(0), kind = 'c2ma'): Buffer {
  const uuid = Buffer.concat([Buffer.from(kind), Buffer.from('00110010800000aa00389b71', 'hex')]);
  const description = box('jumd', Buffer.concat([uuid, Buffer.from([3]), Buffer.from(`${label}\0`)]));
  return box('jumb', Buffer.concat([description, content]));
}

function store(content: Buffer): Buffer {
  return superbox('c2pa', content, 'c2pa');
}

function nested(depth: number): Buffer {
  const level = superbox('x');
  const bytes = Buffer.alloc(depth * level.length);
  for (let i = 0; i < depth; i += 1) {
    level.copy(bytes, i * level.length);
    bytes.writeUInt32BE((depth - i) * level.length, i * level.length);
  }
  return store(bytes);
}

function nestedBoxes(type: string, depth: number): Buffer {
  const bytes = Buffer.alloc(depth * 8);
  for (let i = 0; i < depth; i += 1) {
    bytes.writeUInt32BE((depth - i) * 8, i * 8);
    bytes.write(type, i * 8 + 4, 'latin1');
  }
  return bytes;
}

function withManifestChunk(png: Buffer, content: Buffer): Buffer {
  return insertChunk(png, 'caBX', content);
}

/** After IHDR; the checksum is left wrong, which no reader of manifests looks at. */
function insertChunk(png: Buffer, type: string, content: Buffer): Buffer {
  const chunk = Buffer.concat([u32(content.length), Buffer.from(type), content, Buffer.alloc(4)]);
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
}
