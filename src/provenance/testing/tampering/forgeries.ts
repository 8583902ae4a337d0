import { type FreeAuthority, createFreeAuthority, signFreely } from '../free-signer.js';
import { type MediaFile, type SigningWorkshop } from '../signing-workshop.js';
import { LOG_ORIGIN } from './campaign.js';

const HOUR_MS = 3_600_000;
const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1';

/** A claim that says in every field that it is ours. */
const OUR_WORDS = {
  title: 'Product shot',
  claim_generator_info: [{ name: 'Colophon', version: '0.1.0', specVersion: '2.4.0' }],
  assertions: [{ label: 'org.colophon.record', data: { log: LOG_ORIGIN, mode: 'live', asset: 'ast_1' } }],
};

export interface Forgery {
  readonly what: string;
  readonly file: MediaFile;
}

/** Who may sign for the installation of the campaign, beside its workshop. */
export interface CampaignAuthorities {
  /** Its root is among our anchors, and this certificate among ours. */
  readonly good: FreeAuthority;
  readonly expired: FreeAuthority;
  readonly notYet: FreeAuthority;
  readonly wrongPurpose: FreeAuthority;
  readonly revoked: FreeAuthority;
  readonly neighbor: FreeAuthority;
  readonly unknown: FreeAuthority;
}

export async function campaignAuthorities(): Promise<CampaignAuthorities> {
  const good = await createFreeAuthority();
  const under = (options: Parameters<typeof createFreeAuthority>[0]) =>
    createFreeAuthority({ ...options, under: good });
  return {
    good,
    expired: await under({ notAfter: new Date(Date.now() - HOUR_MS) }),
    notYet: await under({ notBefore: new Date(Date.now() + HOUR_MS) }),
    wrongPurpose: await under({ purposes: [SERVER_AUTHENTICATION] }),
    revoked: await under({}),
    neighbor: await under({}),
    unknown: await createFreeAuthority(),
  };
}

/**
 * Self-made claims in our words, by certificates of all kinds. What the library refuses to sign with cannot be tried
 * here; then nobody gets such a file from it, and others are in the vectors of other programs.
 */
export async function forgeries(
  workshop: SigningWorkshop,
  picture: () => Promise<MediaFile>,
  authorities: CampaignAuthorities,
): Promise<{ readonly made: Forgery[]; readonly notMade: string[] }> {
  const made: Forgery[] = [];
  const notMade: string[] = [];
  const { good, ...others } = authorities;
  const pasted = { chain: good.chain, key: authorities.unknown.key };
  for (const [what, by] of [...Object.entries(others), ['our certificate, another key', pasted]] as const) {
    try {
      made.push({ what, file: await signFreely(await picture(), workshop.newPath(), by, OUR_WORDS) });
    } catch {
      notMade.push(what);
    }
  }
  return { made, notMade };
}
