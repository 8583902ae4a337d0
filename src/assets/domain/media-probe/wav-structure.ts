import { type ByteCursor, countBlock, damaged, trailingData } from './byte-source.js';
import { durationOf } from './film-structure.js';
import { view } from './iso-boxes.js';
import { type MediaShape } from './media-probe.port.js';

/** WAV: one RIFF chunk that says how long it is, in it `fmt ` and then `data`. Manifests live in a `C2PA` chunk. */
export async function checkWav(cursor: ByteCursor, sizeBytes: number): Promise<MediaShape> {
  const end = 8 + view(await cursor.take(12)).getUint32(4, true);
  if (end > sizeBytes) throw damaged('The sound is shorter than it says.');
  let bytesPerSecond: number | undefined;
  let soundBytes: number | undefined;
  for (let blocks = 0; cursor.position + 8 <= end; blocks = countBlock(blocks)) {
    const head = await cursor.take(8);
    const type = String.fromCharCode(...head.subarray(0, 4));
    const length = view(head).getUint32(4, true);
    const start = cursor.position;
    if (start + length > end) throw damaged('A chunk of the WAV is damaged.');
    if (type === 'fmt ') bytesPerSecond = await readFormat(cursor, length);
    if (type === 'data') {
      if (soundBytes !== undefined) throw damaged('The WAV has two sounds.');
      soundBytes = length;
    }
    // A chunk of odd length is followed by one byte of padding.
    cursor.position = Math.min(start + length + (length % 2), end);
  }
  if (bytesPerSecond === undefined || soundBytes === undefined)
    throw damaged('There is no sound in the WAV.');
  cursor.position = end;
  if (!(await cursor.onlyPaddingFollows())) throw trailingData();
  return { kind: 'audio', durationMs: durationOf(soundBytes, bytesPerSecond) };
}

/** WAVEFORMATEX: format (2), channels (2), samples per second (4), bytes per second (4), ... */
async function readFormat(cursor: ByteCursor, length: number): Promise<number> {
  if (length < 16) throw damaged('The WAV does not say how it sounds.');
  const format = view(await cursor.take(16));
  const [channels, samplesPerSecond, bytesPerSecond] = [
    format.getUint16(2, true),
    format.getUint32(4, true),
    format.getUint32(8, true),
  ];
  if (channels === 0 || channels > 64 || samplesPerSecond === 0 || bytesPerSecond === 0) {
    throw damaged('The WAV does not say how it sounds.');
  }
  return bytesPerSecond;
}
