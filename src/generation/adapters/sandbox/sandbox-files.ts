import { type Operation, OPERATION_FACTS } from '../../domain/operation.js';
import { sandboxImageParameters, renderTestCard, type SandboxFormat } from './sandbox-image.js';
import { renderSandboxClip } from './sandbox-clip.js';
import { renderSandboxModel } from './sandbox-model.js';
import { renderSandboxSound } from './sandbox-sound.js';

const NOTES = { speak: 2, 'compose-music': 12 } as const;

/** What a file is drawn from. Nothing of the text can be read from it. */
export interface SandboxDrawing {
  readonly operation: Operation;
  readonly digest: Buffer;
  readonly width: number;
  readonly height: number;
  /** Of a picture. */
  readonly format: SandboxFormat;
}

const DEFAULT_SHAPE = {
  ...sandboxImageParameters.pick({ width: true, height: true }).parse({}),
  format: 'png',
} as const;

/** A small valid file of the kind that the operation makes; the same for the same drawing. */
export async function renderSandboxFile(drawing: SandboxDrawing): Promise<Buffer> {
  switch (OPERATION_FACTS[drawing.operation].makes) {
    case 'image':
      return (await renderTestCard(drawing.digest, drawing)).bytes;
    case 'video':
      return renderSandboxClip(drawing.digest);
    case 'audio':
      return renderSandboxSound(
        drawing.digest,
        NOTES[drawing.operation === 'speak' ? 'speak' : 'compose-music'],
      );
    case 'model3d':
      return renderSandboxModel(drawing.digest);
  }
}

/** Bytes that no decoder takes: derived from the digest, too, and without a magic number. */
export function sandboxGarbage(digest: Buffer): Buffer {
  return Buffer.from(`not a media file ${digest.toString('hex')}\n`);
}

/** A good file of another kind than was asked for. */
export function sandboxFileOfOtherKind({ operation, digest }: SandboxDrawing): Promise<Buffer> {
  const other = OPERATION_FACTS[operation].makes === 'image' ? 'speak' : 'generate';
  return renderSandboxFile({ operation: other, digest, ...DEFAULT_SHAPE });
}
