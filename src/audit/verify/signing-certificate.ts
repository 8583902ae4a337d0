import { Integer, ObjectIdentifier, OctetString, Sequence, type BaseBlock } from 'asn1js';
import { type Attribute, IssuerAndSerialNumber, type SignerInfo } from 'pkijs';
import { bytesEqual } from '../core/strict-encoding.js';
import { ACCEPTED_DIGESTS, type AcceptedDigest, childrenOf, digest, type HeldCertificate } from './pki.js';

/**
 * Which certificate signed. A SignerInfo names issuer and serial number outside the signature, so RFC 3161 has the
 * hash of the certificate among the signed attributes (ESSCertID of RFC 2634, ESSCertIDv2 of RFC 5816): without it
 * somebody could put another certificate with the same key in its place, with other validity or purposes.
 */

const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12';
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';
const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';

/** The certificate that the SignerInfo names, if it is among the given ones. */
export function findSigner(
  { sid }: SignerInfo,
  certificates: readonly HeldCertificate[],
): HeldCertificate | undefined {
  if (sid instanceof IssuerAndSerialNumber) {
    return certificates.find(
      ({ certificate }) =>
        certificate.serialNumber.isEqual(sid.serialNumber) && certificate.issuer.isEqual(sid.issuer),
    );
  }
  const keyId = keyIdentifier(sid as BaseBlock);
  return certificates.find(({ certificate }) => {
    const extension = certificate.extensions?.find(({ extnID }) => extnID === SUBJECT_KEY_IDENTIFIER);
    const value: unknown = extension?.parsedValue;
    return (
      value instanceof OctetString && keyId !== undefined && bytesEqual(value.valueBlock.valueHexView, keyId)
    );
  });
}

function keyIdentifier(sid: BaseBlock): Uint8Array | undefined {
  const block = childrenOf(sid)[0] ?? sid;
  const value: unknown = 'valueHexView' in block.valueBlock ? block.valueBlock.valueHexView : undefined;
  return value instanceof Uint8Array && value.length > 0 ? value : undefined;
}

/** Why the signed attributes do not bind this certificate, or undefined when they do. */
export async function bindingFault(
  attributes: readonly Attribute[],
  signer: HeldCertificate,
): Promise<string | undefined> {
  const bindings = attributes.filter(
    ({ type }) => type === SIGNING_CERTIFICATE || type === SIGNING_CERTIFICATE_V2,
  );
  if (bindings.length === 0)
    return 'the signature does not say which certificate it belongs to (ESSCertID is missing)';
  if (new Set(bindings.map(({ type }) => type)).size !== bindings.length) return 'ESSCertID is given twice';
  for (const { type, values } of bindings) {
    const [value, ...rest] = values as BaseBlock[];
    const first = value && rest.length === 0 ? childrenOf(childrenOf(value)[0])[0] : undefined;
    const fault = await certIdFault(first, type === SIGNING_CERTIFICATE ? 'SHA-1' : 'SHA-256', signer);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** ESSCertIDv2 { hashAlgorithm DEFAULT sha256, certHash, issuerSerial OPTIONAL }; version 1 is without the first. */
async function certIdFault(
  certId: BaseBlock | undefined,
  defaultDigest: AcceptedDigest | 'SHA-1',
  { certificate, der }: HeldCertificate,
): Promise<string | undefined> {
  const members = [...childrenOf(certId)];
  let algorithm: AcceptedDigest | 'SHA-1' | undefined = defaultDigest;
  if (members[0] instanceof Sequence && defaultDigest !== 'SHA-1') {
    algorithm = ACCEPTED_DIGESTS.get(oidText(childrenOf(members.shift())[0]));
  }
  const [hash, issuerSerial] = members;
  if (algorithm === undefined || !(hash instanceof OctetString)) return 'ESSCertID cannot be read';
  if (!bytesEqual(new Uint8Array(hash.getValue()), await digest(algorithm, der))) {
    return 'the signature belongs to another certificate than the one given (ESSCertID differs)';
  }
  const serial = childrenOf(issuerSerial)[1];
  if (serial instanceof Integer && !serial.isEqual(certificate.serialNumber)) {
    return 'ESSCertID names another serial number than the certificate has';
  }
  return undefined;
}

function oidText(block: BaseBlock | undefined): string {
  return block instanceof ObjectIdentifier ? block.valueBlock.toString() : '';
}
