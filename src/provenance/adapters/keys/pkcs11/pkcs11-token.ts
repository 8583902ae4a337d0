import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { readSecretFile } from '../../../../config/secret-file.js';
import { PS256_SALT_BYTES } from '../../../domain/signing-algorithm.js';
import { type Pkcs11Attributes } from '../key-reference.js';
import {
  type Attribute,
  CK,
  isPinProblem,
  loadLibrary,
  messageOf,
  type Pkcs11Library,
  returnValueOf,
} from './pkcs11-library.js';
import { Pkcs11Failure, type Pkcs11Setup, type Pkcs11Task } from './pkcs11-protocol.js';

type Handle = Buffer;
/** Larger than any signature here: RSA of 8192 bits. */
const MAX_SIGNATURE_BYTES = 1024;

/** DER of the OIDs in CKA_EC_PARAMS, with the names and coordinate sizes of JSON Web Keys. */
const CURVES: ReadonlyMap<string, { readonly crv: string; readonly sizeBytes: number }> = new Map([
  ['06082a8648ce3d030107', { crv: 'P-256', sizeBytes: 32 }],
  ['06052b81040022', { crv: 'P-384', sizeBytes: 48 }],
]);

/** One logged-in session to the token that holds the key. Everything here blocks: it runs in a process of its own. */
export class Pkcs11Token {
  private readonly privateKeys = new Map<string, Handle>();

  private constructor(
    private readonly library: Pkcs11Library,
    private readonly pssParameterType: number,
    private readonly session: Handle,
  ) {}

  /** @throws Pkcs11Failure */
  static async open(setup: Pkcs11Setup, key: Pkcs11Attributes): Promise<Pkcs11Token> {
    const { library, pssParameterType } = await loadLibrary(setup.packageName, setup.modulePath);
    const slot = findSlot(library, key);
    const session = library.C_OpenSession(slot, CK.CKF_SERIAL_SESSION);
    logIn(library, session, readPin(setup.pinFile));
    return new Pkcs11Token(library, pssParameterType, session);
  }

  /** @returns DER of the SubjectPublicKeyInfo, or a signature in COSE's form. @throws Pkcs11Failure */
  run(task: Pkcs11Task): Buffer {
    return task.kind === 'describe' ? this.publicKey(task.key) : this.sign(task);
  }

  private sign({ key, algorithm, input }: Extract<Pkcs11Task, { kind: 'sign' }>): Buffer {
    const mechanism =
      algorithm === 'ps256'
        ? {
            mechanism: CK.CKM_RSA_PKCS_PSS,
            parameter: {
              type: this.pssParameterType,
              hashAlg: CK.CKM_SHA256,
              mgf: CK.CKG_MGF1_SHA256,
              saltLen: PS256_SALT_BYTES,
            },
          }
        : { mechanism: algorithm === 'ed25519' ? CK.CKM_EDDSA : CK.CKM_ECDSA };
    const handle = this.privateKey(key);
    this.library.C_SignInit(this.session, mechanism, handle);
    return this.library.C_Sign(this.session, Buffer.from(input, 'base64'), Buffer.alloc(MAX_SIGNATURE_BYTES));
  }

  private privateKey(key: Pkcs11Attributes): Handle {
    const name = JSON.stringify(key);
    const known = this.privateKeys.get(name);
    if (known !== undefined) return known;
    const handle = this.theOne(CK.CKO_PRIVATE_KEY, key);
    this.privateKeys.set(name, handle);
    return handle;
  }

  /** Exactly one: of two keys with the same label nobody could say which one signs. */
  private theOne(objectClass: number, { object, id }: Pkcs11Attributes): Handle {
    const template: Attribute[] = [
      { type: CK.CKA_CLASS, value: objectClass },
      ...(object === undefined ? [] : [{ type: CK.CKA_LABEL, value: object }]),
      ...(id === undefined ? [] : [{ type: CK.CKA_ID, value: Buffer.from(id, 'hex') }]),
    ];
    this.library.C_FindObjectsInit(this.session, template);
    const found = this.library.C_FindObjects(this.session, 2);
    this.library.C_FindObjectsFinal(this.session);
    const [handle] = found;
    const what = objectClass === CK.CKO_PRIVATE_KEY ? 'private' : 'public';
    if (handle === undefined) throw new Pkcs11Failure('key_missing', `no ${what} key object matches`);
    if (found.length > 1) throw new Pkcs11Failure('key_ambiguous', `several ${what} key objects match`);
    return handle;
  }

