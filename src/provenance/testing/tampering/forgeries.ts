import { type FreeAuthority, createFreeAuthority, signFreely } from '../free-signer.js';
import { type MediaFile, type SigningWorkshop } from '../signing-workshop.js';
import { type TrustAnchors } from '../../adapters/c2pa-settings.js';
import { sha256Hex } from '../../../shared/bytes.js';
import { mapInOrder } from '../../../shared/map-in-order.js';
import { OWN_TRUST_LIST } from '../../domain/trust-list.js';
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

/** The installation of the campaign: its workshop's certificate, and those that others got under a root of its own. */
export function campaignTrust(
  workshop: SigningWorkshop,
  { good, expired, notYet, wrongPurpose, revoked }: CampaignAuthorities,
): TrustAnchors {
  const leaves = (...all: readonly FreeAuthority[]): string[] =>
    all.map(({ chain }) => sha256Hex(chain[0] ?? new Uint8Array(0)));
  const own = [workshop.claimCertificateSha256, ...leaves(good, expired, notYet, wrongPurpose)];
  return {
    name: OWN_TRUST_LIST,
    anchorsPem: `${workshop.anchors.claims}${good.caPem}`,
    certificates: { trusted: own, ever: [...own, ...leaves(revoked)] },
  };
}

/** Self-made claims in our words, by certificates of all kinds, those included that the library would not sign with. */
export async function forgeries(
  workshop: SigningWorkshop,
  picture: () => Promise<MediaFile>,
  { good, ...others }: CampaignAuthorities,
): Promise<Forgery[]> {
  const pasted = { chain: good.chain, key: others.unknown.key };
  const signers = [...Object.entries(others), ['our certificate, another key', pasted]] as const;
  return mapInOrder(signers, async ([what, by]) => {
    const source = await picture();
    const file = await signFreely(source, workshop.newPath(), by, OUR_WORDS, undefined, good);
    return { what, file };
  });
}
