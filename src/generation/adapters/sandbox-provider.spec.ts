import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { describeProviderContract } from '../../../test/fakes/provider-contract.js';
import { sharp } from '../../assets/adapters/libvips.js';
import { SharpMediaProbe } from '../../assets/adapters/sharp-media-probe.js';
import { SANDBOX_OPERATIONS } from '../domain/offering.js';
import { type Operation } from '../domain/operation.js';
import { OutcomeUnknownError, type ProviderRequest } from '../domain/provider.port.js';
import { SandboxProvider } from './sandbox-provider.js';

const PICTURE = { path: '/nowhere', mediaType: 'image/png', kind: 'image', sha256: 'a'.repeat(64) } as const;

function request(
  operation: Operation = 'generate',
  text = 'a bottle',
  parameters: object = {},
): ProviderRequest {
  return {
    stepRunId: randomUUID(),
    operation,
    endpoint: operation,
    parameters: { prompt: text, width: 256, height: 256, ...parameters },
    inputs: operation === 'edit' || operation === 'animate' ? { image: PICTURE } : {},
  };
}
async function fileOf(asked: ProviderRequest): Promise<Buffer> {
  const outcome = await new SandboxProvider().submit(asked);
  const [output] = outcome.kind === 'completed' ? outcome.outputs : [];
  if (output?.kind !== 'bytes') throw new Error(JSON.stringify(outcome));
  return output.bytes;
}

describeProviderContract('sandbox', () =>
  Promise.resolve({
    provider: new SandboxProvider(),
    validRequest: request('generate', 'A SECRET bottle'),
    refusedRequest: request('generate', 'A SECRET bottle, sandbox:fail-upstream'),
    secretText: 'SECRET',
    charges: () => 0,
    stop: () => Promise.resolve(),
  }),
);

