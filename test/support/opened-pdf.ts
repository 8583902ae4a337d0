import { inflateSync } from 'node:zlib';

/** A PDF opened far enough to read what is on its pages: objects, streams, and glyphs back to characters. */
export class OpenedPdf {
  readonly raw: string;
  private readonly objects = new Map<string, { head: string; stream: Buffer | undefined }>();

  constructor(bytes: Buffer) {
    this.raw = bytes.toString('latin1');
    for (const [, id = '', body = ''] of this.raw.matchAll(/\n(\d+) 0 obj\n([\s\S]*?)\nendobj/g)) {
      const start = body.indexOf('stream\n');
      const head = start < 0 ? body : body.slice(0, start);
      const data =
        start < 0 ? undefined : Buffer.from(body.slice(start + 7, body.lastIndexOf('\nendstream')), 'latin1');
      const stream = data && head.includes('FlateDecode') ? inflateSync(data) : data;
      this.objects.set(id, { head, stream });
    }
  }

  attachment(): Buffer | undefined {
    return [...this.objects.values()].find(({ head }) => head.includes('/EmbeddedFile'))?.stream;
  }

  get pageCount(): number {
    return [...this.objects.values()].filter(({ head }) => /\/Type \/Page\n/.test(head)).length;
  }

  /** Everything that is printed, line by line as it was drawn. */
  text(): string {
    const lines: string[] = [];
    for (const { head } of this.objects.values()) {
      if (!/\/Type \/Page\n/.test(head)) continue;
      const fonts = this.fontsOf(head);
      const contents = this.stream(/\/Contents (\d+) 0 R/.exec(head)?.[1]).toString('latin1');
      let font = '';
      for (const [, name, array = ''] of contents.matchAll(
        /\/(F\d+) [\d.]+ Tf|\[((?:<[0-9a-f]*>|[-\d. ])*)\] TJ/g,
      )) {
        if (name !== undefined) font = name;
        else lines.push(this.decode(array, fonts.get(font) ?? []));
      }
    }
    return lines.join('\n');
  }

  private fontsOf(page: string): Map<string, string[]> {
    const inlined = /\/Resources (\d+) 0 R/.exec(page);
    const resources = inlined ? (this.objects.get(inlined[1] ?? '')?.head ?? '') : page;
    const fonts = new Map<string, string[]>();
    for (const [, name = '', id = ''] of resources.matchAll(/\/(F\d+) (\d+) 0 R/g)) {
      const toUnicode = /\/ToUnicode (\d+) 0 R/.exec(this.objects.get(id)?.head ?? '')?.[1];
      const map = this.stream(toUnicode).toString('latin1');
      const characters = [...map.matchAll(/<[0-9a-f]{4}> <[0-9a-f]{4}> \[([^\]]*)\]/g)].flatMap(
        ([, list = '']) =>
          [...list.matchAll(/<([0-9a-f ]*)>/g)].map(([, hex = '']) =>
            hex
              .split(' ')
              .map((unit) => String.fromCharCode(parseInt(unit, 16)))
              .join(''),
          ),
      );
      fonts.set(name, characters);
    }
    return fonts;
  }

  private decode(array: string, characters: readonly string[]): string {
    const hex = [...array.matchAll(/<([0-9a-f]*)>/g)].map(([, part = '']) => part).join('');
    return (hex.match(/.{4}/g) ?? []).map((glyph) => characters[parseInt(glyph, 16)] ?? '?').join('');
  }

  private stream(id: string | undefined): Buffer {
    return this.objects.get(id ?? '')?.stream ?? Buffer.alloc(0);
  }
}
