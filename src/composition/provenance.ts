import { join } from 'node:path';
import { type AppendEntry } from '../audit/application/append-entry.js';
import { type KeyCompromiseReason } from '../audit/core/entries/key-entries.js';
import { largestVerified } from '../assets/application/asset-intake.js';
import { type Configuration } from '../config/configuration.js';
import { type Tx } from '../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../identity/application/actor.js';
import { C2paReader } from '../provenance/adapters/c2pa-reader.js';
import { GenerationMediaSigner } from '../provenance/adapters/generation-media-signer.js';
import { LargeFileMemory } from '../provenance/adapters/large-file-memory.js';
import { KeyGenerationRepository } from '../provenance/adapters/keys/key-generations.repository.js';
import { openIdentityAuthority } from '../provenance/adapters/identity-authority.js';
import { ownIdentityLists } from '../provenance/adapters/own-identity-lists.js';
import { IdentityKeys } from '../provenance/adapters/identity-key.js';
import { type IssuedCredential } from '../provenance/domain/identity-issuer.port.js';
import { TrustStore } from '../provenance/adapters/trust-store.js';
import { VerificationProcess } from '../provenance/adapters/verification-process.js';
import { ActiveKeys, DEVELOPMENT_IN_PRODUCTION } from '../provenance/application/keys/active-keys.js';
import { InstallationTrust } from '../provenance/application/keys/installation-trust.js';
import { KeyRounds } from '../provenance/application/keys/key-rounds.js';
import { SigningProbe } from '../provenance/application/keys/signing-probe.js';
import { TellLogs } from '../provenance/application/keys/tell-logs.js';
import { type LoggedKeyEvent } from '../provenance/domain/key-generation.js';
import { PRODUCT_VERSION } from '../shared/product.js';
import { type composeDatabase } from './database.js';
import { type composeLog } from './log.js';
import { type Composed, clock, type ServicesOptions } from './services-options.js';
import { composeSigningKeys } from './signing-keys.js';

export async function composeProvenance(
  { configuration, verification, logger }: ServicesOptions,
  { dataSource, organizationTx, sequencerPool }: Composed<typeof composeDatabase>,
  { appendEntry, timeStampAuthority }: Composed<typeof composeLog>,
) {
  const generations = new KeyGenerationRepository(
    dataSource,
    async (sql, parameters) => (await sequencerPool.query(sql, [...parameters])).rows as never,
    clock,
  );
  const { signingKeys, changeKeys, developmentKeys, closeKeys } = composeSigningKeys(
    configuration,
    generations,
  );
  await requireClaimKey(configuration, generations, developmentKeys);
  const installationTrust = new InstallationTrust(generations);
  await installationTrust.refresh();
  // In production it neither names nor vouches for anybody, also where its files are left over from a trial.
  const identityAuthority = configuration.production
    ? undefined
    : await openIdentityAuthority({ folder: join(configuration.home, 'keys'), clock });
  if (identityAuthority !== undefined)
    installationTrust.anchors.identityAnchorsPem = identityAuthority.certificatePem;
  const trust = installationTrust.anchors;
  const activeKeys = new ActiveKeys(generations, signingKeys, clock, configuration.production);
  const tellLogs = new TellLogs(generations, organizationTx, keyEntries(appendEntry));
  const trustStore = new TrustStore(join(configuration.home, 'trust'));
  // A list that cannot be read is told at the start, not by every answer.
  trustStore.lists();
  const memory = new LargeFileMemory(configuration.largeFileMemoryBytes);
  const lists = () => trustStore.lists();
  const verifier = new VerificationProcess({
    trust,
    lists,
    memory,
    maxFileBytes: largestVerified(configuration.uploadMaxBytes),
    ...verification,
  });
  // Processes of their own for what we keep and sign: strangers who send many files hold up none of it.
  const ownFiles = new VerificationProcess({
    trust,
    lists,
    memory,
    ...verification,
    maxQueued: 10_000,
    attempts: 2,
  });
  const policy = configuration.keys.manifestTimeStamp;
  const signer = new GenerationMediaSigner(
    activeKeys,
    {
      trust,
      sourceInspector: ownFiles,
      version: PRODUCT_VERSION,
      clock,
      memory,
      timeStamping:
        policy === 'off' || timeStampAuthority === undefined
          ? undefined
          : { authority: timeStampAuthority, policy },
    },
    () => installationTrust.refresh(),
  );
  const identityKeys = new IdentityKeys(identityAuthority?.certificatePem ?? '');
  return {
    trustStore,
    /** For files of strangers. */
    verifier,
    /** For what people who are known send, what providers make, and what we keep. */
    ownFiles,
    signer,
    keyUse: tellLogs,
    /** For files that this installation made itself. */
    ownReader: new C2paReader({ trust, memory }),
    installationTrust: trust,
    /** Who vouches for names: the development authority, and the lists of the operator. */
    identityLists: () => [
      ...ownIdentityLists(trust.identityAnchorsPem),
      ...trustStore.lists().filter(({ purpose }) => purpose === 'identities'),
    ],
    keyGenerations: generations,
    activeKeys,
    signingProbe: new SigningProbe(() => activeKeys.current('claim'), clock),
    changeKeys,
    closeKeys,
    keyRounds: new KeyRounds(installationTrust, changeKeys, tellLogs, (error) =>
      logger.warn({ err: error }, 'a round about signing keys failed'),
    ),
    identityIssuer: identityAuthority,
    openIdentity: (credential: IssuedCredential, now: Date) => identityKeys.open(credential, now),
  };
}

