import { fromBER, Integer, Sequence } from 'asn1js';
import { type SigningAlgorithm } from '../../domain/signing-algorithm.js';
import { signerUnavailable } from './signer-unavailable.js';

/** Bytes of r and of s. */
const COORDINATE_BYTES = { es256: 32, es384: 48 } as const;

/**
 * Ecdsa-Sig-Value { r INTEGER, s INTEGER } (RFC 3279 section 2.2.3), as key services return it, in the form of COSE:
 * r || s, each with leading zeros to the size of the curve (RFC 9053 section 2.1).
 * @throws ColophonError `signer_unavailable` for anything else
 */
export function ecdsaFromDer(algorithm: SigningAlgorithm & ('es256' | 'es384'), der: Uint8Array): Buffer {
  const size = COORDINATE_BYTES[algorithm];
  const { result, offset } = fromBER(Uint8Array.from(der));
  const values = result instanceof Sequence ? result.valueBlock.value : [];
  if (offset !== der.length || values.length !== 2) throw malformed();
  return Buffer.concat(
    values.map((value) => {
      if (!(value instanceof Integer)) throw malformed();
      const digits = value.toBigInt().toString(16);
      if (digits.startsWith('-') || digits.length > size * 2) throw malformed();
      return Buffer.from(digits.padStart(size * 2, '0'), 'hex');
    }),
  );
}

/** The other way, for formats that want DER: certificate requests and certificates. */
export function ecdsaToDer(signature: Uint8Array): Buffer {
  const half = signature.length / 2;
  const integers = [signature.subarray(0, half), signature.subarray(half)].map((part) =>
    Integer.fromBigInt(BigInt(`0x${Buffer.from(part).toString('hex')}`)),
  );
  return Buffer.from(new Sequence({ value: integers }).toBER());
}

function malformed(): Error {
  return signerUnavailable('The key service returned something that is no ECDSA signature.');
}
