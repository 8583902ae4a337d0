import { createHash, randomBytes } from 'node:crypto';
import { GeneralizedTime, Integer, ObjectIdentifier, OctetString, Sequence } from 'asn1js';
import {
  Accuracy,
  AlgorithmIdentifier,
  Attribute,
  Certificate,
  ContentInfo,
  CryptoEngine,
  EncapsulatedContentInfo,
  IssuerAndSerialNumber,
  MessageImprint,
  SignedAndUnsignedAttributes,
  SignedData,
  SignerInfo,
  TSTInfo,
} from 'pkijs';
import { type SigningIdentity } from './authority-keys.js';
import { type Fault } from './fault-plan.js';

const engine = new CryptoEngine({ name: 'fake authority', crypto: globalThis.crypto });
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
export const FAKE_POLICY = '1.3.6.1.4.1.13762.3';
const SHA_1 = '1.3.14.3.2.26';
const YEAR_MS = 31_536_000_000;

export interface TokenRequest {
  readonly messageImprint: MessageImprint;
  readonly nonce?: Integer;
  readonly certReq: boolean;
  readonly genTime: Date;
}

/** A TimeStampToken, good or with one fault. */
export async function makeToken(
  request: TokenRequest,
  identity: SigningIdentity,
  fault?: Fault,
): Promise<Uint8Array<ArrayBuffer>> {
  const signed = derOf(tstInfo(request, fault));
  const content = fault === 'forged-content' ? derOf(tstInfo({ ...request, genTime: new Date(0) })) : signed;
  const chain = identity.chain.map((certificate) => Certificate.fromBER(certificate.rawData));
  const [leaf] = chain;
  if (leaf === undefined) throw new Error('an identity has a certificate');
  const contentType = fault === 'wrong-content-type' ? '1.2.840.113549.1.7.1' : TST_INFO;
  const encapContentInfo = new EncapsulatedContentInfo({ eContentType: contentType });
  // Set afterwards: the constructor would cut it into pieces, which is BER and not the DER that others expect.
  encapContentInfo.eContent = new OctetString({ valueHex: content });
  const signer = new SignerInfo({
    version: 1,
    sid: new IssuerAndSerialNumber({ issuer: leaf.issuer, serialNumber: leaf.serialNumber }),
    signedAttrs: new SignedAndUnsignedAttributes({
      type: 0,
      attributes: signedAttributes(signed, contentType, Buffer.from(identity.certificate.rawData), fault),
    }),
  });
  const signedData = new SignedData({ version: 3, encapContentInfo, signerInfos: [signer] });
  signedData.certificates = request.certReq && fault !== 'no-certificates' ? chain : [];
  const hash = fault === 'sha1-signature' ? 'SHA-1' : 'SHA-256';
  await signedData.sign(identity.keys.privateKey, 0, hash, undefined, engine);
  if (fault === 'bad-signature') spoil(signer.signature);
  if (fault === 'two-signers') signedData.signerInfos.push(signer);
  const token = new ContentInfo({ contentType: ContentInfo.SIGNED_DATA, content: signedData.toSchema(true) });
  return derOf(token.toSchema());
}

function tstInfo({ messageImprint, nonce, genTime }: TokenRequest, fault?: Fault): Sequence {
  const answered = fault === 'wrong-nonce' ? Integer.fromBigInt(4711n) : nonce;
  const info = new TSTInfo({
    version: 1,
    policy: FAKE_POLICY,
    messageImprint: imprint(messageImprint, fault),
    serialNumber: Integer.fromBigInt(BigInt(`0x7f${randomBytes(8).toString('hex')}`)),
    genTime: fault === 'time-off' ? new Date(genTime.getTime() + YEAR_MS) : genTime,
    accuracy: new Accuracy({ seconds: 1, millis: 500 }),
    ...(answered !== undefined && fault !== 'no-nonce' && { nonce: answered }),
  });
  const schema = info.toSchema();
  const at = schema.valueBlock.value.findIndex((member) => member instanceof GeneralizedTime);
  if (fault === 'bad-time') {
    // A local time, as ASN.1 allows and RFC 3161 forbids.
    const local = new OctetString({ valueHex: Buffer.from('20260101120000') });
    local.idBlock.tagNumber = 24;
    schema.valueBlock.value[at] = local;
  }
  return schema;
}

function imprint(asked: MessageImprint, fault?: Fault): MessageImprint {
  if (fault === 'sha1-imprint') {
    return new MessageImprint({
      hashAlgorithm: new AlgorithmIdentifier({ algorithmId: SHA_1 }),
      hashedMessage: new OctetString({ valueHex: new Uint8Array(20) }),
    });
  }
  if (fault !== 'wrong-imprint') return asked;
  const other = createHash('sha256').update('something else').digest();
  return new MessageImprint({
    hashAlgorithm: asked.hashAlgorithm,
    hashedMessage: new OctetString({ valueHex: other }),
  });
}

function signedAttributes(
  content: Uint8Array,
  contentType: string,
  certificate: Buffer,
  fault?: Fault,
): Attribute[] {
  const hash = fault === 'sha1-signature' ? 'sha1' : 'sha256';
  const attributes = [
    new Attribute({ type: '1.2.840.113549.1.9.3', values: [new ObjectIdentifier({ value: contentType })] }),
    new Attribute({
      type: '1.2.840.113549.1.9.4',
      values: [new OctetString({ valueHex: createHash(hash).update(content).digest() })],
    }),
  ];
  if (fault !== 'missing-ess-cert-id') {
    const named = fault === 'wrong-ess-cert-id' ? Buffer.from('another certificate') : certificate;
    // SigningCertificateV2 { certs { ESSCertIDv2 { certHash } } }; SHA-256 is the default and left out.
    const certHash = new OctetString({ valueHex: createHash('sha256').update(named).digest() });
    const value = new Sequence({ value: [new Sequence({ value: [new Sequence({ value: [certHash] })] })] });
    attributes.push(new Attribute({ type: '1.2.840.113549.1.9.16.2.47', values: [value] }));
  }
  // DER sorts the members of a SET OF by their encoding.
  return attributes.sort((a, b) => Buffer.compare(derOf(a.toSchema()), derOf(b.toSchema())));
}

function spoil(signature: OctetString): void {
  const bytes = signature.valueBlock.valueHexView;
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
}

function derOf(schema: { toBER(): ArrayBuffer }): Uint8Array<ArrayBuffer> {
  return new Uint8Array(schema.toBER());
}
