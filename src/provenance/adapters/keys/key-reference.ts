import { signerUnavailable } from './signer-unavailable.js';

/**
 * Where a key lies, as one URI, the way operators write it into `COLOPHON_CLAIM_KEY` and the database keeps it. None
 * of them says how the service is reached, nor holds a secret: modules, addresses, tokens and PINs come from the
 * configuration, so that who can write to the database cannot make this program load a library or call a host.
 */
export type KeyReference =
  /** `file:claim-2.pem` in the keystore folder, `file:/etc/colophon/claim.pem` elsewhere. */
  | { readonly scheme: 'file'; readonly path: string }
  /** `awskms:<key ARN>`, `awskms:<key id>`, `awskms:alias/<name>`. */
  | { readonly scheme: 'awskms'; readonly keyId: string }
  /** `pkcs11:token=...;object=...;id=%01` (RFC 7512, path attributes only). */
  | { readonly scheme: 'pkcs11'; readonly attributes: Pkcs11Attributes }
  /** `vault:<mount>/<key>?version=3`. */
  | { readonly scheme: 'vault'; readonly mount: string; readonly name: string; readonly version?: number };

export interface Pkcs11Attributes {
  readonly token?: string;
  readonly serial?: string;
  readonly object?: string;
  /** Hexadecimal. */
  readonly id?: string;
}

const MAX_CHARACTERS = 1024;
const UNAMBIGUOUS = /^[\x21-\x7e]+$/;

/** @throws ColophonError `signer_unavailable` with a sentence for the operator */
export function parseKeyReference(text: string): KeyReference {
  if (text.length > MAX_CHARACTERS || !UNAMBIGUOUS.test(text)) throw unreadable();
  const [, scheme = '', rest = ''] = /^([a-z0-9]+):(.+)$/.exec(text) ?? [];
  if (scheme === 'file') return parseFile(rest);
  if (scheme === 'awskms') return parseKms(rest);
  if (scheme === 'pkcs11') return { scheme, attributes: parsePkcs11(rest) };
  if (scheme === 'vault') return parseVault(rest);
  throw unreadable();
}

function unreadable(): Error {
  return signerUnavailable(
    'This is not the address of a key. Write file:..., awskms:..., pkcs11:... or vault:... (see docs/operations.md).',
  );
}

function parseFile(rest: string): KeyReference {
  const path = rest.startsWith('///') ? rest.slice(2) : rest;
  // A relative name stays in the keystore folder.
  if (!path.startsWith('/') && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(path)) throw unreadable();
  return { scheme: 'file', path };
}

const KMS_KEY =
  /^(?:arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(?:key\/[A-Za-z0-9-]{1,64}|alias\/[A-Za-z0-9/_-]{1,250})|alias\/[A-Za-z0-9/_-]{1,250}|[A-Za-z0-9-]{8,64})$/;

function parseKms(keyId: string): KeyReference {
  if (!KMS_KEY.test(keyId)) throw unreadable();
  return { scheme: 'awskms', keyId };
}

const VAULT_SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

function parseVault(rest: string): KeyReference {
  const [path = '', query, more] = rest.split('?');
  const segments = path.split('/');
  const name = segments.pop() ?? '';
  const version = query === undefined ? undefined : /^version=([1-9]\d{0,8})$/.exec(query)?.[1];
  const sound = [...segments, name].every((segment) => VAULT_SEGMENT.test(segment)) && segments.length > 0;
  if (!sound || more !== undefined || (query !== undefined && version === undefined)) throw unreadable();
  return {
    scheme: 'vault',
    mount: segments.join('/'),
    name,
    ...(version !== undefined && { version: Number(version) }),
  };
}

/** RFC 7512 section 2.3, of which only what selects one key is understood; anything else would be ignored silently. */
function parsePkcs11(rest: string): Pkcs11Attributes {
  if (rest.includes('?')) {
    throw signerUnavailable(
      'A pkcs11: address says which key, not how to reach it: give module and PIN by COLOPHON_PKCS11_MODULE and COLOPHON_PKCS11_PIN_FILE.',
    );
  }
  const found = new Map<string, string>();
  for (const part of rest.split(';')) {
    const [, name = '', value = ''] = /^([a-z-]+)=(.*)$/.exec(part) ?? [];
    if (!['token', 'serial', 'object', 'id', 'type'].includes(name) || found.has(name)) throw unreadable();
    found.set(name, value);
  }
  if ((found.get('type') ?? 'private') !== 'private') throw unreadable();
  const text = (name: string): string | undefined => {
    const value = found.get(name);
    return value === undefined ? undefined : percentDecoded(value).toString('utf8');
  };
  const id = found.get('id');
  const [token, serial, object] = ['token', 'serial', 'object'].map(text);
  if (object === undefined && id === undefined) throw unreadable();
  if (token === undefined && serial === undefined) throw unreadable();
  return {
    ...(token !== undefined && { token }),
    ...(serial !== undefined && { serial }),
    ...(object !== undefined && { object }),
    ...(id !== undefined && { id: percentDecoded(id).toString('hex') }),
  };
}

function percentDecoded(text: string): Buffer {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) throw unreadable();
  const bytes = text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1');
}

/** Every byte that is not plainly readable is written with a percent sign. */
function percentEncoded(bytes: Buffer): string {
  return [...bytes]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9._-]/.test(character)
        ? character
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

/** One spelling for each key: what the database keeps and compares. */
export function formatKeyReference(reference: KeyReference): string {
  switch (reference.scheme) {
    case 'file':
      return `file:${reference.path}`;
    case 'awskms':
      return `awskms:${reference.keyId}`;
    case 'vault': {
      const version = reference.version === undefined ? '' : `?version=${reference.version}`;
      return `vault:${reference.mount}/${reference.name}${version}`;
    }
    case 'pkcs11': {
      const { token, serial, object, id } = reference.attributes;
      const texts = Object.entries({ token, serial, object }).flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}=${percentEncoded(Buffer.from(value, 'utf8'))}`],
      );
      const all = id === undefined ? texts : [...texts, `id=${allPercent(id)}`];
      return `pkcs11:${all.join(';')}`;
    }
  }
}

function allPercent(hex: string): string {
  return (hex.toUpperCase().match(/../g) ?? []).map((byte) => `%${byte}`).join('');
}
