import { type Duplex } from 'node:stream';
import pg from 'pg';

/** Texts that are made from pieces could be without number, and the server keeps every prepared one until we leave. */
const MAX_PREPARED = 1000;
/** Characters of a statement in its name, for whoever looks at the server; PostgreSQL keeps 63 bytes of a name. */
const BEGINNING = 45;
/** feature_not_supported: "cached plan must not change result type", after a migration by a newer program. */
const OUTDATED_PLAN = '0A000';

/** The same name for the same text on every connection of this process. */
const names = new Map<string, string>();

function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= MAX_PREPARED) return known;
  const name = `${text.trim().replace(/\s+/g, ' ').slice(0, BEGINNING)} ${names.size}`;
  names.set(text, name);
  return name;
}

/**
 * A connection that sends the text of a statement with parameters once, and only its name from then on: the server need
 * not parse it again, nor plan it where one plan fits all parameters. The driver does this for statements that have a
 * name; TypeORM gives them none.
 *
 * A pooler between us and the server must know prepared statements (PgBouncer 1.21 and later does).
 */
export class PreparingClient extends pg.Client {
  /** Part of the names: after a change of the schema, everything is prepared anew. */
  private generation = 0;
  private holdsBack = false;

  override query(...given: unknown[]): never {
    const [text, values, ...callback] = given;
    const name = typeof text === 'string' && Array.isArray(values) ? nameOf(text) : undefined;
    if (name === undefined) return this.send(given);
    return this.refreshing(this.send([{ name: `${name} ${this.generation}`, text, values }, ...callback]));
  }

  private send(given: unknown[]): never {
    this.holdBack();
    return (super.query as (...given: unknown[]) => never).apply(this, given);
  }

  /** Statements of one moment go out in one piece, so that the server wakes up once for all of them. */
  private holdBack(): void {
    if (this.holdsBack) return;
    this.holdsBack = true;
    const { stream } = (this as unknown as { connection: { stream: Duplex } }).connection;
    stream.cork();
    process.nextTick(() => {
      this.holdsBack = false;
      stream.uncork();
    });
  }

  private refreshing(answer: unknown): never {
    if (answer instanceof Promise)
      answer.catch((error: unknown) => {
        if ((error as { code?: unknown }).code === OUTDATED_PLAN) this.generation++;
      });
    return answer as never;
  }
}
