/**
 * Validation status codes of C2PA 2.4 section 15 and of CAWG identity 1.3, in words for people who have to decide
 * what to do with a picture.
 */
const WORDS: ReadonlyMap<string, string> = new Map([
  // Success
  ['claimSignature.validated', 'the signature holds'],
  ['claimSignature.insideValidity', 'the certificate was valid when it signed'],
  ['signingCredential.trusted', 'the signer is on a list that we trust'],
  ['signingCredential.ocsp.notRevoked', 'the certificate was not revoked when it signed'],
  ['timeStamp.validated', 'the time-stamp is about this signature'],
  ['timeStamp.trusted', 'the time-stamp authority is on a list that we trust'],
  ['timeOfSigning.insideValidity', 'the time that the signer claims lies within the life of the certificate'],
  ['assertion.hashedURI.match', 'this part of the manifest is unchanged'],
  ['assertion.dataHash.match', 'the file is the one that was signed'],
  ['assertion.bmffHash.match', 'the file is the one that was signed'],
  ['assertion.boxesHash.match', 'the file is the one that was signed'],
  ['assertion.collectionHash.match', 'the files of the collection are those that were signed'],
  ['assertion.multiAssetHash.match', 'the parts of the file are those that were signed'],
  ['assertion.accessible', 'a part that lies elsewhere could be read'],
  ['ingredient.manifest.validated', 'the manifest of the ingredient is the one that was taken in'],
  ['ingredient.claimSignature.validated', 'the signature of the ingredient is the one that was taken in'],
  // Informational
  ['signingCredential.ocsp.skipped', 'whether the certificate was revoked was not asked'],
  ['signingCredential.ocsp.inaccessible', 'whether the certificate was revoked could not be learnt'],
  ['signingCredential.ocsp.unknown', 'the authority does not know whether the certificate was revoked'],
  ['timeStamp.mismatch', 'the time-stamp is not about this signature'],
  ['timeStamp.malformed', 'the time-stamp cannot be read'],
  ['timeStamp.outsideValidity', 'the time-stamp lies outside the life of a certificate'],
  [
    'timeStamp.untrusted',
    'the time-stamp authority is on no list that we trust, so the time is only a claim',
  ],
  ['timeStamp.credentialInvalid', 'the certificate of the time-stamp authority is not fit for it'],
  [
    'timeOfSigning.outsideValidity',
    'the time that the signer claims lies outside the life of the certificate',
  ],
  ['manifest.unknownProvenance', 'where the file comes from cannot be told from its manifest'],
  ['manifest.unreferenced', 'a manifest lies in the file that nothing refers to'],
  ['ingredient.unknownProvenance', 'the ingredient carries no manifest, so nothing is known of its origin'],
  ['algorithm.deprecated', 'an old algorithm was used that should not be used any more'],
  ['assertion.dataHash.additionalExclusionsPresent', 'a stretch of the file is under no signature'],
  ['assertion.boxesHash.additionalExclusionsPresent', 'a stretch of the file is under no signature'],
  [
    'assertion.bmffHash.additionalExclusionsPresent',
    'a part of the file is under no signature, and what is shown or heard may lie in it',
  ],
  // Failure: the claim and its signature
  ['claim.malformed', 'the manifest is damaged'],
  ['claim.cbor.invalid', 'the manifest is damaged'],
  ['claim.missing', 'the manifest has no claim'],
  ['claim.multiple', 'the manifest has several claims where one is allowed'],
  ['claim.hardBindings.missing', 'the manifest is bound to no file, so it may belong to any'],
  ['claim.required.missing', 'the manifest lacks what it must say'],
  ['claimSignature.missing', 'the manifest is not signed'],
  [
    'claimSignature.mismatch',
    'the signature does not hold: the manifest was changed after it was signed, or never signed by this certificate',
  ],
  ['claimSignature.outsideValidity', 'it was signed when the certificate was not valid'],
  ['signingCredential.untrusted', 'the signer is on no list that we trust'],
  ['signingCredential.invalid', 'the certificate is not fit for signing claims'],
  ['signingCredential.revoked', 'the certificate was revoked'],
  ['signingCredential.ocsp.revoked', 'the certificate was revoked'],
  [
    'signingCredential.expired',
    'the certificate has expired, and no trusted time-stamp shows that it signed before',
  ],
  // Failure: manifests
  ['manifest.inaccessible', 'the manifest lies elsewhere and was not fetched'],
  ['manifest.multipleParents', 'the manifest names more than one parent'],
  ['manifest.update.invalid', 'the update holds what an update must not hold'],
  ['manifest.update.wrongParents', 'the update does not name exactly one parent'],
  ['manifest.timestamp.invalid', 'the time-stamp manifest holds what it must not hold'],
  ['manifest.timestamp.wrongParents', 'the time-stamp manifest does not name exactly one parent'],
  ['manifest.compressed.invalid', 'the compressed manifest cannot be unpacked'],
  // Failure: the file
  [
    'assertion.dataHash.mismatch',
    'the file does not match the manifest, so one of them was changed or swapped',
  ],
  [
    'assertion.bmffHash.mismatch',
    'the file does not match the manifest, so one of them was changed or swapped',
  ],
  [
    'assertion.boxesHash.mismatch',
    'the file does not match the manifest, so one of them was changed or swapped',
  ],
  ['assertion.boxesHash.unknownBox', 'the file has a part that the manifest does not know'],
  [
    'assertion.collectionHash.mismatch',
    'a file of the collection does not match the manifest, so one of them was changed or swapped',
  ],
  ['assertion.collectionHash.incorrectFileCount', 'a file of the collection is missing'],
  ['assertion.collectionHash.invalidURI', 'the collection names a file outside of itself'],
  ['assertion.multiAssetHash.mismatch', 'a part of the file does not match the manifest'],
  ['assertion.multiAssetHash.missingPart', 'a part of the file is missing'],
  ['assertion.multipleHardBindings', 'the manifest is bound to the file in two ways where one is allowed'],
  // Failure: parts of the manifest
  ['assertion.hashedURI.mismatch', 'a part of the manifest was changed'],
  ['hashedURI.mismatch', 'a part of the manifest was changed'],
  ['hashedURI.missing', 'a part of the manifest is missing'],
  ['assertion.missing', 'a part of the manifest is missing'],
  ['assertion.undeclared', 'a part was added to the manifest that was not signed'],
  ['assertion.outsideManifest', 'the manifest refers to a part of another manifest as its own'],
  ['assertion.inaccessible', 'a part of the manifest lies elsewhere and was not fetched'],
  ['assertion.notRedacted', 'a part is still there that was declared redacted'],
  ['assertion.selfRedacted', 'the manifest redacts itself, which is not allowed'],
  ['assertion.required.missing', 'a part of the manifest lacks what it must say'],
  ['assertion.json.invalid', 'a part of the manifest cannot be read'],
  ['assertion.cbor.invalid', 'a part of the manifest cannot be read'],
  ['assertion.action.malformed', 'the list of what was done cannot be read or breaks the rules'],
  [
    'assertion.action.ingredientMismatch',
    'something is said to have been done with an ingredient that is missing',
  ],
  ['assertion.action.redactionMismatch', 'something is said to have been redacted that cannot be found'],
  ['assertion.action.redacted', 'the list of what was done was redacted, which is not allowed'],
  ['assertion.action.skipped', 'a part of the list of what was done was not checked'],
  ['assertion.dataHash.redacted', 'the bond to the file was redacted, which is not allowed'],
  ['assertion.ingredient.malformed', 'the record of an ingredient cannot be read or breaks the rules'],
  ['assertion.metadata.disallowed', 'the metadata holds a field that is not allowed there'],
  ['assertion.externalReference.malformed', 'a reference to data elsewhere cannot be read'],
  ['assertion.externalReference.hashMismatch', 'data that lies elsewhere is not what was signed'],
  ['assertion.cloud-data.hardBinding', 'the bond to the file lies elsewhere, which is not allowed'],
  ['assertion.cloud-data.actions', 'the list of what was done lies elsewhere, which is not allowed'],
  ['assertion.timestamp.malformed', 'a time-stamp in the manifest cannot be read'],
  // Failure: ingredients
  ['ingredient.hashedURI.mismatch', 'the record of an ingredient does not fit'],
  ['ingredient.manifest.missing', 'the manifest of an ingredient is missing'],
  ['ingredient.manifest.mismatch', 'the manifest of an ingredient is not the one that was taken in'],
  ['ingredient.claimSignature.missing', 'the signature of an ingredient is missing'],
  ['ingredient.claimSignature.mismatch', 'the signature of an ingredient is not the one that was taken in'],
  // Failure: anything
  ['algorithm.unsupported', 'an algorithm was used that we do not know'],
  ['general.error', 'something is wrong with the manifest for which there is no name'],
  ['com.colophon.chain.cut', 'the history is cyclic, too deep or too large and was not followed to its end'],
  ['com.adobe.prerelease', 'the manifest was made by a version of the format before the first one'],
  // CAWG identity 1.3
  ['cawg.identity.well-formed', 'the identity is well-formed and bound to this manifest'],
  ['cawg.identity.trusted', 'the identity is vouched for by somebody whom we trust'],
  ['cawg.x509.signature.validated', 'the signature of the identity holds'],
  ['cawg.x509.signing_credential.trusted', 'the certificate of the identity is on a list that we trust'],
  ['cawg.x509.signing_credential.untrusted', 'the certificate of the identity is on no list that we trust'],
  ['cawg.x509.signature.mismatch', 'the signature of the identity does not hold'],
  ['cawg.ica.credential_valid', 'the credential of the identity is valid'],
  ['cawg.ica.untrusted_issuer', 'whoever vouches for the identity is on no list that we trust'],
  ['cawg.identity.credential_revoked', 'the credential of the identity was revoked'],
  ['cawg.identity.assertion.mismatch', 'the identity is about other parts than those in the manifest'],
  ['cawg.identity.assertion.duplicate', 'the identity names a part twice'],
  ['cawg.identity.cbor.invalid', 'the identity cannot be read'],
  ['cawg.identity.hard_binding_missing', 'the identity is not bound to the file'],
  ['cawg.identity.hard_binding_incorrect', 'the identity is bound to another file'],
  ['cawg.identity.pad.invalid', 'the identity hides bytes in its padding'],
  ['cawg.identity.sig_type.unknown', 'the identity is signed in a way that we do not know'],
  ['cawg.identity.network_traffic_blocked', 'the identity could not be checked without asking elsewhere'],
]);

