// As much of Node's Buffer as the rules of the log use. Decoding is as lenient as Node's: what must be canonical is
// encoded again and compared by the code that needs it.
export class Buffer extends Uint8Array {
  static from(value, encoding, length) {
    if (typeof value === 'string') return ofBytes(decode(value, encoding ?? 'utf8'));
    if (value instanceof ArrayBuffer) return new Buffer(value, encoding ?? 0, length ?? value.byteLength);
    return ofBytes(value);
  }

  static alloc(size) {
    return new Buffer(size);
  }

  static allocUnsafe(size) {
    return new Buffer(size);
  }

  static concat(parts) {
    const whole = new Buffer(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  static compare(a, b) {
    const shared = Math.min(a.length, b.length);
    for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
    return Math.sign(a.length - b.length);
  }

  readUInt32BE(at) {
    return new DataView(this.buffer, this.byteOffset, this.byteLength).getUint32(at);
  }

  writeUInt32BE(value, at = 0) {
    new DataView(this.buffer, this.byteOffset, this.byteLength).setUint32(at, value);
  }

  readBigUInt64BE(at = 0) {
    return new DataView(this.buffer, this.byteOffset, this.byteLength).getBigUint64(at);
  }

  equals(other) {
    return Buffer.compare(this, other) === 0;
  }

  toString(encoding = 'utf8') {
    if (encoding === 'hex') return [...this].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    if (encoding === 'utf8') return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this);
    let binary = '';
    for (let i = 0; i < this.length; i += 8192) binary += String.fromCharCode(...this.subarray(i, i + 8192));
    if (encoding === 'latin1') return binary;
    const base64 = btoa(binary);
    if (encoding === 'base64') return base64;
    if (encoding === 'base64url') return base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
    throw new Error(`encoding ${encoding}`);
  }
}

function ofBytes(bytes) {
  const copy = new Buffer(bytes.length);
  copy.set(bytes);
  return copy;
}

function decode(text, encoding) {
  if (encoding === 'utf8') return new TextEncoder().encode(text);
  if (encoding === 'hex')
    return Uint8Array.from(text.match(/[0-9a-f]{2}/gi) ?? [], (pair) => parseInt(pair, 16));
  if (encoding === 'latin1' || encoding === 'binary')
    return Uint8Array.from(text, (c) => c.charCodeAt(0) & 255);
  const plain = text
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replace(/[^A-Za-z0-9+/]/g, '');
  const whole = plain.length % 4 === 1 ? plain.slice(0, -1) : plain;
  return Uint8Array.from(atob(whole), (c) => c.charCodeAt(0));
}
