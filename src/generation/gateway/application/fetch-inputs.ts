import { type AssetStore } from '../../../assets/domain/asset-store.port.js';
import { downloadToFile } from '../../../outbound/download-to-file.js';
import { type OutboundPolicy } from '../../../outbound/guarded-fetch.js';
import { OutboundError } from '../../../outbound/outbound-error.js';
import { ColophonError } from '../../../shared/errors.js';
import { type SentFile } from '../domain/gateway-call.js';
import { type SettingsInForce } from './gateway-settings-of-use-case.js';

export interface FetchLimits {
  readonly maxFileBytes: number;
  /** For all files of a call together. Well below the time after which a claim is taken over. */
  readonly deadlineMs: number;
}

/** Where pictures of a shop or of a content network lie, an address often leads to another one. */
const MAX_REDIRECTS = 3;

/**
 * Files that a call names by addresses elsewhere, as existing code does. They are fetched here, once, and received like
 * any file that is sent: under the rights that the settings declare. The provider never fetches anything itself, so what
 * went into the work is what was looked at and recorded.
 */
export class FetchInputs {
  constructor(
    private readonly store: AssetStore,
    /** Without the hosts that the operator opened for models: those are not for clients to read from. */
    private readonly outbound: OutboundPolicy,
    private readonly limits: FetchLimits,
  ) {}

  /**
   * For as long as `work` takes.
   * @throws ColophonError `input_rights_undeclared` before anything is fetched; `url_blocked`, `input_unreachable`
   */
  async with<Result>(
    { settings }: SettingsInForce,
    addresses: Readonly<Record<string, string>>,
    work: (files: Readonly<Record<string, SentFile>>) => Promise<Result>,
  ): Promise<Result> {
    const named = Object.entries(addresses);
    if (named.length === 0) return work({});
    if (settings.inputRights === null) throw undeclared(named.map(([name]) => name));
    const endsAt = performance.now() + this.limits.deadlineMs;
    const files: Record<string, SentFile> = {};
    const staged: string[] = [];
    try {
      for (const [name, address] of named) {
        const stagedPath = await this.store.stage();
        staged.push(stagedPath);
        const sha256 = await this.fetch(name, address, stagedPath, endsAt - performance.now());
        files[name] = { stagedPath, sha256, fileName: undefined, address };
      }
      return await work(files);
    } finally {
      for (const path of staged) await this.store.discard(path);
    }
  }

  private async fetch(name: string, url: string, destinationPath: string, leftMs: number): Promise<string> {
    try {
      const { sha256 } = await downloadToFile({
        ...this.outbound,
        url,
        destinationPath,
        maxResponseBytes: this.limits.maxFileBytes,
        maxRedirects: MAX_REDIRECTS,
        deadlineMs: Math.max(1, leftMs),
      });
      return sha256;
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      if (error.code === 'url_blocked')
        throw new ColophonError(
          'url_blocked',
          `"${name}" names an address that is not fetched: ${error.message}.`,
        );
      // Not 502 or 504, which clients repeat by themselves: the address is the caller's.
      throw new ColophonError('input_unreachable', `"${name}" could not be fetched: ${error.message}.`);
    }
  }
}

function undeclared(names: readonly string[]): ColophonError {
  return new ColophonError(
    'input_rights_undeclared',
    `${names.map((name) => `"${name}"`).join(', ')}: a file that lies elsewhere is received under declared rights, and this use case declares none for files that SDKs send. Nothing was fetched.`,
  );
}