describe('the sandbox', () => {
  it.each(SANDBOX_OPERATIONS)(
    'plays %s with the same file each time, and another one for other words',
    async (operation) => {
      const [first, same, other] = await Promise.all([
        fileOf(request(operation)),
        fileOf(request(operation)),
        fileOf(request(operation, 'a jar')),
      ]);
      expect(first.equals(same)).toBe(true);
      expect(first.equals(other)).toBe(false);
      expect(first.byteLength).toBeLessThan(60_000);
    },
  );

  it.each([
    ['png', 'image/png'],
    ['jpg', 'image/jpeg'],
    ['JPEG', 'image/jpeg'],
    ['webp', 'image/webp'],
  ])('draws %s where it is asked for, also in a job that takes a while', async (word, mediaType) => {
    const asked = { output_format: word };
    const drawn = await sharp(await fileOf(request('generate', 'a bottle', asked))).metadata();
    expect(`image/${drawn.format}`).toBe(mediaType);
    const start = new Date('2026-11-24T10:00:00Z');
    const slow = await new SandboxProvider({ now: () => start }).submit(
      request('generate', 'sandbox:slow', asked),
    );
    const upstreamId = slow.kind === 'accepted' ? slow.upstreamId : '';
    const later = new SandboxProvider({ now: () => new Date(start.getTime() + 60_000) });
    const ended = await later.poll({ endpoint: 'generate', upstreamId });
    const [output] = ended.kind === 'completed' ? ended.outputs : [];
    const bytes = output?.kind === 'bytes' ? output.bytes : Buffer.alloc(0);
    expect(`image/${(await sharp(bytes).metadata()).format}`).toBe(mediaType);
  });

  it('refuses a type of picture that it does not draw, and plays sounds and films as it can', () => {
    const problem = (operation: Operation) =>
      new SandboxProvider().problemWith(request(operation, 'a', { output_format: 'avif' }));
    expect(problem('generate')).toBe('parameters.output_format: the sandbox draws png, jpeg, jpg, webp');
    expect(problem('edit')).toContain('output_format');
    expect(problem('speak')).toBeUndefined();
  });

  it('edits another picture into another one', async () => {
    const inputs = { image: { ...PICTURE, sha256: 'b'.repeat(64) } };
    const [one, other] = [await fileOf(request('edit')), await fileOf({ ...request('edit'), inputs })];
    expect(one.equals(other)).toBe(false);
  });

  it('speaks the words of "text", and sings those of "lyrics"', async () => {
    const spoken = { ...request('speak'), parameters: { text: 'hello' } };
    expect(new SandboxProvider().problemWith(spoken)).toBeUndefined();
    const sung = { ...request('compose-music'), parameters: { prompt: 'slow', lyrics: 'la la' } };
    expect((await fileOf(sung)).byteLength).toBeGreaterThan((await fileOf(spoken)).byteLength);
  });

  it('makes a WAV whose length is what its header says', async () => {
    const wav = await fileOf(request('speak'));
    expect(wav.toString('latin1', 0, 4) + wav.toString('latin1', 8, 16)).toBe('RIFFWAVEfmt ');
    expect([wav.readUInt32LE(4), wav.readUInt32LE(40)]).toEqual([wav.length - 8, wav.length - 44]);
  });

  it('makes a GLB whose chunks fill it, and whose numbers agree', async () => {
    const glb = await fileOf(request('generate-3d'));
    expect([glb.toString('latin1', 0, 4), glb.readUInt32LE(4), glb.readUInt32LE(8)]).toEqual([
      'glTF',
      2,
      glb.length,
    ]);
    const jsonBytes = glb.readUInt32LE(12);
    const document = JSON.parse(glb.toString('utf8', 20, 20 + jsonBytes)) as {
      buffers: { byteLength: number }[];
      asset: { generator: string };
    };
    expect(document.asset.generator).toContain('no AI');
    const binaryAt = 20 + jsonBytes;
    expect(glb.readUInt32LE(binaryAt)).toBe(document.buffers[0]?.byteLength);
    expect(binaryAt + 8 + glb.readUInt32LE(binaryAt)).toBe(glb.length);
  });

  it('makes an MP4 whose boxes fill it', async () => {
    const mp4 = await fileOf(request('generate-video'));
    const boxes: string[] = [];
    for (let at = 0; at < mp4.length; at += mp4.readUInt32BE(at))
      boxes.push(mp4.toString('latin1', at + 4, at + 8));
    expect(boxes).toEqual(expect.arrayContaining(['ftyp', 'moov', 'mdat', 'free']));
    expect(boxes[0]).toBe('ftyp');
  });

  it.each([
    ['sandbox:fail-upstream', 'upstream_error'],
    ['sandbox:fail-timeout', 'upstream_timeout'],
    ['sandbox:refuse-content', 'upstream_error'],
  ])('%s fails definitely: %s', async (word, code) => {
    for (let time = 0; time < 2; time += 1)
      expect(await new SandboxProvider().submit(request('speak', word))).toMatchObject({
        kind: 'failed',
        code,
      });
  });

  it.each(['sandbox:outcome-unknown', 'sandbox:timeout'])('%s loses its answer', async (word) => {
    await expect(new SandboxProvider().submit(request('generate', word))).rejects.toBeInstanceOf(
      OutcomeUnknownError,
    );
  });

  it('gives nothing, garbage, half a file and the wrong kind, as the media check will find', async () => {
    const probe = new SharpMediaProbe();
    const probed = async (word: string) => probe.probe({ bytes: await fileOf(request('generate', word)) });
    await expect(probed('sandbox:garbage')).resolves.toMatchObject({ kind: 'text' });
    await expect(probed('sandbox:truncated')).rejects.toMatchObject({ code: 'media_corrupt' });
    expect((await fileOf(request('generate', 'sandbox:wrong-kind'))).toString('latin1', 0, 4)).toBe('RIFF');
    expect(await new SandboxProvider().submit(request('generate', 'sandbox:empty'))).toMatchObject({
      outputs: [],
    });
  });

  it('is slow by its own clock, says how far it is, and ends with the file of the request', async () => {
    let now = new Date('2026-11-22T10:00:00Z');
    const sandbox = new SandboxProvider({ now: () => now });
    const submitted = await sandbox.submit(request('speak', 'sandbox:slow'));
    if (submitted.kind !== 'accepted') throw new Error('not accepted');
    expect(submitted.upstreamId).toMatch(/^[A-Za-z0-9_-]{1,128}$/);
    const job = { endpoint: 'speak', upstreamId: submitted.upstreamId };
    expect(await sandbox.poll(job)).toEqual({ kind: 'running', progress: 0 });
    now = new Date('2026-11-22T10:00:01.500Z');
    expect(await sandbox.poll(job)).toEqual({ kind: 'running', progress: 0.5 });
    now = new Date('2026-11-22T10:00:03Z');
    // Another process knows as much of it.
    const ended = await new SandboxProvider({ now: () => now }).poll(job);
    expect(ended).toMatchObject({ kind: 'completed' });
    expect(await sandbox.poll(job)).toEqual(ended);
    await expect(sandbox.poll({ endpoint: 'speak', upstreamId: 'other' })).rejects.toThrow('not a job');
  });

  it.each([
    ['cut-out', {}, 'does not play'],
    ['edit', { inputs: {} }, 'needs a picture'],
    ['animate', { inputs: { voice: { kind: 'audio' } } }, 'needs a picture'],
    ['generate', { parameters: {} }, 'parameters.prompt'],
    ['generate', { parameters: { prompt: 'x', width: 100_000 } }, 'parameters.width'],
  ] as const)('refuses %s when something is wrong', (operation, extra, words) => {
    expect(new SandboxProvider().problemWith({ ...request(operation), ...extra })).toContain(words);
  });
});
