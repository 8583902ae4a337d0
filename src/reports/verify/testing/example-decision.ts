import { runFactsSchema } from '../../../licenses/domain/run-facts.js';
import { sha256Hex } from '../../../shared/bytes.js';
import { type AssetDossier } from '../../domain/dossier.js';
import { AT } from './example-people.js';

export const PROMPT = 'A clay teapot on a linen cloth, morning light from the left, no people, no text';

export const FACTS = runFactsSchema.parse({
  purpose: 'commercial',
  audienceCountries: ['DE', 'FR', 'US', 'KR'],
  organizationRevenueUsd: 48_000_000,
  organizationRevenueWithAffiliatesUsd: 48_000_000,
  campaignStart: '2027-03-01',
  campaignEnd: '2027-06-30',
  humanReviewPlanned: 'yes',
  labelPlanned: 'yes',
  editsPlanned: 'yes',
});

const TERM = {
  id: 'flux-dev-outputs',
  kind: 'output-label',
  paraphrase: 'Outputs shown to the public are labeled as generated where the law asks for it.',
  clause: '4(e)',
  verified: 'primary',
  source: { title: 'FLUX.1 [dev] License', url: 'https://example.com/license', dateRead: '2026-11-20' },
} as unknown as NonNullable<AssetDossier['runs'][number]['clearance']['findings'][number]['term']>;

const FINDINGS: AssetDossier['runs'][number]['clearance']['findings'] = [
  {
    ruleId: 'indemnity',
    severity: 'note',
    listingId: 'flux-1-dev@fal',
    stepKeys: ['generate'],
    via: [],
    term: TERM,
    fact: { name: 'editsPlanned', value: 'yes' },
    message: 'The vendor gives no indemnity for outputs of this listing.',
    howToFix: 'Choose a listing whose vendor indemnifies, or accept the risk in writing.',
    alternatives: ['adobe-firefly@adobe', 'bria-3.2@bria'],
  },
];

export const OBLIGATIONS: AssetDossier['runs'][number]['clearance']['obligations'] = [
  {
    kind: 'label-output',
    listingId: 'flux-1-dev@fal',
    text: 'Label the picture as generated with AI where it is shown in the EU.',
    due: 'on-publication',
    term: TERM,
  },
];

export const MODELS: AssetDossier['models'] = [
  {
    listingId: 'flux-1-dev@fal',
    listingSha256: sha256Hex('listing of flux'),
    decidedBy: ['clr_1'],
    changedSince: [
      'Recorded otherwise since the decision: license. The license was current and is superseded.',
    ],
    name: 'FLUX.1 [dev]',
    vendor: 'Black Forest Labs',
    channel: 'fal',
    license: {
      name: 'FLUX.1 [dev] Non-Commercial License v1.1.1',
      reference: 'LicenseRef-FLUX-1-dev-NC-1.1.1',
      url: 'https://huggingface.co/black-forest-labs/FLUX.1-dev/blob/main/LICENSE.md',
      textSha256: sha256Hex('license'),
      dateRead: '2026-11-20',
    },
    trainingData: {
      disclosure: 'none',
      summary: 'The vendor says nothing about the sources of its training data.',
    },
    indemnity: 'none: the license excludes every warranty and indemnity',
    access: 'open-weights',
    stepKeys: ['generate'],
  },
  {
    listingId: 'studio@studio',
    listingSha256: sha256Hex('listing of the studio'),
    decidedBy: ['clr_1'],
    changedSince: [],
    name: 'Studio',
    vendor: 'this installation',
    channel: 'studio',
    license: {
      name: 'Apache License 2.0',
      reference: 'Apache-2.0',
      url: undefined,
      textSha256: undefined,
      dateRead: '2026-11-22',
    },
    trainingData: { disclosure: 'not applicable', summary: 'Deterministic image work; nothing was trained.' },
    indemnity: 'not applicable',
    access: 'code',
    stepKeys: ['cut-out'],
  },
];

/** The run as a dossier shows it. */
export function exampleRun(
  runId: string,
  clearanceId: string,
  entryIndex: number,
): AssetDossier['runs'][number] {
  return {
    id: runId,
    pipeline: 'product-shot',
    pipelineVersion: 1,
    mode: 'live',
    state: 'SUCCEEDED',
    createdAt: AT,
    prompt: PROMPT,
    clearance: {
      id: clearanceId,
      decision: 'allow',
      engineVersion: '1.0.0',
      termsSha256: sha256Hex('terms'),
      inputSha256: sha256Hex('input'),
      facts: FACTS,
      findings: FINDINGS,
      obligations: OBLIGATIONS,
      entryIndex,
    },
    waivers: [],
  };
}
