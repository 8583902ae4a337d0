import { Pkcs11Failure } from './pkcs11-protocol.js';

type Handle = Buffer;
export interface Attribute {
  readonly type: number;
  readonly value?: number | boolean | string | Buffer;
}

/** The part of the package `pkcs11js` that is used: it is no dependency, so its types are not there. */
export interface Pkcs11Library {
  load(path: string): void;
  C_Initialize(): void;
  C_Finalize(): void;
  C_GetSlotList(tokenPresent: boolean): Handle[];
  C_GetTokenInfo(slot: Handle): { readonly label: string; readonly serialNumber: string };
  C_OpenSession(slot: Handle, flags: number): Handle;
  C_Login(session: Handle, userType: number, pin: string): void;
  C_FindObjectsInit(session: Handle, template: readonly Attribute[]): void;
  C_FindObjects(session: Handle, maxObjects: number): Handle[];
  C_FindObjectsFinal(session: Handle): void;
  C_GetAttributeValue(
    session: Handle,
    object: Handle,
    template: readonly Attribute[],
  ): readonly { readonly type: number; readonly value: Buffer }[];
  C_SignInit(session: Handle, mechanism: { mechanism: number; parameter?: object }, key: Handle): void;
  C_Sign(session: Handle, input: Buffer, output: Buffer): Buffer;
}

/** Numbers of PKCS#11 2.40 (OASIS), and CKM_EDDSA, CKK_EC_EDWARDS of 3.0. */
export const CK = {
  CKF_SERIAL_SESSION: 4,
  CKU_USER: 1,
  CKO_PUBLIC_KEY: 2,
  CKO_PRIVATE_KEY: 3,
  CKA_CLASS: 0x000,
  CKA_LABEL: 0x003,
  CKA_KEY_TYPE: 0x100,
  CKA_ID: 0x102,
  CKA_MODULUS: 0x120,
  CKA_PUBLIC_EXPONENT: 0x122,
  CKA_EC_PARAMS: 0x180,
  CKA_EC_POINT: 0x181,
  CKK_RSA: 0x00,
  CKK_EC: 0x03,
  CKK_EC_EDWARDS: 0x40,
  CKM_RSA_PKCS_PSS: 0x0d,
  CKM_SHA256: 0x250,
  CKG_MGF1_SHA256: 2,
  CKM_ECDSA: 0x1041,
  CKM_EDDSA: 0x1057,
  CKR_ALREADY_LOGGED_IN: 0x100,
  CKR_ALREADY_INITIALIZED: 0x191,
} as const;

/** CKR_PIN_INCORRECT, PIN_INVALID, PIN_LEN_RANGE, PIN_EXPIRED, PIN_LOCKED. */
const PIN_PROBLEMS: readonly number[] = [0xa0, 0xa1, 0xa2, 0xa3, 0xa4];

/** The CK_RV of an error of the package. */
export function returnValueOf(error: unknown): number | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'number' ? code : undefined;
}

export function isPinProblem(error: unknown): boolean {
  return PIN_PROBLEMS.includes(returnValueOf(error) ?? -1);
}

interface PackageExports {
  readonly PKCS11: new () => Pkcs11Library;
  readonly CK_PARAMS_RSA_PSS: number;
}

/** @throws Pkcs11Failure `package_missing`, `module_unusable` */
export async function loadLibrary(
  packageName: string,
  modulePath: string,
): Promise<{ library: Pkcs11Library; pssParameterType: number }> {
  const { PKCS11, CK_PARAMS_RSA_PSS: pssParameterType } = await importPackage(packageName);
  const library = new PKCS11();
  try {
    library.load(modulePath);
    initialize(library);
  } catch (error) {
    throw new Pkcs11Failure('module_unusable', messageOf(error));
  }
  return { library, pssParameterType };
}

async function importPackage(packageName: string): Promise<PackageExports> {
  try {
    const loaded = (await import(packageName)) as { default?: unknown };
    return (loaded.default ?? loaded) as PackageExports;
  } catch (error) {
    throw new Pkcs11Failure('package_missing', messageOf(error));
  }
}

function initialize(library: Pkcs11Library): void {
  try {
    library.C_Initialize();
  } catch (error) {
    if (returnValueOf(error) !== CK.CKR_ALREADY_INITIALIZED) throw error;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
