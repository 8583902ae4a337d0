import { describe, expect, it } from '@jest/globals';
import { importDocument } from './import-document.js';
import { type ImportFormat, type ImportedListing } from './imported-listing.js';

function read(name: string, header: string, format: ImportFormat = 'hugging-face-model') {
  const result = importDocument({
    format,
    content: `---\n${header}\n---\n# ${name}\n`,
    origin: { name, revision: null },
  });
  if (!result.ok) throw new Error(`${result.refusal.code}: ${result.refusal.message}`);
  const [listing] = result.listings;
  if (!listing) throw new Error('no listing');
  return { listing, report: result.report };
}

/** What a clearance rests on, in one row. */
const row = ({ declaredLicense: license, bases, gated }: ImportedListing) => [
  license.spdx,
  license.status,
  license.commercialUse,
  license.doubts.join(' '),
  bases.map(({ name, relation }) => `${relation}:${name}`).join(' '),
  gated,
];

describe('cards as publishers write them', () => {
  it.each<[string, string, (string | null)[]]>([
    [
      'black-forest-labs/FLUX.1-dev',
      `language:
- en
license: other
license_name: flux-1-dev-non-commercial-license
license_link: LICENSE.md
extra_gated_prompt: By clicking "Agree", you agree to the license.
tags:
- text-to-image
- flux`,
      ['LicenseRef-FLUX.1-dev-NC', 'recognized', 'unknown', 'version-not-stated', '', 'yes'],
    ],
    [
      'black-forest-labs/FLUX.1-schnell',
      'license: apache-2.0\npipeline_tag: text-to-image',
      ['Apache-2.0', 'recognized', 'yes', '', '', 'unknown'],
    ],
    [
      'black-forest-labs/FLUX.2-dev',
      'license: other\nlicense_name: flux-dev-non-commercial-license\nlicense_link: LICENSE.md',
      ['LicenseRef-FLUX-dev-NC', 'recognized', 'unknown', 'version-not-stated', '', 'unknown'],
    ],
    [
      'stabilityai/stable-diffusion-3.5-large',
      `license: other
license_name: stabilityai-ai-community
license_link: LICENSE.md
extra_gated_fields:
  Name: text
  Country: country`,
      ['LicenseRef-Stability-AI-Community', 'recognized', 'unknown', '', '', 'yes'],
    ],
    [
      'Qwen/Qwen-Image',
      'license: apache-2.0\nlanguage:\n  - en\n  - zh',
      ['Apache-2.0', 'recognized', 'yes', '', '', 'unknown'],
    ],
    [
      'Qwen/Qwen-Image-2.1',
      'license: other\nlicense_name: qwen-research\nlicense_link: LICENSE',
      ['LicenseRef-Qwen-Research', 'recognized', 'unknown', '', '', 'unknown'],
    ],
    [
      'tencent/HunyuanImage-3.0',
      'license: other\nlicense_name: tencent-hunyuan-community\nextra_gated_eu_disallowed: true',
      ['LicenseRef-Tencent-Hunyuan-Community', 'recognized', 'unknown', 'version-not-stated', '', 'yes'],
    ],
    [
      'stabilityai/stable-diffusion-xl-base-1.0',
      'license: openrail++\ntags:\n- text-to-image',
      ['LicenseRef-CreativeML-OpenRAIL-PP-M', 'recognized', 'unknown', '', '', 'unknown'],
    ],
    [
      'stable-diffusion-v1-5/stable-diffusion-v1-5',
      'license: creativeml-openrail-m',
      ['LicenseRef-CreativeML-OpenRAIL-M', 'recognized', 'unknown', '', '', 'unknown'],
    ],
    [
      'stabilityai/sdxl-turbo',
      'license: other\nlicense_name: sai-nc-community\nlicense_link: LICENSE.md',
      ['LicenseRef-Stability-AI-NC-Community', 'recognized', 'unknown', 'version-not-stated', '', 'unknown'],
    ],
    [
      'Kwai-Kolors/Kolors',
      'license: other\nlicense_name: Kolors',
      ['LicenseRef-Kolors', 'recognized', 'unknown', 'version-not-stated', '', 'unknown'],
    ],
    [
      'meta-llama/Llama-3.1-8B-Instruct',
      'license: llama3.1',
      ['LicenseRef-Llama-3.1-Community', 'recognized', 'unknown', '', '', 'unknown'],
    ],
    [
      'google/gemma-3',
      'license: gemma',
      ['LicenseRef-Gemma-Terms', 'recognized', 'unknown', 'version-not-stated', '', 'unknown'],
    ],
    ['briaai/RMBG-2.0', 'license: cc-by-nc-4.0', ['CC-BY-NC-4.0', 'recognized', 'no', '', '', 'unknown']],
    [
      'someone/portrait-lora',
      'license: other\nlicense_name: flux-1-dev-non-commercial-license\nbase_model: black-forest-labs/FLUX.1-dev\nbase_model_relation: adapter\ntags: [lora, diffusers]\ninstance_prompt: <sks>',
      [
        'LicenseRef-FLUX.1-dev-NC',
        'recognized',
        'unknown',
        'version-not-stated',
        'adapter:black-forest-labs/FLUX.1-dev',
        'unknown',
      ],
    ],
    [
      'someone/lora-without-relation',
      'license: mit\nbase_model: black-forest-labs/FLUX.1-dev',
      ['MIT', 'recognized', 'yes', '', 'unknown:black-forest-labs/FLUX.1-dev', 'unknown'],
    ],
    [
      'someone/merge',
      'license: openrail\nbase_model:\n- a/one\n- b/two\nbase_model_relation: merge',
      [null, 'unknown', 'unknown', 'family-only', 'merge:a/one merge:b/two', 'unknown'],
    ],
    [
      'someone/quantized',
      'license: apache-2.0\nbase_model: Qwen/Qwen-Image\nbase_model_relation: quantized',
      ['Apache-2.0', 'recognized', 'yes', '', 'quantized:Qwen/Qwen-Image', 'unknown'],
    ],
    ['a/no-license', 'tags: [a]', [null, 'absent', 'unknown', '', '', 'unknown']],
    ['a/other-without-name', 'license: other', [null, 'unknown', 'unknown', 'placeholder', '', 'unknown']],
    [
      'a/own-name',
      'license: other\nlicense_name: acme-open-license',
      [null, 'unknown', 'unknown', 'unknown-name', '', 'unknown'],
    ],
    [
      'a/contradiction',
      'license: mit\nlicense_name: flux-1-dev-non-commercial-license',
      [null, 'unknown', 'unknown', 'contradiction', '', 'unknown'],
    ],
    ['a/same-twice', 'license: mit\nlicense_name: MIT', ['MIT', 'recognized', 'yes', '', '', 'unknown']],
    [
      'a/list',
      'license: [mit, cc-by-nc-4.0]',
      ['MIT AND CC-BY-NC-4.0', 'recognized', 'unknown', 'list-not-explained', '', 'unknown'],
    ],
    ['a/null', 'license: null\nbase_model:', [null, 'absent', 'unknown', '', '', 'unknown']],
  ])('%s', (name, header, expected) => {
    expect(row(read(name, header).listing)).toEqual(expected);
  });

  it('keeps names and addresses as they stand', () => {
    const { listing } = read(
      'a/b',
      'license: other\nlicense_name: Acme Open License\nlicense_link: https://example.com/L',
    );
    expect(listing.declaredLicense).toMatchObject({
      declared: 'Acme Open License',
      name: 'Acme Open License',
      url: 'https://example.com/L',
    });
  });

  it('reads a data set card', () => {
    const { listing, report } = read(
      'laion/pictures',
      `license: cc-by-4.0
task_categories:
- text-to-image
size_categories:
- 1M<n<10M
source_datasets:
- original
annotations_creators:
- found
pretty_name: Pictures`,
      'hugging-face-dataset',
    );
    expect(listing).toMatchObject({
      kind: 'dataset',
      supplier: 'laion',
      tasks: ['text-to-image'],
      data: { sources: ['original'], collection: 'annotations: found' },
    });
    expect(listing.declaredLicense.spdx).toBe('CC-BY-4.0');
    expect(report.understood).toBe('fully');
  });
});

