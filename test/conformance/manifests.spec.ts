import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEFAULT_MANIFEST_SETTINGS } from '../../src/provenance/domain/manifest-settings.js';
import { type ChainNode } from '../../src/provenance/domain/media-verifier.port.js';
import { readPacket } from '../../src/provenance/adapters/xmp/write-metadata.js';
import { type MediaFile, SigningWorkshop } from '../../src/provenance/testing/signing-workshop.js';
import { AssetKinds, PROMPT_COMMITMENT } from './asset-kinds.js';
import { OtherReaders } from './other-readers.js';
import { Rubric } from './rubric.js';

/**
 * Every kind of file that the product makes, against the rubric of the conformance programme and in three readers: the
 * binding that writes them, a newer c2pa-rs as WebAssembly, and an implementation that shares no code with it.
 */
const rubric = Rubric.read();
let workshop: SigningWorkshop;
let vendor: SigningWorkshop;
let readers: OtherReaders;
let kinds: AssetKinds;

beforeAll(async () => {
  [workshop, vendor] = await Promise.all([SigningWorkshop.create(), SigningWorkshop.create()]);
  readers = await OtherReaders.open(workshop.anchors.claims);
  kinds = new AssetKinds(workshop, vendor);
});
afterAll(async () => {
  await workshop.close();
  await vendor.close();
});

/** The names are known before the workshop is: the functions behind them are called later. */
const NAMES = Object.keys(new AssetKinds(undefined as never, undefined as never).all);
/** Failures of other readers that say "we do not know this signer" (docs/spec/manifest.md, section on readers). */
const UNKNOWN_SIGNER = /^(signingCredential|cawg\.x509\.credential)\.untrusted$/;

describe.each(NAMES)('%s', (name) => {
  let file: MediaFile;
  beforeAll(async () => {
    file = await (kinds.all[name] as () => Promise<MediaFile>)();
  });

  it('passes every rule of the official rubric', async () => {
    const { crJson } = await readers.inWasm(file.path, file.mediaType);
    const broken = rubric.evaluate(crJson).filter(({ passed }) => !passed);
    expect(broken.map(({ id, reportText }) => `${id}: ${reportText}`)).toEqual([]);
  });

  it('is valid in three readers', async () => {
    const own = await workshop.verify(file);
    expect(own.verdict).toBe('intact_and_trusted');
    const wasm = await readers.inWasm(file.path, file.mediaType);
    expect(wasm.failures.filter((code) => !UNKNOWN_SIGNER.test(code))).toEqual([]);
    expect(['Valid', 'Trusted']).toContain(wasm.state);
    expect(await readers.inTypeScript(file.path, file.mediaType)).toEqual({ isValid: true, failures: [] });
  });
});

