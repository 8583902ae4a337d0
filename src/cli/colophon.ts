import { runCommand } from './command-line.js';
import { EXIT } from './exit-code.js';

// `colophon verify x | head` closes our output early; that is no reason for a stack trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? (process.exitCode ?? EXIT.ok) : EXIT.unusable);
});

/** The C2PA binding keeps the event loop alive, so the process ends itself once everything has been written. */
function end(code: number): void {
  process.exitCode = code;
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

runCommand(process.argv.slice(2), process.env).then(end, (error: unknown) => {
  console.error(`colophon: ${error instanceof Error ? error.message : String(error)}`);
  end(EXIT.unusable);
});