describe('the report', () => {
  it('says field by field what was understood, where, and why not', () => {
    const header =
      'license: acme\nbase_model: x/y\nbase_model_relation: cousin\nwidget:\n- text: a cat\ndatasets: [d1, d2]';
    const { report } = read('a/b', header);
    expect(report.understood).toBe('partly');
    expect(
      report.fields.map(({ field, place, outcome, as, reason }) => [
        field,
        place.line,
        place.column,
        place.pointer,
        outcome,
        as ?? reason,
      ]),
    ).toEqual([
      ['license', 2, 10, '/license', 'not-understood', 'unknown-name'],
      ['base_model', 3, 13, '/base_model', 'understood', 'bases'],
      ['base_model_relation', 4, 22, '/base_model_relation', 'not-understood', 'unknown-value'],
      ['datasets', 7, 12, '/datasets/0', 'understood', 'datasets'],
      ['datasets', 7, 16, '/datasets/1', 'understood', 'datasets'],
      ['widget', 6, 1, '/widget', 'not-used', null],
    ]);
  });

  it('counts fields beyond its limit', () => {
    const many = Array.from({ length: 600 }, (_, i) => `x${String(i)}: 1`).join('\n');
    const { report } = read('a/b', `license: mit\n${many}`);
    expect(report.fields).toHaveLength(500);
    expect(report.furtherFields).toBe(101);
  });
});
