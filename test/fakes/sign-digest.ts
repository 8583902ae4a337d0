import { constants, createHash, type KeyObject, privateDecrypt, randomBytes } from 'node:crypto';

type Hash = 'sha256' | 'sha384';

/**
 * Signs a hash as it is. Node's own functions always hash first, so the two schemes are written out here, slowly and
 * for tests: ECDSA (SEC 1 section 4.1.3) in DER, and RSASSA-PSS (RFC 8017 section 8.1) with the raw RSA operation.
 */
export function signDigest(key: KeyObject, hash: Hash, digest: Buffer, salt: 'hash' | 'max'): Buffer {
  return key.asymmetricKeyType === 'ec' ? ecdsa(key, digest) : pss(key, hash, digest, salt);
}

interface Curve {
  readonly p: bigint;
  readonly n: bigint;
  readonly a: bigint;
  readonly g: Point;
}
type Point = readonly [bigint, bigint] | undefined;

const CURVES: Readonly<Record<string, Curve>> = {
  'P-256': {
    p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    a: -3n,
    g: [
      0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
      0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
    ],
  },
  'P-384': {
    p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    a: -3n,
    g: [
      0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
      0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
    ],
  },
};

function ecdsa(key: KeyObject, digest: Buffer): Buffer {
  const { d = '', crv = '' } = key.export({ format: 'jwk' });
  const curve = CURVES[crv];
  if (curve === undefined) throw new Error(`no curve ${crv}`);
  const secret = toBigInt(Buffer.from(d, 'base64url'));
  for (;;) {
    const k = mod(toBigInt(randomBytes(48)), curve.n);
    const point = k === 0n ? undefined : multiply(curve, k, curve.g);
    const r = mod(point?.[0] ?? 0n, curve.n);
    const s = mod(inverse(k, curve.n) * (toBigInt(digest) + r * secret), curve.n);
    if (r !== 0n && s !== 0n) return sequence([r, s]);
  }
}

function multiply(curve: Curve, factor: bigint, point: Point): Point {
  let result: Point = undefined;
  for (let addend = point, left = factor; left > 0n; left >>= 1n, addend = add(curve, addend, addend))
    if (left & 1n) result = add(curve, result, addend);
  return result;
}

function add({ p, a }: Curve, left: Point, right: Point): Point {
  if (left === undefined || right === undefined) return left ?? right;
  const [x1, y1] = left;
  const [x2, y2] = right;
  if (x1 === x2 && mod(y1 + y2, p) === 0n) return undefined;
  const slope =
    x1 === x2 ? mod((3n * x1 * x1 + a) * inverse(2n * y1, p), p) : mod((y2 - y1) * inverse(x2 - x1, p), p);
  const x = mod(slope * slope - x1 - x2, p);
  return [x, mod(slope * (x1 - x) - y1, p)];
}

function pss(key: KeyObject, hash: Hash, digest: Buffer, salt: 'hash' | 'max'): Buffer {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  const size = Math.ceil((bits - 1) / 8);
  const saltBytes = randomBytes(salt === 'hash' ? digest.length : size - digest.length - 2);
  const h = createHash(hash).update(Buffer.alloc(8)).update(digest).update(saltBytes).digest();
  const block = Buffer.concat([
    Buffer.alloc(size - saltBytes.length - digest.length - 2),
    Buffer.from([1]),
    saltBytes,
  ]);
  const mask = mgf1(hash, h, block.length);
  const masked = Buffer.from(block.map((byte, i) => byte ^ (mask[i] ?? 0)));
  masked[0] = (masked[0] ?? 0) & (0xff >> (8 * size - (bits - 1)));
  const encoded = Buffer.concat([masked, h, Buffer.from([0xbc])]);
  // The raw private operation: "decryption" without padding.
  return privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, encoded);
}

function mgf1(hash: Hash, seed: Buffer, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let counter = 0; Buffer.concat(parts).length < length; counter++) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(counter);
    parts.push(createHash(hash).update(seed).update(number).digest());
  }
  return Buffer.concat(parts).subarray(0, length);
}

function mod(value: bigint, modulus: bigint): bigint {
  return ((value % modulus) + modulus) % modulus;
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [r0, r1, s0, s1] = [modulus, mod(value, modulus), 0n, 1n];
  while (r1 !== 0n) {
    const quotient = r0 / r1;
    [r0, r1] = [r1, r0 - quotient * r1];
    [s0, s1] = [s1, s0 - quotient * s1];
  }
  return mod(s0, modulus);
}

function toBigInt(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}

function sequence(values: readonly bigint[]): Buffer {
  const body = Buffer.concat(
    values.map((value) => {
      const hex = value.toString(16);
      const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
      const content = (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
      return Buffer.concat([Buffer.from([2, content.length]), content]);
    }),
  );
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}
