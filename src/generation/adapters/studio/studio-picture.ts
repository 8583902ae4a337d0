/** What every studio operation returns: a complete file without metadata, sRGB. */
export interface StudioPicture {
  readonly bytes: Buffer;
  readonly mediaType: 'image/png' | 'image/jpeg' | 'image/webp' | 'image/avif';
  readonly width: number;
  readonly height: number;
}
