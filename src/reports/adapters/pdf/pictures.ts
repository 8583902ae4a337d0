import { type DossierPicture } from '../../domain/dossier.js';
import { type Paper } from './paper.js';
import { COLORS, STYLES } from './theme.js';

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** In the middle of the area; otherwise in its upper left corner. */
  readonly centered?: boolean;
}

/** Pictures by asset. Each is embedded once, however often it is shown. */
export class Pictures {
  private readonly opened = new Map<string, PDFKit.Mixins.ImageSrc | undefined>();
  private readonly sources: ReadonlyMap<string, DossierPicture>;

  constructor(
    private readonly paper: Paper,
    pictures: readonly DossierPicture[],
  ) {
    this.sources = new Map(pictures.map((picture) => [picture.assetId, picture]));
  }

  has(assetId: string): boolean {
    return this.open(assetId) !== undefined;
  }

  /** Draws into an area, whole and undistorted; says so where there is no picture. @returns the part that is covered */
  draw(assetId: string, area: Area): Area {
    const { doc } = this.paper;
    const image = this.open(assetId);
    const source = this.sources.get(assetId);
    if (image === undefined || source === undefined) {
      doc.rect(area.x, area.y, area.width, area.height).fill(COLORS.shade);
      this.paper.line('no picture', area.x + 6, area.y + area.height / 2 - 6, STYLES.small);
      return area;
    }
    const scale = Math.min(area.width / source.width, area.height / source.height);
    const [width, height] = [source.width * scale, source.height * scale];
    const x = area.x + (area.centered === true ? (area.width - width) / 2 : 0);
    const y = area.y + (area.centered === true ? (area.height - height) / 2 : 0);
    const covered = { x, y, width, height };
    doc.rect(x, y, width, height).fill(COLORS.shade);
    doc.image(image, covered.x, covered.y, { width, height });
    return covered;
  }

  private open(assetId: string): PDFKit.Mixins.ImageSrc | undefined {
    if (this.opened.has(assetId)) return this.opened.get(assetId);
    const image = this.decode(assetId);
    this.opened.set(assetId, image);
    return image;
  }

  private decode(assetId: string): PDFKit.Mixins.ImageSrc | undefined {
    const source = this.sources.get(assetId);
    if (!source || source.width < 1 || source.height < 1) return undefined;
    const { doc } = this.paper as unknown as { doc: { openImage(bytes: Buffer): DecodedImage } };
    try {
      const image = doc.openImage(source.bytes);
      // CMYK has no place in a document whose output intent is sRGB (PDF/A-3, ISO 19005-3 section 6.2.4).
      return image.colorSpace === 'DeviceCMYK' ? undefined : (image as unknown as PDFKit.Mixins.ImageSrc);
    } catch {
      return undefined;
    }
  }
}

interface DecodedImage {
  readonly colorSpace?: string;
}