const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [
    /^assertion\.(dataHash|bmffHash|boxesHash|collectionHash|multiAssetHash)\.malformed$/,
    'the bond to the file cannot be read',
  ],
  [
    /^assertion\.(dataHash|bmffHash|boxesHash|collectionHash|multiAssetHash)\./,
    'the file does not match the manifest, so one of them was changed or swapped',
  ],
  [/^claimSignature\./, 'the signature does not hold'],
  [/^signingCredential\./, 'the certificate is not fit for signing claims'],
  [/^timeStamp\./, 'the time-stamp does not hold'],
  [/^assertion\./, 'a part of the manifest does not hold'],
  [/^ingredient\./, 'the record of an ingredient does not fit'],
  [/^claim\.|^manifest\./, 'the manifest is damaged'],
  [/^cawg\./, 'the identity does not hold'],
];

/** What a status means for a reader. A code that nobody knows is quoted as far as it is a code. */
export function statusWords(code: string): string {
  const known = WORDS.get(code) ?? FAMILIES.find(([pattern]) => pattern.test(code))?.[1];
  return known ?? `the manifest fails the check "${code.replace(/[^\w.-]/g, '').slice(0, 80)}"`;
}

/** Every code that has words of its own, for the documentation and the tests. */
export const KNOWN_STATUS_CODES: readonly string[] = [...WORDS.keys()];
