import { describe, expect, it } from '@jest/globals';
import { inputProblem, parameterProblem } from './parameters.js';

describe('parameterProblem', () => {
  it('accepts literal parameters of any JSON type', () => {
    const parameters = {
      prompt: 'https://a.example is what the sign says',
      seed: 1,
      safe: true,
      size: { width: 5 },
      tags: ['a'],
      none: null,
    };
    expect(parameterProblem(parameters)).toBeUndefined();
  });

  it.each([
    ['an unrecorded picture', { image_url: 'https://example.com/a.png' }],
    ['one in a list', { image_urls: ['data:image/png;base64,AAAA'] }],
    ['one inside an object', { options: [{ path: 'https://example.com/style', scale: 1 }] }],
    ['another scheme', { mask: ' S3://bucket/key' }],
    ['one without a scheme', { image_url: '//169.254.169.254/x' }],
    ['one as browsers read it', { image_url: 'https:/example.com/a.png' }],
    ['one with backslashes', { image_url: 'https:\\\\example.com\\a.png' }],
    ['one without slashes', { image_url: 'https:example.com/a.png' }],
    ['one behind a control character', { image_url: '\u0001https://example.com/a.png' }],
    ['one behind an invisible one', { image_url: '\u200bhttps://example.com/a.png' }],
    ['one that is torn apart', { image_urls: ['h\nttps:\t//example.com/a.png'] }],
    ['one of the vendor’s own disk', { image_url: 'file:etc/passwd' }],
    ['one after a comma', { style_images: 'x.png,https://evil.example/a.png' }],
    ['one after a line break', { style_images: 'x.png\n//evil.example/a.png' }],
    ['one after a bar', { reference: 'a|https://evil.example/a.png' }],
    ['one in quotes', { image: '"https://evil.example/a.png"' }],
    ['one in JSON', { config: '{"image_url":"https:\\/\\/evil.example\\/a.png"}' }],
    ['one in a list as a text', { images: '["https://evil.example/a.png"]' }],
    ['one in Markdown', { notes: '![x](https://evil.example/a.png)' }],
    ['one after its name', { src: 'url=https://evil.example/a.png' }],
    ['one in percent codes', { image: '%68ttps%3A%2F%2Fevil.example/a.png' }],
    ['one in percent codes of percent codes', { image: 'https%253A%252F%252Fevil.example' }],
    ['one in codes of JSON', { image: '\\u0068ttps:\\u002f/evil.example' }],
    ['one in wide letters', { image: 'ｈttps：//evil.example/a.png' }],
    ['one with an invisible character', { image: 'ht\u00adtps:\u200b//evil.example/a.png' }],
    ['a data URI after a comma', { image: 'x,data:image/png;base64,AAAA' }],
    ['www', { image: 'www.evil.example' }],
    ['a host with a path', { image: 'evil.example/a.png' }],
    ['a number with a path', { image: '169.254.169.254/a.png' }],
    ['a word where an address belongs', { image_url: 'evil' }],
    ['one inside a prompt that is a picture', { image_prompt: 'x https://evil.example/a.png' }],
  ])('refuses %s, because the provider would fetch it past clearance and record', (_name, parameters) => {
    expect(parameterProblem(parameters)).toContain('holds an address');
  });

  it.each([
    { style: 'realistic/modern' },
    { aspect_ratio: '16:9' },
    { model_strength: 0.5 },
    { note: 'see: a/b' },
    {
      date: '2026-11-30T10:00:00Z',
      color: '#fff / rgb(1, 2, 3)',
      name: 'owner/voice-2.5',
      ratio: '1024x1024',
    },
    { words: 'metadata: yes, profile:x', token: 'QUJD'.repeat(100), file: 'bottle.png' },
    {
      text: 'see https://a.example',
      shots: [{ prompt: 'a sign: https://a.example', negative_prompt_2: 'www.a.example/x' }],
    },
  ])('accepts words that are neither: %j', (parameters) => {
    expect(parameterProblem(parameters)).toBeUndefined();
  });

  it.each([
    ['a PNG', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')],
    ['a JPEG', Buffer.from('ffd8ffe000104a464946', 'hex')],
    ['a film', Buffer.from('000000206674797069736f6d', 'hex')],
    ['a sound', Buffer.from('ID3\u0003')],
    ['a drawing', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
  ])('refuses %s in base64, in every spelling', (_name, head) => {
    const file = Buffer.concat([head, Buffer.alloc(200, 7)]);
    const text = file.toString('base64');
    const lines = text.replace(/.{60}/g, '$&\r\n');
    for (const value of [text, lines, file.toString('base64url'), `base64,${text}`, `["${text}"]`]) {
      expect(parameterProblem({ image: value })).toContain('a file in base64');
      expect(parameterProblem({ options: [{ picture: value }] })).toContain('a file in base64');
    }
  });

  it.each([
    ['not a number', { seed: Number.NaN }],
    ['no JSON value', { seed: 1n }],
    ['a function', { f: () => 1 }],
    ['too large', { prompt: 'x'.repeat(300_000) }],
  ])('refuses %s', (_name, parameters) => {
    expect(parameterProblem(parameters)).toBeDefined();
  });

  it.each([
    ['a LoRA by its name', { lora_weights: 'fofr/flux-mona-lisa' }],
    ['another checkpoint', { ckpt_name: 'sd.safetensors' }],
    ['a LoRA inside a list', { loras: [{ path: 'owner/style' }] }],
    ['another model', { model: 'bria-rmbg' }],
    ['another model by its repository', { model_name: 'owner/other' }],
    ['a model beside the model', { upscale_model: '4x' }],
    ['a control model', { controlnets: [{ scale: 1 }] }],
    ['another decoder', { vae_path: 'owner/vae' }],
  ])('refuses %s: these weights were not cleared', (_name, parameters) => {
    expect(parameterProblem(parameters)).toContain('weights that were not cleared');
  });

  it.each([
    'style_id',
    'style_ids',
    'styleId',
    'style_reference',
    'style_reference_id',
    'character_id',
    'characterReference',
    'voice_id',
    'custom_voice',
    'finetune_id',
    'finetune',
    'reference_id',
    'element_ids',
    'image_id',
    'video_id',
    'previous_response_id',
    'avatar_id',
    'avatar',
    'adapters',
    'easycontrols',
    'hypernetwork',
    'civitai_id',
    'hf_repo',
    'id',
    'uuid',
    'imageUUID',
  ])('refuses what lies with the vendor and was not cleared: %s', (name) => {
    expect(parameterProblem({ [name]: '0f8fad5b' })).toContain('neither cleared nor recorded');
    expect(parameterProblem({ settings: [{ [name]: '0f8fad5b' }] })).toContain(
      'neither cleared nor recorded',
    );
  });

  it.each([
    'style',
    'voice',
    'character',
    'grid',
    'fluid',
    'android',
    'user_id',
    'request_id',
    'language_id',
    'style_reference_strength',
    'image_size',
    'identity_scale',
    'wide',
    'avoid',
  ])('accepts %s, which names nothing there', (name) => {
    expect(parameterProblem({ [name]: 'x' })).toBeUndefined();
  });

  it('refuses several files at once, which would be paid for and lost', () => {
    expect(parameterProblem({ num_images: 2 })).toBe('num_images must be 1: a step makes one file');
    for (const name of [
      'max_images',
      'num_samples',
      'samples',
      'num_images_per_prompt',
      'num_videos',
      'num_return_sequences',
      'quantity',
      'batchCount',
    ])
      expect(parameterProblem({ [name]: 6 })).toBe(`${name} must be 1: a step makes one file`);
    for (const name of [
      'num_inference_steps',
      'num_frames',
      'image_size',
      'max_tokens',
      'do_sample',
      'output_quality',
    ])
      expect(parameterProblem({ [name]: 6 })).toBeUndefined();
    expect(parameterProblem({ n: 1 })).toBeUndefined();
  });

  it.each([
    { options: { num_images: 4 } },
    { config: { n: 4 } },
    { settings: [{ num_outputs: 9 }] },
    { variations: 4 },
    { outputs: '4' },
    { takes: 4 },
    { images: 4 },
    { variants: 4 },
    { candidates: 4 },
    { num_img: 4 },
    { num_imgs: 4 },
    { numPictures: 4 },
    { n_iter: 4 },
    { generations: 4 },
    { repeat: 4 },
    { amount: 4 },
    { count_of_images: 4 },
    { num_image_sets: 4 },
    { NUM_IMAGES: 4 },
    { numimages: 4 },
    { images_per_prompt: 2 },
    { num_seeds: 3 },
    { num_new_things: 3 },
    { num_images: { value: 4 } },
    { outputs: [4] },
  ])('knows a number of files by what its name says, at any depth: %j', (parameters) => {
    expect(parameterProblem(parameters)).toContain('must be 1: a step makes one file');
  });

  it.each([
    { num_inference_steps: 28, num_frames: 81, max_sequence_length: 512, max_shift: 1.15, num_speakers: 2 },
    { variation: 0.3, images: ['red', 'blue'], repeat: false, outputs: { format: 'png' }, version: 9 },
    { image_size: 5, sample_steps: 30, nsfw: 4, batch_size: 1, n_prompt: 'no text', output_quality: 90 },
  ])('lets other numbers be: %j', (parameters) => {
    expect(parameterProblem(parameters)).toBeUndefined();
  });

  it('refuses deep nesting instead of following it', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    expect(parameterProblem(cyclic)).toBe('the parameters are nested too deeply');
  });
});

describe('inputProblem', () => {
  const picture = { kind: 'image' } as const;

  it('accepts plain names and refuses odd, doubled and too many ones', () => {
    const two = { image_url: picture, mask_url: picture };
    expect(inputProblem({ prompt: 'x' }, two, ['image'])).toBeUndefined();
    expect(inputProblem({}, { '../x': picture }, ['image'])).toBeDefined();
    expect(inputProblem({ image_url: 1 }, { image_url: picture }, ['image'])).toContain('given twice');
    const many = Object.fromEntries(
      Array.from({ length: 17 }, (_unused, index) => [`image_${index}`, picture]),
    );
    expect(inputProblem({}, many, ['image'])).toContain('more than 16');
  });

  it('says which file is of the wrong kind', () => {
    expect(inputProblem({}, { image: { kind: 'video' } }, ['image'])).toBe(
      'image is a video, which this endpoint does not take',
    );
  });
});
