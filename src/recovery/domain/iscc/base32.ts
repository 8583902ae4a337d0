const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const BITS_PER_DIGIT = 5;

/** RFC 4648 section 6, upper case, without padding: the printed form of every ISCC. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= BITS_PER_DIGIT) {
      bits -= BITS_PER_DIGIT;
      text += ALPHABET.charAt((buffer >> bits) & 31);
    }
  }
  return bits === 0 ? text : text + ALPHABET.charAt((buffer << (BITS_PER_DIGIT - bits)) & 31);
}

/** Either case, without padding. `undefined` for other characters, an impossible length, or bits left over that are not 0. */
export function decodeBase32(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  let buffer = 0;
  let bits = 0;
  for (const character of text.toUpperCase()) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) return undefined;
    buffer = ((buffer << BITS_PER_DIGIT) | digit) & 0xfff;
    bits += BITS_PER_DIGIT;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((buffer >> bits) & 0xff);
  }
  const isCanonical = bits < BITS_PER_DIGIT && (buffer & ((1 << bits) - 1)) === 0;
  return isCanonical ? Uint8Array.from(bytes) : undefined;
}
