import { type ChainNode, type MediaVerification, type MediaVerifier } from '../domain/media-verifier.port.js';

/** Where our log holds a file. */
export interface LogPlace {
  readonly origin: string;
  /** `undefined` while the entry is committed but has no index yet. */
  readonly entryIndex: number | undefined;
}

/** Looks a file up by its SHA-256, and that of its sidecar where it has one, in the logs of this deployment. */
export type FindInLog = (
  file: Pick<MediaVerification, 'sha256' | 'manifestSha256' | 'manifestPlacement'>,
) => Promise<LogPlace | undefined>;

export interface FileVerification {
  readonly verification: MediaVerification;
  readonly headline: string;
  readonly log:
    | ({ readonly status: 'in_log'; readonly text: string } & LogPlace)
    | { readonly status: 'not_in_log' | 'unknown'; readonly text: string };
}

const OWN_TRUST_LIST = 'this installation';

/** What a file says about itself, whether that holds, and whether we know it. */
export class VerifyFile {
  constructor(
    private readonly verifier: MediaVerifier,
    private readonly findInLog: FindInLog,
  ) {}

  /**
   * @param sidecarPath the manifest of a file that carries none
   * @throws ColophonError as {@link MediaVerifier.verify}
   */
  async verify(path: string, sidecarPath?: string): Promise<FileVerification> {
    const verification = await this.verifier.verify({ path, mediaType: '', sidecarPath });
    const place = await this.findInLog(verification);
    return { verification, headline: headlineOf(verification, place), log: logAnswer(verification, place) };
  }
}

function logAnswer(verification: MediaVerification, place: LogPlace | undefined): FileVerification['log'] {
  if (place)
    return {
      status: 'in_log',
      text:
        verification.verdict === 'none'
          ? 'The log of this installation holds exactly this file. Its manifest is a file of its own: send it too to have it checked.'
          : 'This installation signed exactly this file, and its log says so.',
      ...place,
    };
  if (verification.verdict === 'intact_and_trusted' && verification.trustedBy === OWN_TRUST_LIST) {
    return {
      status: 'not_in_log',
      text: 'The file carries a signature by this installation, but its log does not know it. Treat it as a forgery and tell the operator.',
    };
  }
  if (claimsToBeOurs(verification.chain)) {
    return {
      status: 'not_in_log',
      text: 'The manifest names this product, but these bytes are not in the log of this installation. Another installation may have made them.',
    };
  }
  return { status: 'unknown', text: 'The log of this installation does not know this file.' };
}

function claimsToBeOurs(chain: ChainNode | undefined): boolean {
  return /^colophon\b/i.test(chain?.claimGenerator ?? '');
}

function headlineOf(
  { verdict, trustedBy, brokenIngredient }: MediaVerification,
  place: LogPlace | undefined,
): string {
  switch (verdict) {
    case 'none':
      return 'This file carries no manifest.';
    case 'broken':
      return 'This file was changed after it was signed, or its signature does not hold.';
    case 'intact':
      return 'The manifest is intact, but its signer is on no list that we know.';
    case 'intact_and_trusted': {
      const suffix = brokenIngredient ? ' A part that it was made from is broken.' : '';
      if (trustedBy === OWN_TRUST_LIST && !place)
        return `Signed with our key, but not in our log: treat it as a forgery.${suffix}`;
      return `Intact, and signed by a known signer.${suffix}`;
    }
  }
}
