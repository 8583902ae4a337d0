import { type DatasetManifest } from '../../domain/dataset-manifest.js';
import { type Case, DE, registered, revenue, variant } from '../case.js';

const OWN_IMAGES: DatasetManifest = {
  images: 20,
  rights: [{ basis: 'owned', images: 20, trainingAllowed: 'yes', expiresAt: null }],
  releases: [],
  showsPeople: 'no',
};
const HASH = 'a'.repeat(64);
const DATASET = 'Hangzhou Ultraman decisions 2024: whose images, on what right';
const lora = (base: string | null, manifest?: Partial<DatasetManifest>) =>
  variant('flux-1-schnell', 'brand-style', {
    roles: ['lora'],
    base: base === null ? null : { listingId: `${base}@self-hosted`, relation: 'adapter' },
    datasetManifestSha256: HASH,
    datasetManifest: { ...OWN_IMAGES, ...manifest },
  });
const images = (group: Partial<DatasetManifest['rights'][number]>) =>
  lora('flux-1-schnell', {
    rights: [{ basis: 'licensed', images: 20, trainingAllowed: 'yes', expiresAt: null, ...group }],
  });
const person = (release: Partial<DatasetManifest['releases'][number]>) =>
  lora('flux-1-schnell', {
    releases: [{ reference: 'M-1', coversDigitalReplica: 'yes', expiresAt: null, ...release }],
  });
const hashOnly = variant('flux-1-schnell', 'brand-style', {
  roles: ['lora'],
  base: { listingId: 'flux-1-schnell@self-hosted', relation: 'adapter' },
  datasetManifestSha256: HASH,
});

/** LoRAs and fine-tunes: the terms of the base and the rights in the training images. */
export const LORA_CASES: readonly Case[] = [
  {
    what: 'own images on an Apache base',
    source: DATASET,
    use: ['brand-style'],
    listings: [lora('flux-1-schnell')],
    decision: 'allow',
    rules: [],
  },
  {
    what: 'no dataset manifest',
    source: DATASET,
    use: ['brand-style'],
    listings: [{ ...hashOnly, datasetManifestSha256: null }],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'a manifest of which only the hash is recorded',
    source: DATASET,
    use: ['brand-style'],
    listings: [hashOnly],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'no base stated',
    source: 'FLUX.1 [dev] NC v1.1.1 2(a), 3: a LoRA is a derivative',
    use: ['brand-style'],
    listings: [lora(null)],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'a base that nobody listed',
    source: 'FLUX.1 [dev] NC v1.1.1 2(a), 3: a LoRA is a derivative',
    use: ['brand-style'],
    listings: [lora('someones-merge')],
    decision: 'review',
    rules: ['component-unknown'],
  },
  {
    what: 'on FLUX.1 [dev], whatever the LoRA itself says',
    source: 'FLUX.1 [dev] NC v1.1.1 2(a), 2(b)',
    use: ['brand-style'],
    listings: [lora('flux-1-dev')],
    decision: 'deny',
    rules: ['commercial-weights'],
  },
  {
    what: 'on Hunyuan, shown in Germany',
    source: 'Tencent Hunyuan Community License 2025-09-28 section 5(c)',
    use: ['brand-style'],
    listings: [lora('hunyuan-image-3.0')],
    facts: DE,
    decision: 'deny',
    rules: ['territory-outputs'],
  },
  {
    what: 'on LTX-2.5 at USD 10M',
    source: 'LTX-2.x Community License 2026-08-11 sections 2.1, 3.1-3.2',
    use: ['brand-style'],
    listings: [lora('ltx-2.5')],
    facts: revenue(10_000_000),
    decision: 'deny',
    rules: ['revenue-cap'],
  },
  {
    what: 'on Stability above USD 1M',
    source: 'Stability AI Community License 2024-07-05 section III: derivative works',
    use: ['brand-style'],
    listings: [lora('sd-3-5')],
    facts: { ...revenue(1_000_001), ...registered('sd-3-5') },
    decision: 'deny',
    rules: ['revenue-cap'],
  },
  {
    what: 'trained on images without a right',
    source: DATASET,
    use: ['brand-style'],
    listings: [images({ basis: 'none' })],
    decision: 'deny',
    rules: ['lora-dataset'],
  },
  {
    what: 'trained on images of unknown right',
    source: DATASET,
    use: ['brand-style'],
    listings: [images({ basis: 'unknown' })],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'trained on stock whose license bars training',
    source: 'stock licenses often bar AI training',
    use: ['brand-style'],
    listings: [images({ trainingAllowed: 'no' })],
    decision: 'deny',
    rules: ['lora-dataset'],
  },
  {
    what: 'trained on stock whose license was not read',
    source: 'stock licenses often bar AI training',
    use: ['brand-style'],
    listings: [images({ trainingAllowed: 'unknown' })],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'five images without an entry',
    source: DATASET,
    use: ['brand-style'],
    listings: [images({ images: 15 })],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'the right in the images ends during the campaign',
    source: DATASET,
    use: ['brand-style'],
    listings: [images({ expiresAt: '2026-12-15' })],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'a person who did not consent to a digital replica',
    source: 'SAG-AFTRA Commercials Contract 2025: digital replica rider',
    use: ['brand-style'],
    listings: [person({ coversDigitalReplica: 'no' })],
    decision: 'deny',
    rules: ['lora-dataset'],
  },
  {
    what: 'nobody knows whether the person consented',
    source: 'SAG-AFTRA Commercials Contract 2025: digital replica rider',
    use: ['brand-style'],
    listings: [person({ coversDigitalReplica: 'unknown' })],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'the release of the person ends during the campaign',
    source: 'SAG-AFTRA Commercials Contract 2025: new consent outside scope',
    use: ['brand-style'],
    listings: [person({ expiresAt: '2026-12-15' })],
    decision: 'deny',
    rules: ['lora-dataset'],
  },
  {
    what: 'a fine-tune is asked for its images too',
    source: DATASET,
    use: ['tuned-model'],
    listings: [
      variant('qwen-image', 'tuned-model', {
        base: { listingId: 'qwen-image@self-hosted', relation: 'finetune' },
      }),
    ],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'a quantized copy learnt nothing new',
    source: 'base_model_relation: quantized',
    use: ['small-model'],
    listings: [
      variant('qwen-image', 'small-model', {
        base: { listingId: 'qwen-image@self-hosted', relation: 'quantized' },
      }),
    ],
    decision: 'allow',
    rules: [],
  },
];