/** @throws Error with one sentence for the operator: nothing could be signed, so nothing is started */
async function requireClaimKey(
  { production, keys }: Configuration,
  generations: KeyGenerationRepository,
  developmentKeys: { ensure(): Promise<void> },
): Promise<void> {
  const active = await generations.active('claim');
  if (production && active?.development) throw new Error(DEVELOPMENT_IN_PRODUCTION);
  if (active === undefined && (production || keys.claimKey !== undefined)) {
    throw new Error(
      'No claim key is active yet. Name it by COLOPHON_CLAIM_KEY, then run: colophon keys csr --subject ..., ' +
        'colophon keys import FILE with what your certification authority issues, colophon keys activate ID.' +
        (production ? '' : ' Or unset COLOPHON_CLAIM_KEY to try it out with a development authority.'),
    );
  }
  if (!production && (active === undefined || active.development)) await developmentKeys.ensure();
}

function keyEntries(appendEntry: AppendEntry) {
  return (tx: Tx, { event, reason, key }: LoggedKeyEvent, assets: number): Promise<string> => {
    const certificateSha256 = key.certificate?.sha256 ?? '';
    const common = { actor: SYSTEM_ACTOR, subject: { kind: 'signing_key', id: certificateSha256 } } as const;
    switch (event) {
      case 'activated':
        return appendEntry.append(tx, {
          ...common,
          type: `${key.purpose}_key.activated`,
          data: {
            certificateSha256,
            spkiSha256: key.spkiSha256,
            algorithm: key.algorithm,
            notBefore: key.certificate?.notBefore.toISOString() ?? '',
            notAfter: key.certificate?.notAfter.toISOString() ?? '',
            chain: derChain(key.certificate?.chainPem ?? ''),
          },
        });
      case 'retired':
        return appendEntry.append(tx, {
          ...common,
          type: `${key.purpose}_key.retired`,
          data: { certificateSha256 },
        });
      case 'compromised':
        return appendEntry.append(tx, {
          ...common,
          type: `${key.purpose}_key.compromised`,
          data: { certificateSha256, reason: (reason ?? 'key_compromise') as KeyCompromiseReason, assets },
        });
    }
  };
}

/** Base64 of each certificate: PEM without its frame. */
function derChain(pem: string): string[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)].map(
    ([, body = '']) => body.replace(/\s/g, ''),
  );
}
