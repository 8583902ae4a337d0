import { z } from 'zod';
import { id, identifier, mode, name, sha256Hex, token } from '../entry-fields.js';

/** An organization, its people and keys, its projects and whom it tells. */
export const ACCOUNT_ENTRIES = {
  'organization.created': z.strictObject({ origin: identifier, vkey: identifier }),
  'principal.created': z.strictObject({ roles: z.array(token).max(16) }),
  'api_key.created': z.strictObject({ keyId: id, mode, principalId: id }),
  'api_key.revoked': z.strictObject({ keyId: id }),
  /** An organization's own key for a vendor. Nothing of the key: not even its last characters. */
  'provider_credential.set': z.strictObject({ provider: token }),
  'provider_credential.removed': z.strictObject({ provider: token }),
  'project.created': z.strictObject({ name }),
  /** Whether strangers find the manifests of what the project released. Without any such entry: yes. */
  'project.manifest_publication_set': z.strictObject({ publish: z.boolean() }),
  'use_case.created': z.strictObject({ projectId: id, name }),
  /**
   * Under which facts and rights calls of vendors' SDKs run in a use case from now on. `settingsSha256` is over the
   * canonical JSON of all settings; `inputRightsBasis` is absent where pictures that SDKs send are refused.
   */
  'use_case.gateway_set': z.strictObject({
    projectId: id,
    useCase: name,
    open: z.boolean(),
    purpose: token,
    inputRightsBasis: token.optional(),
    settingsSha256: sha256Hex,
  }),
  /**
   * What the manifests of a project say from now on. The texts (usage terms, producer code) stand in the settings only;
   * `settingsSha256` is over the canonical JSON of all of them.
   */
  'project.manifest_settings_set': z.strictObject({
    projectId: id,
    dataMining: token,
    aiTraining: token,
    aiGenerativeTraining: token,
    aiInference: token,
    nameContributors: token,
    namePromptWriters: z.boolean(),
    settingsSha256: sha256Hex,
  }),
  /** A key with which the organization, or a person, is named in manifests from now on (CAWG Identity). */
  'identity_credential.installed': z.strictObject({
    holderKind: z.enum(['organization', 'principal']),
    holderId: id,
    source: z.enum(['development_authority', 'imported']),
    certificateSha256: sha256Hex,
  }),
  /** Where the organization is told of what happens, as it is from now on. Of the address only its host: it may hold a token. */
  'webhook_endpoint.set': z.strictObject({
    host: identifier,
    state: z.enum(['active', 'paused', 'disabled']),
    events: z.array(z.string().max(60)).min(1).max(50),
  }),
  'webhook_endpoint.secret_rotated': z.strictObject({ host: identifier }),
  'webhook_endpoint.removed': z.strictObject({ host: identifier }),
  /** By this program: the receiver said that it is gone, or took nothing for days. */
  'webhook_endpoint.disabled': z.strictObject({ host: identifier, because: z.enum(['gone', 'failing']) }),
};
