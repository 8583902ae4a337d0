import clip from './sandbox-clip.json' with { type: 'json' };

/**
 * A second of video. The pictures are always the same; the digest follows in a box of the type `free`, which players
 * skip (ISO/IEC 14496-12, section 8.1.2), so that different requests give different files.
 */
export function renderSandboxClip(digest: Buffer): Buffer {
  const box = Buffer.alloc(8 + digest.length);
  box.writeUInt32BE(box.length, 0);
  box.write('free', 4, 'latin1');
  digest.copy(box, 8);
  return Buffer.concat([Buffer.from(clip.base64, 'base64'), box]);
}
