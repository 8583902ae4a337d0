const SAMPLES_PER_SECOND = 8000;
const NOTE_SAMPLES = 2000;
/** Semitones of a pentatonic scale: any order of them sounds like a tune. */
const SCALE = [0, 2, 4, 7, 9, 12] as const;
const BASE_HERTZ = 220;
const AMPLITUDE = 6000;
const HEADER_BYTES = 44;

/**
 * A short tune, the same for the same digest. WAV (RIFF, PCM, 16 bit, mono, 8 kHz), a quarter of a second per note.
 * @param digest at least as many bytes as notes
 */
export function renderSandboxSound(digest: Buffer, notes: number): Buffer {
  const samples = Buffer.alloc(notes * NOTE_SAMPLES * 2);
  for (let index = 0; index < notes * NOTE_SAMPLES; index += 1) {
    const note = Math.floor(index / NOTE_SAMPLES);
    const semitone = SCALE[(digest[note % digest.length] ?? 0) % SCALE.length] ?? 0;
    const hertz = BASE_HERTZ * 2 ** (semitone / 12);
    // A triangle wave needs nothing but arithmetic, so it is the same on every machine.
    const phase = ((index % NOTE_SAMPLES) * hertz) / SAMPLES_PER_SECOND;
    const wave = 4 * Math.abs(phase - Math.floor(phase + 0.5)) - 1;
    const fade = 1 - (index % NOTE_SAMPLES) / NOTE_SAMPLES;
    samples.writeInt16LE(Math.round(AMPLITUDE * wave * fade), index * 2);
  }
  return Buffer.concat([header(samples.length), samples]);
}

function header(dataBytes: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(HEADER_BYTES - 8 + dataBytes, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(SAMPLES_PER_SECOND, 24);
  bytes.writeUInt32LE(SAMPLES_PER_SECOND * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(dataBytes, 40);
  return bytes;
}
