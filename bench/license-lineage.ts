import { sha256Hex } from '../src/shared/bytes.js';
import { type Lineage, lineageSchema } from '../src/licenses/domain/lineage.js';
import { type Listing, type LineageRole } from '../src/licenses/domain/listing.js';
import { indexListings, type ListingIndex } from '../src/licenses/domain/listing-index.js';

/** 14 models and tools, with those that hide in them more, and 3 LoRAs with their base and dataset manifest. */
export const CLEAN =
  'flux-1-schnell qwen-image sdxl-1-0 birefnet u2net real-esrgan wan-2.2 cogvideox-2b krea-2 hunyuan-image-3.0 ' +
  'flux-2-autoencoder rembg studio-crop@studio studio-convert@studio';
export const MIXED =
  'flux-1-schnell qwen-image sdxl-1-0 birefnet gpt-image-1@openai real-esrgan wan-2.2 sd-3-5 krea-2 ' +
  'hunyuan-image-3.0 hidream-i1 ltx-2.5 flux-1-dev@fal studio-crop@studio';
/** The text behind the facts of the LoRAs. */
export const LORA_CONTRACT = 'The contract of the benchmark.';
const LORA_BASES = ['flux-1-schnell', 'qwen-image', 'sdxl-1-0'];

function fullId(id: string): string {
  return id.includes('@') ? id : `${id}@self-hosted`;
}

export function lineageOf(models: string, listings: ListingIndex): Lineage {
  const ids = [...models.split(' ').map(fullId), ...LORA_BASES.map((base) => `lora-${base}@self-hosted`)];
  const off = (of: string) => {
    const optional = (listings.get(of)?.listing.components ?? []).flatMap(notUsed);
    return optional.length === 0 ? {} : { optionalComponents: Object.fromEntries(optional) };
  };
  return lineageSchema.parse({
    components: ids.map((listingId, at) => ({
      listingId,
      role: listings.get(listingId)?.listing.roles[0] ?? ('generator' satisfies LineageRole),
      stepKey: `step-${String(at)}`,
      ...off(listingId),
    })),
  });
}

function notUsed({ use, listingId }: Listing['components'][number]): [string, 'no'][] {
  return use === 'optional' && listingId !== null ? [[listingId, 'no']] : [];
}

export function withLoras(seed: ListingIndex): ListingIndex {
  const loras = LORA_BASES.map((base): Listing => {
    const original = seed.get(fullId(base))?.listing;
    if (!original) throw new Error(`${base} is not in the seed`);
    return {
      ...original,
      id: `lora-${base}@self-hosted`,
      roles: ['lora'],
      license: { ...original.license, spdxOrRef: 'LicenseRef-Bench', textSha256: sha256Hex(LORA_CONTRACT) },
      sources: original.sources.map((source) => ({ ...source, textSha256: sha256Hex(LORA_CONTRACT) })),
      base: { listingId: original.id, relation: 'adapter' },
      datasetManifestSha256: 'a'.repeat(64),
      datasetManifest: {
        images: 20,
        rights: [{ basis: 'owned', images: 20, trainingAllowed: 'yes', expiresAt: null }],
        releases: [{ reference: 'M-1', coversDigitalReplica: 'yes', expiresAt: '2027-12-31' }],
      },
    };
  });
  return indexListings([...seed.all.map(({ listing }) => listing), ...loras]);
}
