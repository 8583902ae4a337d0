/** A report every so often: a screen is not a log file. */
const INTERVAL_MS = 500;

/** Tells on stderr how far a walk along a log has come; on a terminal in one line that is gone at the end. */
export class EntryProgress {
  private shownAtMs = Date.now();

  readonly show = ({ entries, size }: { readonly entries: number; readonly size: number }): void => {
    if (Date.now() - this.shownAtMs < INTERVAL_MS) return;
    this.shownAtMs = Date.now();
    const percent = Math.floor((entries / size) * 100);
    const line = `${entries} of ${size} entries (${percent} %)`;
    process.stderr.write(process.stderr.isTTY ? `\r${line}` : `${line}\n`);
  };

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}
