import { parseArgs } from 'node:util';
import { describeEnvironment } from '../config/environment.js';
import { EXIT } from './exit-code.js';

const USAGE = `Usage: colophon config [--json]

Lists every environment variable that the program reads, with its default and meaning.`;

/** Without a terminal nobody wraps the lines for us, and nothing must be cut off. */
const DEFAULT_WIDTH = 110;
const MIN_MEANING_WIDTH = 30;

type Row = ReturnType<typeof describeEnvironment>[number];

/** `colophon config`. @returns the exit code */
export function config(argv: string[]): number {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) console.log(USAGE);
    else if (values.json) console.log(JSON.stringify(describeEnvironment(), null, 2));
    else console.log(table(describeEnvironment(), process.stdout.columns ?? DEFAULT_WIDTH));
    return EXIT.ok;
  } catch (error) {
    console.error(`colophon config: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return EXIT.unusable;
  }
}

function table(rows: readonly Row[], width: number): string {
  const names = columnWidth(
    rows.map(({ name }) => name),
    'variable',
  );
  const defaults = columnWidth(
    rows.map(({ defaultValue }) => defaultValue),
    'default',
  );
  const meaningWidth = Math.max(MIN_MEANING_WIDTH, width - names - defaults - 4);
  const line = (name: string, value: string, meaning: string): string =>
    `${name.padEnd(names)}  ${value.padEnd(defaults)}  ${meaning}`.trimEnd();
  const body = rows.flatMap(({ name, defaultValue, meaning }) =>
    wrap(meaning, meaningWidth).map((part, i) =>
      i === 0 ? line(name, defaultValue || '-', part) : line('', '', part),
    ),
  );
  const rule = line('-'.repeat(names), '-'.repeat(defaults), '-'.repeat(Math.min(meaningWidth, 60)));
  return [line('variable', 'default', 'meaning'), rule, ...body].join('\n');
}

function columnWidth(values: readonly string[], heading: string): number {
  return Math.max(heading.length, ...values.map((value) => value.length));
}

function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}
