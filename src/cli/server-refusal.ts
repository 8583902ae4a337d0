import { z } from 'zod';
import { Unusable } from './exit-code.js';
import { printable } from './printable.js';

const MAX_BODY = 20_000;
const MAX_TEXT = 4_000;
const problemSchema = z.object({
  detail: z.string(),
  code: z.string().optional(),
  howToFix: z.string().optional(),
});

/** What a server said instead of an answer, as a sentence where it has the form of our errors. */
export async function refusalOf(response: Response): Promise<Unusable> {
  const body = (await response.text()).slice(0, MAX_BODY);
  const problem = problemSchema.safeParse(parsed(body));
  if (!problem.success) return new Unusable(`the server refused (${response.status}): ${printable(body)}`);
  const { detail, code, howToFix } = problem.data;
  const name = [String(response.status), ...(code === undefined ? [] : [printable(code)])].join(' ');
  const fix = howToFix === undefined ? '' : `\n${printable(howToFix, MAX_TEXT)}`;
  return new Unusable(`the server refused (${name}): ${printable(detail, MAX_TEXT)}${fix}`);
}

/** Our own messages have lines, e.g. those of the usage; of anybody else's, one line is shown. */
export function errorText(error: unknown): string {
  if (error instanceof Unusable)
    return error.message
      .split('\n')
      .map((line) => printable(line, MAX_TEXT))
      .join('\n');
  return error instanceof Error ? printable(error.message, MAX_TEXT) : 'failed';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
