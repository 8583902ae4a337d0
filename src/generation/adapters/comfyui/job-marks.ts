import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** What a server shows of a job in its queue and in its history. */
export interface SeenJob {
  readonly graph: unknown;
  readonly mark: unknown;
}
/** The step that a job belongs to, at the place to which it was sent. */
export interface MarkedStep {
  readonly stepRunId: string;
  readonly endpoint: string;
}

/** Beside kind and inputs a server may note more in a node, such as whether it has changed. */
const SeenGraph = z.record(
  z.string(),
  z.object({ class_type: z.string(), inputs: z.record(z.string(), z.unknown()).default({}) }),
);

/**
 * How our jobs on a ComfyUI server are known from everybody else's. The server has no login: whoever reaches it can queue
 * a graph under any id, and read the ids of others. So the id of a job cannot be made from what the API shows of a step,
 * and each job carries a mark over its id and its graph, which the server repeats. A graph that was not sent from here
 * has no valid mark, whatever its id. Both follow from the key of the installation: after a crash they are the same.
 */
export class JobMarks {
  constructor(private readonly key: Uint8Array) {}

  /** In the form of a UUID. Another server or workflow gets another id for the same step. */
  promptIdOf({ stepRunId, endpoint }: MarkedStep): string {
    const bytes = this.tagOf('id', stepRunId, endpoint).subarray(0, 16);
    bytes[6] = 0x40 | ((bytes[6] ?? 0) & 0x0f);
    bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  markOf(step: MarkedStep, graph: unknown): string {
    return this.tagOf('graph', this.promptIdOf(step), graphText(graph) ?? '').toString('base64url');
  }

  isOurs(step: MarkedStep, { graph, mark }: SeenJob): boolean {
    if (typeof mark !== 'string' || graphText(graph) === undefined) return false;
    const [expected, seen] = [Buffer.from(this.markOf(step, graph)), Buffer.from(mark)];
    return expected.length === seen.length && timingSafeEqual(expected, seen);
  }

  private tagOf(...parts: readonly string[]): Buffer {
    return createHmac('sha256', this.key).update(JSON.stringify(parts)).digest();
  }
}

/** The inputs of a graph as the server shows it, by node. */
export function inputsIn(graph: unknown): [string, Readonly<Record<string, unknown>>][] {
  return Object.entries(SeenGraph.safeParse(graph).data ?? {}).map(([id, { inputs }]) => [id, inputs]);
}

/** One text for a graph, whatever the order of its parts; `undefined` for what is no graph. */
function graphText(value: unknown): string | undefined {
  const graph = SeenGraph.safeParse(value);
  if (!graph.success) return undefined;
  const nodes = sorted(graph.data).map(([id, { class_type: type, inputs }]) => [
    id,
    type,
    sorted(inputs).map(([name, input]) => [name, inputText(input)]),
  ]);
  return JSON.stringify(nodes);
}

/**
 * The server turns a value into the type that its node takes, and shows it so: a number in a text becomes the number, a
 * number for a text the text, a switch for a number 1. These mean the same to the node.
 */
function inputText(value: unknown): string {
  if (typeof value === 'boolean') return String(Number(value));
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') return JSON.stringify(value);
  const number = value.trim() === '' ? Number.NaN : Number(value);
  return Number.isFinite(number) ? String(number) : JSON.stringify(value);
}

function sorted<Value>(record: Readonly<Record<string, Value>>): [string, Value][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}
