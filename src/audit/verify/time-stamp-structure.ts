import { GeneralizedTime, type BaseBlock } from 'asn1js';
import { Certificate, ContentInfo, SignedData, type SignerInfo, TSTInfo } from 'pkijs';
import { TlogError } from '../core/tlog-error.js';
import { childrenOf, decodeAsn1, type HeldCertificate, owned } from './pki.js';

/** The parts of a TimeStampToken (RFC 3161 section 2.4.2), read but not believed. */

/** A token with a chain of RSA-4096 certificates has about 8 kB. */
export const MAX_TIME_STAMP_TOKEN_BYTES = 65_536;
const MAX_CERTIFICATES = 32;

const SIGNED_DATA = '1.2.840.113549.1.7.2';
export const TST_INFO = '1.2.840.113549.1.9.16.1.4';

export interface DecodedToken {
  readonly signer: SignerInfo;
  /** Certificates that came with the token. */
  readonly certificates: readonly HeldCertificate[];
  /** The signed bytes: a TSTInfo. */
  readonly content: Uint8Array;
  readonly contentType: string;
  readonly info: TSTInfo;
  readonly genTime: Date;
  /** Greatest deviation of genTime from UTC, in milliseconds; absent where the authority names none. */
  readonly accuracyMs?: number;
}

/** @throws TlogError limit_exceeded, malformed */
export function decodeTimeStampToken(token: Uint8Array): DecodedToken {
  if (token.length > MAX_TIME_STAMP_TOKEN_BYTES) {
    throw new TlogError('limit_exceeded', `the token is larger than ${MAX_TIME_STAMP_TOKEN_BYTES} bytes`);
  }
  try {
    return decode(token);
  } catch (error) {
    if (error instanceof TlogError) throw error;
    throw new TlogError('malformed', 'the token is not a signed TSTInfo');
  }
}

function decode(token: Uint8Array): DecodedToken {
  const schema = decodeAsn1(token, 'the token');
  const contentInfo = new ContentInfo({ schema });
  if (contentInfo.contentType !== SIGNED_DATA)
    throw new TlogError('malformed', 'the token is not CMS SignedData');
  const signedData = new SignedData({ schema: contentInfo.content });
  const [signer, ...others] = signedData.signerInfos;
  // RFC 3161 section 2.4.2: the token holds no signature but the authority's.
  if (!signer || others.length > 0) throw new TlogError('malformed', 'the token does not have one signature');
  if ((signedData.certificates?.length ?? 0) > MAX_CERTIFICATES) {
    throw new TlogError('limit_exceeded', `the token holds more than ${MAX_CERTIFICATES} certificates`);
  }
  const { eContent, eContentType } = signedData.encapContentInfo;
  if (!eContent) throw new TlogError('malformed', 'the token does not hold what it signs');
  const content = new Uint8Array(eContent.getValue());
  return {
    signer,
    certificates: certificatesOf(schema, signedData),
    content,
    contentType: eContentType,
    ...decodeInfo(content),
  };
}

/** ContentInfo { type, [0] SignedData { version, digests, content, [0] certificates, ... } }: bytes as they came. */
function certificatesOf(contentInfo: BaseBlock, { certificates = [] }: SignedData): HeldCertificate[] {
  const [signedData] = childrenOf(childrenOf(contentInfo)[1]);
  const set = childrenOf(signedData).find(({ idBlock }) => idBlock.tagClass === 3 && idBlock.tagNumber === 0);
  const blocks = childrenOf(set);
  if (blocks.length !== certificates.length)
    throw new TlogError('malformed', 'the certificates cannot be read');
  return certificates.flatMap((certificate, at) => {
    const block = blocks[at];
    // Others are attribute certificates and the like, of which a time-stamp has no use.
    if (!(certificate instanceof Certificate) || block === undefined) return [];
    return [{ certificate, der: owned(block.valueBeforeDecodeView) }];
  });
}

function decodeInfo(content: Uint8Array): Pick<DecodedToken, 'info' | 'genTime' | 'accuracyMs'> {
  const schema = decodeAsn1(content, 'the TSTInfo');
  const info = new TSTInfo({ schema });
  if (info.version !== 1) throw new TlogError('malformed', 'the TSTInfo is not of version 1');
  if (info.extensions?.some(({ critical }) => critical)) {
    throw new TlogError('malformed', 'the TSTInfo has a critical extension that this verifier does not know');
  }
  const members = childrenOf(schema);
  const accuracyMs = info.accuracy && readAccuracy(info.accuracy, members[5]);
  return { info, genTime: readGenTime(members[4]), ...(accuracyMs !== undefined && { accuracyMs }) };
}

const GEN_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d*[1-9]))?Z$/;

/**
 * GeneralizedTime in the form of RFC 3161: UTC with seconds, a fraction without trailing zeros. Read from the text,
 * because the ASN.1 library takes local times too. Below a millisecond it is cut off.
 */
function readGenTime(block: BaseBlock | undefined): Date {
  const text =
    block instanceof GeneralizedTime ? Buffer.from(block.valueBlock.valueHexView).toString('latin1') : '';
  const match = GEN_TIME.exec(text);
  if (!match) throw new TlogError('malformed', 'the time is not in the form of RFC 3161');
  const [, year, month, day, hour, minute, second, fraction = ''] = match;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0').slice(0, 3)}Z`;
  const time = new Date(iso);
  // A day such as 31 February would silently become another one.
  if (Number.isNaN(time.getTime()) || time.toISOString() !== iso) {
    throw new TlogError('malformed', 'the time is no date of the calendar');
  }
  return time;
}

/** Accuracy ::= { seconds, [0] millis 1..999, [1] micros 1..999 }, added up, rounded up to a millisecond. */
function readAccuracy(accuracy: NonNullable<TSTInfo['accuracy']>, block: BaseBlock | undefined): number {
  const { seconds = 0, millis = 0, micros = 0 } = accuracy;
  // The library reads integers of more than 4 bytes as 0, which would make a poor clock an exact one.
  const long = childrenOf(block).some((member) => member.toBER(true).byteLength > 6);
  const inRange = seconds >= 0 && millis >= 0 && millis <= 999 && micros >= 0 && micros <= 999;
  if (long || !inRange) throw new TlogError('malformed', 'the accuracy is out of range');
  return seconds * 1000 + millis + (micros > 0 ? 1 : 0);
}
