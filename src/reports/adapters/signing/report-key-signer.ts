import { type X509Certificate } from 'node:crypto';
import { saysDevelopment } from '../../../provenance/domain/development-certificate.js';
import { type ReportKeys } from '../../../provenance/application/keys/active-keys.js';
import { type CertifiedKey } from '../../../provenance/domain/claim-key.port.js';
import { type SignatureTimeStamping } from '../../../provenance/domain/time-stamping.port.js';
import { type Clock } from '../../../shared/clock.js';
import { ColophonError } from '../../../shared/errors.js';
import {
  type PdfSignaturePlace,
  type ReportSigner,
  type ReportSignerIdentity,
  type ReportTimeStamp,
} from '../../domain/report-signature.js';
import { contentDigestOf } from './cms-form.js';
import { signDetached, signingChain } from './cms-signature.js';
import { signCompact } from './jws-signature.js';
import { digestOutsideGap, fillGap, measureGap } from './pdf-signature.js';

/** Attributes, algorithm names and the largest signature (RSA of 8,192 bits). */
const SIGNATURE_ROOM_BYTES = 3_072;
/** Tokens have 2 to 7 kB with their certificates; our authority adapter refuses answers over 64 KiB. */
const TOKEN_ROOM_BYTES = 16_384;

/** @param timeStamping `undefined` where the operator has named no authority, or wants no time-stamps */
export async function openReportSigner(
  keys: ReportKeys,
  timeStamping: SignatureTimeStamping | undefined,
  clock: Clock,
): Promise<ReportSigner> {
  const key = await keys.reportKey();
  const chain = signingChain(key);
  const identity = identityOf(chain[0], key);
  const chainBytes = chain.reduce((sum, { raw }) => sum + raw.length, 0);
  const roomBytes = SIGNATURE_ROOM_BYTES + chainBytes + (timeStamping ? TOKEN_ROOM_BYTES : 0);
  return {
    identity,
    pdfPlace: (reason): PdfSignaturePlace => ({
      roomBytes,
      signedAt: clock.now(),
      name: identity.commonName,
      reason,
    }),
    signPdf: (pdf) => signPdf(pdf, key, timeStamping),
    signJson: (payload, type) => signCompact(key, payload, type),
  };
}

async function signPdf(
  laidOut: Buffer,
  key: CertifiedKey,
  timeStamping: SignatureTimeStamping | undefined,
): Promise<{ bytes: Buffer; timeStamp: ReportTimeStamp }> {
  const gap = measureGap(laidOut);
  let timeStamp: ReportTimeStamp = 'not_configured';
  const cms = await signDetached({
    key,
    contentDigest: digestOutsideGap(gap, contentDigestOf(key.algorithm)),
    stamp: async (signature) => {
      if (timeStamping === undefined) return undefined;
      const token = await tokenOf(signature, timeStamping);
      timeStamp = token ? 'stamped' : 'missing';
      return token;
    },
  });
  return { bytes: fillGap(gap, cms), timeStamp };
}

/** @throws ColophonError `time_stamp_unavailable` where one is required */
async function tokenOf(
  signature: Uint8Array,
  { authority, policy }: SignatureTimeStamping,
): Promise<Uint8Array | undefined> {
  const answer = await authority.stamp(signature);
  if (answer.outcome === 'stamped' && answer.token.length <= TOKEN_ROOM_BYTES) return answer.token;
  if (policy === 'best_effort') return undefined;
  const why = answer.outcome === 'stamped' ? 'its token is too large' : answer.reason;
  throw new ColophonError('time_stamp_unavailable', `The report needs a time-stamp: ${why}`);
}

function identityOf(leaf: X509Certificate, { certificateChainPem }: CertifiedKey): ReportSignerIdentity {
  return {
    commonName: commonNameIn(leaf.subject),
    issuer: commonNameIn(leaf.issuer),
    certificateSha256: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    isDevelopment: certificateChainPem !== '' && saysDevelopment(leaf.subject, leaf.issuer),
  };
}

/** Subjects are printed by Node one attribute a line. */
function commonNameIn(name: string): string {
  const line = name.split('\n').find((each) => each.startsWith('CN='));
  return (line ?? name).replace(/^CN=/, '').replaceAll('\\', '').slice(0, 200);
}
