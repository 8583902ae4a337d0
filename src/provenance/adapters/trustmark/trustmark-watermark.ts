import { fork } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sharp } from '../../../assets/adapters/libvips.js';
import { ColophonError } from '../../../shared/errors.js';
import { type Watermark } from '../../domain/watermark.port.js';
import { PAYLOAD_BITS, type TrustmarkAnswer, type TrustmarkTask, VARIANT } from './trustmark-protocol.js';

export interface TrustmarkOptions {
  /** Holds `encoder_P.onnx` and `decoder_P.onnx`, put there by the operator. */
  readonly modelsFolder: string;
  readonly childModuleUrl?: URL;
  readonly childExecArgv?: readonly string[];
  readonly deadlineMs?: number;
}

/** The same limit by which the binding takes a file for a model. */
const MIN_MODEL_BYTES = 10 * 1024 * 1024;
const DEADLINE_MS = 120_000;
/** Between how much is seen and how much survives; the default of the library's own tools. */
const STRENGTH = 0.95;
/** No port is open there: whatever the library wants to fetch, it cannot. */
const NOWHERE = 'http://127.0.0.1:9';

/**
 * TrustMark by the C2PA binding, with models that the operator installed. Nothing is ever downloaded: a missing model
 * is refused before the binding is loaded, and the child process in which it runs has no way to the network.
 */
export class TrustmarkWatermark implements Watermark {
  readonly algorithm = `com.adobe.trustmark.${VARIANT}`;
  readonly payloadBits = PAYLOAD_BITS;

  constructor(private readonly options: TrustmarkOptions) {}

  /** @throws ColophonError `watermark_unavailable`, naming what is missing */
  async requireModels(): Promise<void> {
    for (const name of [`encoder_${VARIANT}.onnx`, `decoder_${VARIANT}.onnx`]) {
      const found = await stat(join(this.options.modelsFolder, name)).catch(() => undefined);
      if (found === undefined || !found.isFile())
        throw unavailable(`The TrustMark model ${name} is missing from COLOPHON_TRUSTMARK_MODELS.`);
      if (found.size < MIN_MODEL_BYTES)
        throw unavailable(`The TrustMark model ${name} is too small to be one: it may have been cut off.`);
    }
  }

  async embed(path: string, bits: string): Promise<Buffer> {
    if (!/^[01]+$/.test(bits) || bits.length !== PAYLOAD_BITS)
      throw new ColophonError('internal', `A mark carries exactly ${String(PAYLOAD_BITS)} bits.`);
    await this.requireModels();
    const { width, height, hasAlpha } = await sharp(path).metadata();
    if (hasAlpha)
      throw new ColophonError('unsupported_media', 'A picture with transparency cannot be watermarked.');
    const folder = await mkdtemp(join(tmpdir(), 'colophon-trustmark-'));
    try {
      const destinationPath = join(folder, 'pixels');
      const { modelsFolder } = this.options;
      await this.ask({ task: 'embed', modelsFolder, path, bits, strength: STRENGTH, destinationPath });
      const pixels = await readFile(destinationPath);
      return await sharp(pixels, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async detect(path: string): Promise<string | undefined> {
    await this.requireModels();
    const { modelsFolder } = this.options;
    return (await this.ask({ task: 'detect', modelsFolder, path })) ?? undefined;
  }

  private async ask(task: TrustmarkTask): Promise<string | null> {
    const answer = await this.inChild(task);
    if ('bits' in answer) return answer.bits;
    throw unavailable('The TrustMark models cannot be used.', new Error(answer.failed));
  }

  /** A process of its own for each task, ended at the latest with the deadline. */
  private inChild(task: TrustmarkTask): Promise<TrustmarkAnswer> {
    const { childModuleUrl = new URL('./trustmark-child.js', import.meta.url), childExecArgv = [] } =
      this.options;
    const child = fork(fileURLToPath(childModuleUrl), [], {
      execArgv: [...childExecArgv],
      env: { HTTPS_PROXY: NOWHERE, HTTP_PROXY: NOWHERE, ALL_PROXY: NOWHERE },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    return new Promise((resolve) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), this.options.deadlineMs ?? DEADLINE_MS);
      const settle = (answer: TrustmarkAnswer): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      child.once('message', (answer) => settle(answer as TrustmarkAnswer));
      child.once('error', (error) => settle({ failed: error.message }));
      child.once('exit', () => settle({ failed: 'the process ended without an answer' }));
      child.send(task);
    });
  }
}

function unavailable(detail: string, cause?: unknown): ColophonError {
  return new ColophonError('watermark_unavailable', detail, { cause });
}
