import { MAX_BYTES_IN_MEMORY } from '../adapters/media-content.js';

/** For tests: a RIFF chunk as it should be, with the byte that fills up an odd length. */
export function riffChunk(id: string, body: Buffer | string): Buffer {
  const bytes = Buffer.from(body as string, 'latin1');
  const header = Buffer.alloc(8);
  header.write(id, 'latin1');
  header.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([header, bytes, Buffer.alloc(bytes.length % 2)]);
}

/** A WAV file of these chunks. */
export function wave(...chunks: readonly Buffer[]): Buffer {
  return riffChunk('RIFF', Buffer.concat([Buffer.from('WAVE', 'latin1'), ...chunks]));
}

/** One channel of 16 bits at 48 kHz. */
export const WAVE_FORMAT = riffChunk(
  'fmt ',
  Buffer.from('0100010080bb000000770100 02001000'.replace(' ', ''), 'hex'),
);

export const WAVE_NOTES = riffChunk('LIST', Buffer.concat([Buffer.from('INFO'), riffChunk('ISFT', 'Test')]));

/** More samples than are worked on in memory, no piece like another. */
export function manySamples(extraBytes = 0): Buffer {
  const samples = Buffer.alloc(MAX_BYTES_IN_MEMORY + extraBytes, 'sample after sample; ');
  for (let at = 0; at + 4 <= samples.length; at += 4096) samples.writeUInt32LE(at, at);
  return samples;
}
