import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT, Unusable } from './exit-code.js';
import { printable, printableJson } from './printable.js';
import { ownTrustList, readTrustList } from './trust-list.js';
import { readPolicy } from './read-policy.js';
import { type OpenVerifier, type Verdict, verifyFile, type VerifiedFile } from './verify-file.js';
import { formatVerification } from './verify-text.js';

const USAGE = `Usage: colophon verify FILE [options]

Verifies a media file with a C2PA manifest, or an evidence bundle. Offline: nothing is looked up anywhere.

  --manifest FILE.c2pa
                  for a media file that carries no manifest: the file with the manifest
                  (default where none can be inside: FILE.c2pa beside it)
  --trust CA.pem  certificate authorities whose signers count as known
                  (default for media files: the authority of the installation in COLOPHON_HOME, if there is one)
  --vkey VKEY     for a bundle: the key of the log as you know it from elsewhere
  --policy FILE   for a bundle: the witnesses that you trust and how many are enough (C2SP tlog-policy)
  --tsa-roots CA.pem
                  for a bundle: roots of the time-stamp authorities that you trust
  --json          print one JSON document

Exit code:
  0 valid     a media file is intact, even if nobody we know signed it (the output says which);
              every check of a bundle passed. A witness policy that is not met, and a time-stamp by somebody
              whom you do not trust, leave it valid: the output says so, and --json has "policyMet"
  1 invalid   the file, its manifest or its evidence was changed, or a signature does not hold
  2 unusable  no manifest, no bundle, not readable: nothing can be said`;

const EXIT_OF: Readonly<Record<Verdict, number>> = {
  valid: EXIT.ok,
  invalid: EXIT.wrong,
  unusable: EXIT.unusable,
};

interface Options {
  readonly file: string;
  readonly manifest: string | undefined;
  readonly trust: string | undefined;
  readonly vkey: string | undefined;
  readonly policy: string | undefined;
  readonly tsaRoots: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

/**
 * `colophon verify FILE`: arguments after `verify`. Prints the result to stdout.
 * @returns the exit code: 0 valid, 1 invalid, 2 unusable
 */
export async function verify(
  argv: string[],
  environment: NodeJS.ProcessEnv,
  openVerifier?: OpenVerifier,
): Promise<number> {
  let options: Options;
  try {
    options = readOptions(argv);
  } catch (error) {
    console.error(`colophon verify: ${printable(messageOf(error))}\n\n${USAGE}`);
    return EXIT.unusable;
  }
  if (options.help) {
    console.log(USAGE);
    return EXIT.ok;
  }
  return report(options, environment, openVerifier);
}

async function report(
  { file, manifest, trust, vkey, policy, tsaRoots, json }: Options,
  environment: NodeJS.ProcessEnv,
  openVerifier: OpenVerifier | undefined,
): Promise<number> {
  try {
    const given = trust === undefined ? undefined : await readTrustList(trust);
    const result = await verifyFile(resolve(file), {
      sidecarPath: manifest === undefined ? undefined : resolve(manifest),
      trustList: given ?? (await ownTrustList(environment)),
      expectedAuthority: given,
      expectedVkey: vkey,
      policy: policy === undefined ? undefined : await readPolicy(policy),
      timeStampRootsPem: tsaRoots === undefined ? undefined : (await readTrustList(tsaRoots)).anchorsPem,
      ...(openVerifier && { openVerifier }),
    });
    const forBundles = { '--vkey': vkey, '--policy': policy, '--tsa-roots': tsaRoots };
    const misplaced = Object.entries(forBundles).find(([, value]) => value !== undefined);
    if (result.kind === 'media' && misplaced) {
      throw new Unusable(`${misplaced[0]} is for evidence bundles; this is a media file, which names no log`);
    }
    if (result.kind === 'bundle' && manifest !== undefined) {
      throw new Unusable('--manifest is for media files; a bundle brings its manifests with it');
    }
    console.log(json ? printableJson(document(file, result)) : formatVerification(file, result));
    return EXIT_OF[result.verdict];
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    if (json) console.log(printableJson({ file, kind: null, verdict: 'unusable', headline: error.message }));
    else console.log(`UNUSABLE  ${printable(file)}\n          ${printable(error.message)}`);
    return EXIT.unusable;
  }
}

/** What `--json` prints: nothing that the text does not say. */
function document(file: string, result: VerifiedFile): object {
  const { kind, verdict, headline } = result;
  const common = { file, kind, verdict, headline };
  if (result.kind === 'bundle') {
    const { subject, statements, findings, notProved, witnessing, timeStamps } = result.verification;
    return { ...common, subject: subject ?? null, statements, findings, notProved, witnessing, timeStamps };
  }
  const { trustList, verification, sidecarPath } = result;
  return {
    ...common,
    manifestFile: sidecarPath ?? null,
    trustList: trustList ? { name: trustList.name, path: trustList.path } : null,
    ...(verification && { media: verification }),
  };
}

function readOptions(argv: string[]): Options {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      manifest: { type: 'string' },
      trust: { type: 'string' },
      vkey: { type: 'string' },
      policy: { type: 'string' },
      'tsa-roots': { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [file, ...rest] = positionals;
  if (!values.help && (file === undefined || rest.length > 0)) throw new Unusable('name one file');
  const { manifest, trust, vkey, policy, json, help } = values;
  return { file: file ?? '', manifest, trust, vkey, policy, tsaRoots: values['tsa-roots'], json, help };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