  private publicKey(key: Pkcs11Attributes): Buffer {
    this.privateKey(key);
    const handle = this.theOne(CK.CKO_PUBLIC_KEY, key);
    const [type] = this.attributes(handle, [CK.CKA_KEY_TYPE]);
    const jwk = this.jsonWebKey(handle, type?.readUIntLE(0, Math.min(6, type.length)));
    if (jwk === undefined) throw new Pkcs11Failure('key_unfit', 'the key is of another type or curve');
    return createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' });
  }

  private jsonWebKey(handle: Handle, type: number | undefined): JsonWebKey | undefined {
    if (type === CK.CKK_RSA) {
      const [n, e] = this.attributes(handle, [CK.CKA_MODULUS, CK.CKA_PUBLIC_EXPONENT]);
      return { kty: 'RSA', n: base64url(n), e: base64url(e) };
    }
    const [parameters, encodedPoint] = this.attributes(handle, [CK.CKA_EC_PARAMS, CK.CKA_EC_POINT]);
    const point = octetStringContent(encodedPoint ?? Buffer.alloc(0));
    if (type === CK.CKK_EC_EDWARDS)
      return point.length === 32 ? { kty: 'OKP', crv: 'Ed25519', x: base64url(point) } : undefined;
    const curve = CURVES.get(parameters?.toString('hex') ?? '');
    if (type !== CK.CKK_EC || curve === undefined) return undefined;
    // 0x04: both coordinates, not compressed (SEC 1 section 2.3.3).
    if (point[0] !== 4 || point.length !== 1 + 2 * curve.sizeBytes) return undefined;
    const x = base64url(point.subarray(1, 1 + curve.sizeBytes));
    return { kty: 'EC', crv: curve.crv, x, y: base64url(point.subarray(1 + curve.sizeBytes)) };
  }

  private attributes(handle: Handle, types: readonly number[]): Buffer[] {
    const template = types.map((type) => ({ type }));
    return this.library.C_GetAttributeValue(this.session, handle, template).map(({ value }) => value);
  }
}

function base64url(bytes: Buffer | undefined): string {
  return (bytes ?? Buffer.alloc(0)).toString('base64url');
}

/** CKA_EC_POINT is the DER of an OCTET STRING; some vendors leave the wrapping out. */
function octetStringContent(der: Buffer): Buffer {
  return der[0] === 4 && der[1] === der.length - 2 ? der.subarray(2) : der;
}

function findSlot(library: Pkcs11Library, { token, serial }: Pkcs11Attributes): Handle {
  // Fields of fixed width, filled with spaces.
  const matches = library.C_GetSlotList(true).filter((slot) => {
    const info = library.C_GetTokenInfo(slot);
    return (
      (token === undefined || info.label.trimEnd() === token) &&
      (serial === undefined || info.serialNumber.trimEnd() === serial)
    );
  });
  const [slot] = matches;
  if (slot === undefined) throw new Pkcs11Failure('token_missing', 'no token of this name is present');
  if (matches.length > 1) throw new Pkcs11Failure('key_ambiguous', 'several tokens have this name');
  return slot;
}

function readPin(file: string): string {
  try {
    const pin = readSecretFile(file)?.replace(/\r?\n$/, '');
    if (pin !== undefined && pin !== '') return pin;
  } catch (error) {
    throw new Pkcs11Failure('pin_file_unusable', messageOf(error));
  }
  throw new Pkcs11Failure('pin_file_unusable', 'the file is missing or empty');
}

function logIn(library: Pkcs11Library, session: Handle, pin: string): void {
  try {
    library.C_Login(session, CK.CKU_USER, pin);
  } catch (error) {
    if (returnValueOf(error) === CK.CKR_ALREADY_LOGGED_IN) return;
    throw new Pkcs11Failure(isPinProblem(error) ? 'pin_refused' : 'token_failed', messageOf(error));
  }
}
