import { type AiDisclosure } from './ai-disclosure.js';
import { brokenIngredients, isIntegrityFailure } from './chain-failures.js';
import { type ChainNode, type MediaVerification, type ValidationStatus } from './media-verifier.port.js';
import { statusWords } from './status-words.js';
import { TEST_PART_WORDS, TEST_WORDS, testWorkIn } from './test-work.js';
import { trustListWords } from './trust-list.js';

type Facts = Pick<MediaVerification, 'verdict' | 'trustedBy' | 'chain' | 'statuses'> &
  Partial<
    Pick<MediaVerification, 'signer' | 'timeStamp' | 'disclosure' | 'identities' | 'remoteManifestUrl'>
  >;

/**
 * The result in plain English, most important first. Names inside are whatever the file says: they are quoted, and
 * whoever shows a sentence escapes it.
 */
export function verificationSentences(facts: Facts): string[] {
  const { verdict, chain } = facts;
  if (verdict === 'none' || chain === undefined) return noManifestSentences(facts);
  return [
    verdict === 'broken' ? brokenSentence(facts.statuses, chain) : INTACT,
    ...testSentences(chain),
    ...trustSentences(facts),
    ...timeSentences(facts),
    ...revocationSentences(facts),
    ...ingredientSentences(chain),
    ...sourceSentences(verdict, facts.disclosure),
    ...identitySentences(facts),
    ...stepSentences(chain),
  ];
}

const INTACT = 'The file is intact: nothing was changed after it was signed.';

function noManifestSentences({ remoteManifestUrl }: Facts): string[] {
  const elsewhere =
    remoteManifestUrl === undefined
      ? []
      : [
          `The file says that its manifest lies elsewhere, at ${quoted(remoteManifestUrl)}. Nobody went there: such an address is the choice of whoever made the file.`,
        ];
  return [
    'This file carries no C2PA manifest. That says nothing about how it was made: manifests are easily stripped.',
    ...elsewhere,
  ];
}

function brokenSentence(statuses: readonly ValidationStatus[], chain: ChainNode): string {
  const own = [...statuses, ...chain.failures].filter(isIntegrityFailure);
  const reasons = new Set(own.map((status) => statusWords(status.code)));
  return `The file is broken: ${[...reasons].join('; ') || 'its manifest does not validate'}. Do not rely on what its manifest says.`;
}

function testSentences(chain: ChainNode): string[] {
  const testWork = testWorkIn(chain);
  if (testWork === undefined) return [];
  return [`By its manifest: ${testWork === 'file' ? TEST_WORDS : TEST_PART_WORDS}`];
}

function trustSentences({ verdict, trustedBy, chain, signer }: Facts): string[] {
  const name = quoted(chain?.signer?.commonName ?? chain?.signer?.issuer ?? signer?.subject);
  if (verdict === 'intact_and_trusted') {
    const list = signer?.list === undefined ? (trustedBy ?? '') : trustListWords(signer.list);
    return [`It was signed by ${name}, trusted by ${list}.`];
  }
  if (verdict !== 'intact') return [];
  const why = signer?.notTrustedBecause;
  return [
    `It was signed by someone who is named ${name} in the certificate; the certificate is on no list we know, so anybody may have written that name.`,
    ...(why === undefined || why.includes('leads to no list') ? [] : [`More exactly: ${harmless(why)}.`]),
  ];
}

function timeSentences({ verdict, timeStamp, chain }: Facts): string[] {
  if (verdict === 'broken' || timeStamp === undefined) return [];
  const claimed = chain?.signer?.signedAt;
  switch (timeStamp.status) {
    case 'trusted': {
      const list = timeStamp.list === undefined ? 'a list' : trustListWords(timeStamp.list);
      return [
        `The time-stamp authority ${quoted(timeStamp.authority)} saw the signature at ${timeStamp.at ?? ''}; it is trusted by ${list}.`,
      ];
    }
    case 'untrusted':
      return [
        `A time-stamp says${claimed === undefined ? '' : ` ${quoted(claimed)}`}, by an authority on no list we know, so the time is only a claim.`,
      ];
    case 'invalid':
      return [
        'The file carries a time-stamp that is not about this signature or cannot be read: it proves no time.',
      ];
    case 'none':
      return ['There is no time-stamp: when it was signed is only what the signer says.'];
  }
}

/** What is trusted is trusted by its certificate alone. */
function revocationSentences({ verdict, statuses, timeStamp, identities = [] }: Facts): string[] {
  const isTold = statuses.some(({ code }) => code === 'signingCredential.ocsp.notRevoked');
  const isTrusted =
    (verdict === 'intact_and_trusted' && !isTold) ||
    (verdict !== 'broken' && timeStamp?.status === 'trusted') ||
    identities.some(({ status }) => status === 'trusted');
  return isTrusted
    ? [
        'Whether a certificate was revoked was not looked up: no authority is asked, and no list of them is read.',
      ]
    : [];
}

function ingredientSentences(chain: ChainNode): string[] {
  return brokenIngredients(chain)
    .slice(0, 10)
    .map((node) => {
      const reasons = new Set(
        node.failures.filter(isIntegrityFailure).map((status) => statusWords(status.code)),
      );
      return `An ingredient, ${quoted(node.title)}, is broken: ${[...reasons].join('; ')}.`;
    });
}

function sourceSentences(verdict: Facts['verdict'], disclosure: AiDisclosure | undefined): string[] {
  if (disclosure === undefined) return [];
  const claim = verdict === 'broken' ? 'The broken manifest claims' : 'The manifest says';
  const types = new Map(disclosure.sourceTypes.map(({ term, meaning }) => [meaning, term]));
  const sources = [...types]
    .slice(0, 10)
    .map(([meaning]) => `${claim} that the file, or something it was made from, was ${meaning}.`);
  const models = disclosure.models
    .slice(0, 5)
    .map(({ name, identifier }) => `${claim} that the model ${quoted(name ?? identifier)} was used.`);
  const rest = disclosure.generativeAi === 'not_stated' && verdict !== 'broken' ? [disclosure.text] : [];
  return [
    ...sources,
    ...models,
    ...rest,
    ...disclosure.trainingAndMining.slice(0, 8).map(({ text }) => harmless(text)),
  ];
}

function identitySentences({ verdict, identities = [] }: Facts): string[] {
  const named = verdict === 'broken' ? 'The broken manifest names somebody' : 'Somebody put a name to it';
  return identities.slice(0, 5).map(({ text, roles }) => {
    const as = roles.length === 0 ? '' : ` as ${roles.map(quoted).join(', ')}`;
    return `${named}${as}. ${text}`;
  });
}

function stepSentences(chain: ChainNode): string[] {
  const manifests = manifestCount(chain);
  return manifests > 1 ? [`Its history holds ${manifests} signed manifests.`] : [];
}

function manifestCount(node: ChainNode): number {
  const below = node.ingredients.reduce((sum, ingredient) => sum + manifestCount(ingredient), 0);
  return below + (node.manifestLabel === undefined ? 0 : 1);
}

const MAX_NAME_LENGTH = 120;

/** Control and bidirectional formatting characters would let a name rewrite the sentence around it. */
function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, '');
}

function quoted(name: string | undefined): string {
  if (name === undefined) return 'an unnamed signer';
  const safe = harmless(name);
  return `"${safe.length > MAX_NAME_LENGTH ? `${safe.slice(0, MAX_NAME_LENGTH)}...` : safe}"`;
}
