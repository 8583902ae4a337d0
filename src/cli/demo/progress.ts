const FRAMES = [
  '\u280b',
  '\u2819',
  '\u2839',
  '\u2838',
  '\u283c',
  '\u2834',
  '\u2826',
  '\u2827',
  '\u2807',
  '\u280f',
];
const FRAME_MS = 90;
const DEFAULT_COLUMNS = 100;
const TITLE_WIDTH = 46;

const STYLES = { green: 32, red: 31, dim: 2, bold: 1 } as const;

/** What a step can say while it works, and when it is done. */
export interface StepDisplay {
  detail(text: string): void;
}

/**
 * The steps of a long command, one line each: with a spinner and the running time on a terminal, as plain lines when
 * the output goes to a file.
 */
export class Progress {
  private readonly startedAtMs = performance.now();
  private readonly live: boolean;
  private readonly colored: boolean;
  private abandoned = false;

  constructor(private readonly stream: NodeJS.WriteStream) {
    this.live = stream.isTTY;
    this.colored = stream.isTTY && process.env.NO_COLOR === undefined;
  }

  /** Shows one step while it works. Its last detail stays beside it. */
  async step<T>(title: string, work: (display: StepDisplay) => Promise<T>): Promise<T> {
    const startedAtMs = performance.now();
    let detail = '';
    let frame = 0;
    const draw = (): void => {
      if (this.abandoned) return;
      const sign = FRAMES[frame++ % FRAMES.length] ?? '';
      this.stream.write(`\r\x1b[K${this.line(sign, title, detail, performance.now() - startedAtMs)}`);
    };
    const timer = this.live ? setInterval(draw, FRAME_MS) : undefined;
    this.cursor('hide');
    try {
      if (this.live) draw();
      const result = await work({ detail: (text) => (detail = text) });
      this.end(this.style('green', '\u2713'), title, detail, startedAtMs);
      return result;
    } catch (error) {
      this.end(this.style('red', '\u2717'), title, detail, startedAtMs);
      throw error;
    } finally {
      clearInterval(timer);
      this.cursor('show');
    }
  }

  /** A line between the steps. */
  heading(text: string): void {
    this.stream.write(`\n${this.style('bold', text)}\n`);
  }

  print(text: string): void {
    this.stream.write(`${text}\n`);
  }

  style(name: keyof typeof STYLES, text: string): string {
    return this.colored ? `\x1b[${STYLES[name]}m${text}\x1b[0m` : text;
  }

  /** Shows nothing from now on: what is still at work is being torn down and fails for that reason only. */
  abandon(): void {
    this.cursor('show');
    this.abandoned = true;
    if (this.live) this.stream.write('\n');
  }

  get elapsedSeconds(): number {
    return (performance.now() - this.startedAtMs) / 1000;
  }

  private cursor(state: 'hide' | 'show'): void {
    if (this.live && !this.abandoned) this.stream.write(state === 'hide' ? '\x1b[?25l' : '\x1b[?25h');
  }

  private end(sign: string, title: string, detail: string, startedAtMs: number): void {
    if (this.abandoned) return;
    const line = this.line(sign, title, detail, performance.now() - startedAtMs);
    this.stream.write(`${this.live ? '\r\x1b[K' : ''}${line}\n`);
  }

  private line(sign: string, title: string, detail: string, elapsedMs: number): string {
    const time = `${(elapsedMs / 1000).toFixed(1)} s`.padStart(7);
    // A live line that wraps could not be drawn over.
    const room =
      (this.live ? this.stream.columns || DEFAULT_COLUMNS : Infinity) - TITLE_WIDTH - time.length - 7;
    const shown = detail.length > room ? `${detail.slice(0, Math.max(0, room - 1))}\u2026` : detail;
    return ` ${sign} ${title.padEnd(TITLE_WIDTH)} ${time}  ${this.style('dim', shown)}`.trimEnd();
  }
}

/** Lines in a box as wide as the longest of them. */
export function box(lines: readonly string[]): string {
  const width = Math.max(...lines.map((line) => line.length));
  return [
    `\u250c${'\u2500'.repeat(width + 2)}\u2510`,
    ...lines.map((line) => `\u2502 ${line.padEnd(width)} \u2502`),
    `\u2514${'\u2500'.repeat(width + 2)}\u2518`,
  ].join('\n');
}
