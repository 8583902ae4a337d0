import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

/** What the witness remembers of one log: the checkpoint that it cosigned last. */
export interface SeenTree {
  readonly size: number;
  readonly root: Buffer;
  /** The checkpoint as submitted, with our cosignature. */
  readonly note: string;
}

const StateFile = z.record(
  z.string(),
  z.object({ size: z.int().min(0), root: z.string(), note: z.string() }),
);

/**
 * Last trees by origin, in memory or in a file. Reading, checking and writing happen in one turn of the event loop, so
 * check-and-persist is atomic within the one process that owns the file.
 */
export class WitnessState {
  readonly #trees = new Map<string, SeenTree>();

  constructor(private readonly file?: string) {
    if (file === undefined || !existsSync(file)) return;
    const saved = StateFile.parse(JSON.parse(readFileSync(file, 'utf8')));
    for (const [origin, { size, root, note }] of Object.entries(saved)) {
      this.#trees.set(origin, { size, root: Buffer.from(root, 'base64'), note });
    }
  }

  get(origin: string): SeenTree | undefined {
    return this.#trees.get(origin);
  }

  origins(): string[] {
    return [...this.#trees.keys()];
  }

  /** Durable when it returns. */
  set(origin: string, tree: SeenTree): void {
    this.#trees.set(origin, tree);
    this.#save();
  }

  forget(): void {
    this.#trees.clear();
    this.#save();
  }

  #save(): void {
    if (this.file === undefined) return;
    const content = Object.fromEntries(
      [...this.#trees].map(([origin, { size, root, note }]) => [
        origin,
        { size, root: root.toString('base64'), note },
      ]),
    );
    const temporary = `${this.file}.new`;
    writeFileSync(temporary, JSON.stringify(content));
    const handle = openSync(temporary, 'r');
    fsyncSync(handle);
    closeSync(handle);
    renameSync(temporary, this.file);
  }
}
