import { PRODUCT_NAME, PRODUCT_VERSION } from '../shared/product.js';
import { EXIT } from './exit-code.js';
import { printableJson } from './printable.js';

export const USAGE = `Usage: colophon COMMAND [options]

  verify FILE          verify a media file, an evidence bundle or a report in PDF, offline
  verify FOLDER        verify every file of a folder or zip archive
  trust list           whose signatures count: list, add, update, remove
  log fsck WHERE       re-derive a log from its tiles: a folder, an address or a zip
  log mirror URL DIR   keep a verified copy of a log
  keys COMMAND         the keys that sign: list, csr, import, activate, rotate, revoke, affected
  reconcile --url URL  money that waits for a person: list, settle, check
  recover FILE --url URL
                       find the manifest of a picture that has lost it
  config               list the environment variables
  demo --out DIR       the main job from beginning to end, on a fresh instance
  help                 this text

Each command explains itself with --help. To start the service: npm start`;

type Command = (argv: string[], environment: NodeJS.ProcessEnv) => Promise<number>;

/**
 * Each command is loaded when it is called: `verify` and `log fsck` must work where there is no database and no
 * network, and must not pay for the parts that need them.
 */
const COMMANDS: Readonly<Record<string, Command>> = {
  async verify(argv, environment) {
    return (await import('./verify.js')).verify(argv, environment);
  },
  async trust(argv, environment) {
    return (await import('./trust.js')).trust(argv, environment);
  },
  async log([subcommand, ...argv]) {
    if (subcommand === 'fsck') return (await import('./log-fsck.js')).logFsck(argv);
    if (subcommand === 'mirror') return (await import('./log-mirror.js')).logMirror(argv);
    return unknown(`log ${subcommand ?? ''}`.trim());
  },
  async keys(argv, environment) {
    return (await import('./keys/keys.js')).keys(argv, environment);
  },
  async recover(argv, environment) {
    return (await import('./recover.js')).recover(argv, environment);
  },
  async reconcile(argv, environment) {
    return (await import('./reconcile.js')).reconcile(argv, environment);
  },
  async config(argv) {
    return (await import('./config.js')).config(argv);
  },
  async demo(argv) {
    return (await import('./demo/demo.js')).demo(argv);
  },
};

/**
 * Dispatches one command line.
 * @param argv arguments after the program name
 * @returns the exit code
 */
export async function runCommand(argv: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const [name, ...rest] = argv;
  if (name === 'help' || name === '--help' || name === '-h') {
    console.log(USAGE);
    return EXIT.ok;
  }
  if (name === 'version' || name === '--version' || name === '-V') {
    console.log(`${PRODUCT_NAME.toLowerCase()} ${PRODUCT_VERSION}`);
    return EXIT.ok;
  }
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  return command ? command(rest, environment) : unknown(name);
}

function unknown(name: string | undefined): number {
  const reason = name === undefined ? 'name a command' : `there is no command ${printableJson(name)}`;
  console.error(`colophon: ${reason}\n\n${USAGE}`);
  return EXIT.unusable;
}