describe('what the manifests say', () => {
  const chainOf = async (name: string): Promise<ChainNode> => {
    const file = await (kinds.all[name] as () => Promise<MediaFile>)();
    return (await workshop.verify(file)).chain as ChainNode;
  };
  const labels = (chain: ChainNode): string[] => chain.assertions.map(({ label }) => label);

  it('of a trained model names it as an ingredient and discloses it, and of no other step does', async () => {
    const trained = await chainOf('a step of fal with a trained model');
    expect(trained.ingredients.map(({ title, dataTypes }) => [title, ...dataTypes])).toEqual([
      ['FLUX.1 [schnell]', 'c2pa.types.model'],
      ['A LoRA', 'c2pa.types.model'],
      ['Prompt', 'c2pa.types.generator.prompt'],
    ]);
    expect(trained.ingredients[2]?.metadata).toMatchObject({ 'org.colophon.commitment': PROMPT_COMMITMENT });
    const disclosed = trained.assertions.find(({ label }) => label === 'c2pa.ai-disclosure');
    expect(disclosed).toMatchObject({
      attributedTo: 'created',
      data: {
        modelType: 'c2pa.types.model',
        modelName: 'FLUX.1 [schnell]',
        modelIdentifier: 'pkg:generic/flux-1-schnell?channel=fal&endpoint=fal-ai%2Fflux%2Fschnell',
        contentProfile: { humanOversightLevel: 'prompt_guided' },
      },
    });
    expect(trained.assertions.find(({ label }) => label === 'org.colophon.provider-claims')).toMatchObject({
      attributedTo: 'gathered',
    });
    for (const name of ['a step of the studio', 'a step of the sandbox', 'a human edit', 'an upload'])
      expect(labels(await chainOf(name))).not.toContain('c2pa.ai-disclosure');
  });

  it('about the relationship of what went in follows what was done with it', async () => {
    const edit = await chainOf('a generative edit');
    expect(edit.ingredients.map(({ relationship }) => relationship)).toEqual([
      'parentOf',
      'inputTo',
      'inputTo',
      'inputTo',
      'inputTo',
    ]);
    expect(
      edit.actions.map(({ action, digitalSourceType }) => [action, digitalSourceType?.split('/').at(-1)]),
    ).toEqual([
      ['c2pa.opened', undefined],
      ['c2pa.edited.metadata', undefined],
      ['c2pa.edited', 'compositeWithTrainedAlgorithmicMedia'],
    ]);
  });

  it('keeps the manifest of a vendor as the parent, and says that its signer is unknown', async () => {
    const chain = await chainOf('a step of a vendor that signs itself');
    expect(chain.actions[0]?.action).toBe('c2pa.opened');
    expect(chain.ingredients[0]).toMatchObject({
      relationship: 'parentOf',
      claimGenerator: 'Colophon 0.1.0',
    });
    // Whom we trust is said of each signer, not among the failures.
    expect(chain.ingredients[0]?.signer).toMatchObject({ trustedBy: undefined });
    expect(chain.ingredients[0]?.failures).toEqual([]);
  });

  it('names the organization, and a person only when asked to', async () => {
    const named = async (name: string) =>
      (await chainOf(name)).identities.map((each) => [each.name?.split(' ')[0], ...each.roles]);
    expect(await named('a step of the studio')).toEqual([['Acme', 'cawg.producer']]);
    expect(await named('a human edit')).toEqual([['Acme', 'cawg.producer', 'cawg.editor']]);
    expect(await named('a human edit by a named person')).toEqual([
      ['Acme', 'cawg.producer'],
      ['Ada', 'cawg.editor'],
    ]);
    expect(await named('an upload')).toEqual([]);
  });

  it('never shows a prompt, and marks a picture by everything behind it', async () => {
    const propertyOf = async (name: string, property: string) => {
      const file = await (kinds.all[name] as () => Promise<MediaFile>)();
      const packet = (await readPacket(file.path, file.mediaType))?.toString() ?? '';
      return new RegExp(`:${property}>([^<]*)<`).exec(packet)?.[1]?.split('/').at(-1);
    };
    expect(await propertyOf('a step of fal with a trained model', 'DigitalSourceType')).toBe(
      'trainedAlgorithmicMedia',
    );
    expect(await propertyOf('a cut-out of a generated picture', 'DigitalSourceType')).toBe(
      'compositeWithTrainedAlgorithmicMedia',
    );
    expect(await propertyOf('a human edit', 'DigitalSourceType')).toBe(
      'compositeWithTrainedAlgorithmicMedia',
    );
    expect(await propertyOf('a step of the studio', 'DigitalSourceType')).toBe('algorithmicMedia');
    expect(await propertyOf('a step of fal with a trained model', 'AISystemUsed')).toBe('FLUX.1 [schnell]');
    expect(await propertyOf('a step of fal with a trained model', 'AIPromptInformation')).toBeUndefined();
    const label = (await propertyOf('a step of fal with a trained model', 'AIGC')) ?? '';
    expect(JSON.parse(label.replaceAll('&quot;', '"'))).toMatchObject({
      Label: '1',
      ContentProducer: '001191',
    });
    expect(await propertyOf('a step of the studio', 'AIGC')).toBeUndefined();
    expect(await propertyOf('an upload', 'DigitalSourceType')).toBeUndefined();
  });

  it('about training and mining is what the project wants', async () => {
    const settings = {
      ...DEFAULT_MANIFEST_SETTINGS,
      trainingMining: {
        ...DEFAULT_MANIFEST_SETTINGS.trainingMining,
        aiTraining: { use: 'constrained' as const, constraintInfo: 'With our consent' },
        dataMining: { use: 'allowed' as const },
      },
    };
    const said = async (of: AssetKinds, name: string) => {
      const file = await (of.all[name] as () => Promise<MediaFile>)();
      const { chain } = await workshop.verify(file);
      return chain?.assertions.find(({ label }) => label === 'cawg.training-mining')?.data;
    };
    expect(await said(kinds, 'a step of the studio')).toEqual({
      entries: {
        'cawg.data_mining': { use: 'notAllowed' },
        'cawg.ai_training': { use: 'notAllowed' },
        'cawg.ai_generative_training': { use: 'notAllowed' },
      },
    });
    expect(await said(new AssetKinds(workshop, vendor, { settings }), 'a step of the studio')).toEqual({
      entries: {
        'cawg.data_mining': { use: 'allowed' },
        'cawg.ai_training': { use: 'constrained', constraint_info: 'With our consent' },
        'cawg.ai_generative_training': { use: 'notAllowed' },
      },
    });
    expect(await said(kinds, 'an upload')).toBeUndefined();
  });
});

describe('the gate', () => {
  it('fails with the words of the rule', async () => {
    const file = await (kinds.all['a step of the studio'] as () => Promise<MediaFile>)();
    const { crJson } = await readers.inWasm(file.path, file.mediaType);
    const spoiled = JSON.parse(
      JSON.stringify(crJson)
        .replace('"specVersion":"2.4.0"', '"specVersion":"2.3.0"')
        .replace('"allActionsIncluded":true', '"allActionsIncluded":null')
        .replace('"action":"c2pa.created"', '"action":"c2pa.color_adjustments"'),
    ) as unknown;
    const broken = rubric.evaluate(spoiled).filter(({ passed }) => !passed);
    expect(broken.map(({ reportText }) => reportText)).toEqual(
      expect.arrayContaining([
        "Missing or incorrect 'specVersion' in claim_generator_info: 2.3.0",
        'Missing mandatory allActionsIncluded field in one or more actions assertions',
        'Found deprecated actions: c2pa.color_adjustments (Spec 2.2 §18.14.11, App C.1)',
      ]),
    );
  });

  it('rests on the rubric as it was published', () => {
    const file = new URL('../vectors/c2pa-rubric/asset-rubric-conformance0.2-spec2.4.yml', import.meta.url);
    expect(readFileSync(file, 'utf8')).toHaveLength(25_555);
    expect(rubric.rules).toHaveLength(31);
  });
});
