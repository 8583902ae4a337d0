import { certificatesOnly } from '../domain/pem-certificates.js';
import { type OnlyCertificates, type TrustList } from '../domain/trust-list.js';

/** Settings of the C2PA library, in its own snake_case JSON; the names are those of c2pa-rs 0.90. */
export interface TrustAnchors {
  /** How people call the list, e.g. `this installation`. */
  readonly name: string;
  /** PEM text of the CA certificates. Read at each use: those of this installation change while it runs. */
  readonly anchorsPem: string;
  /** The certificates under these authorities that are this installation's; absent: all of them are. */
  readonly certificates?: OnlyCertificates;
  /** PEM text of the CA certificates of named actors (CAWG): another list, because who may sign claims is no proof of a name. */
  readonly identityAnchorsPem?: string;
}

/** More than this in a compressed manifest is an attack (the default is 32). */
const MAX_DECOMPRESSED_MANIFEST_MB = 16;
/** Larger working copies of a file go to disk instead of memory (the default is 512). */
const MAX_COPY_IN_MEMORY_MB = 20;

/**
 * Nothing is ever fetched: a manifest can name internal hosts as remote manifest, OCSP responder or did:web, and
 * the library's defaults would ask them.
 */
function common(trust: TrustAnchors | undefined, timeStampAnchorsPem = ''): Record<string, unknown> {
  const anchors = certificatesOnly(trust?.anchorsPem ?? '');
  const timeStampAnchors = certificatesOnly(timeStampAnchorsPem);
  return {
    trust: {
      // Without any anchor nothing is trusted. What else the texts hold would make the library refuse every file.
      ...(anchors !== '' && { user_anchors: anchors }),
      ...(timeStampAnchors !== '' && { trust_anchors: timeStampAnchors }),
    },
    verify: {
      verify_trust: true,
      verify_after_reading: true,
      // The signed file is read back from disk by our own reader instead.
      verify_after_sign: false,
      ocsp_fetch: false,
      remote_manifest_fetch: false,
    },
    core: {
      allowed_network_hosts: [],
      max_decompressed_manifest_size_in_mb: MAX_DECOMPRESSED_MANIFEST_MB,
      backing_store_memory_threshold_in_mb: MAX_COPY_IN_MEMORY_MB,
      // Named actors are checked by identity-reading.ts.
      decode_identity_assertions: false,
    },
  };
}

/**
 * The library knows one bundle of authorities for signers and time-stamps, and needs the latter to accept a certificate
 * that has expired since. Whom it then calls trusted is not asked: see trust-judge.ts.
 */
export function readerSettings(trust: TrustAnchors | undefined, lists: readonly TrustList[] = []): string {
  const timeStamps = lists.filter(({ purpose }) => purpose === 'time_stamps');
  return JSON.stringify(common(trust, timeStamps.map(({ anchorsPem }) => anchorsPem).join('\n')));
}

export function builderSettings(trust: TrustAnchors | undefined): string {
  return JSON.stringify({
    ...common(trust),
    builder: {
      // The library would decode the picture once more, in this process, which takes longer than signing it.
      thumbnail: { enabled: false },
      // Assertions which the library adds itself are gathered unless they are named here.
      created_assertion_labels: ['c2pa.actions.v2', 'c2pa.thumbnail.claim'],
    },
  });
}
