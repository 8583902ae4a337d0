import { runCommand } from './command-line.js';
import { EXIT } from './exit-code.js';

// `colophon verify x | head` closes our output early. The command goes on to its end without it: its exit code stays
// true, and what it started is stopped.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exit(EXIT.unusable);
  });
}

/** The C2PA binding keeps the event loop alive, so the process ends itself once everything has been written. */
function end(code: number): void {
  process.exitCode = code;
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

runCommand(process.argv.slice(2), process.env).then(end, (error: unknown) => {
  console.error(`colophon: ${error instanceof Error ? error.message : String(error)}`);
  end(EXIT.unusable);
});
