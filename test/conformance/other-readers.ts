import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import init, { WasmReader } from '@contentauth/c2pa-wasm';
import { type Asset, JPEG, PNG } from '@trustnxt/c2pa-ts/asset';
import { SuperBox } from '@trustnxt/c2pa-ts/jumbf';
import { ManifestStore } from '@trustnxt/c2pa-ts/manifest';

/** Two readers beside our own: the newer c2pa-rs as WebAssembly, and an independent implementation in TypeScript. */
export class OtherReaders {
  private constructor(private readonly anchorsPem: string) {}

  static async open(anchorsPem: string): Promise<OtherReaders> {
    const path = fileURLToPath(import.meta.resolve('@contentauth/c2pa-wasm/c2pa.wasm'));
    await init({ module_or_path: new Uint8Array(readFileSync(path)) });
    return new OtherReaders(anchorsPem);
  }

  /** What c2pa-wasm says: its verdict on the whole, and crJSON. */
  async inWasm(
    path: string,
    mediaType: string,
  ): Promise<{ state: string; crJson: unknown; failures: string[] }> {
    const context = { trust: { user_anchors: this.anchorsPem }, verify: { remote_manifest_fetch: false } };
    const reader = await WasmReader.fromBytes(
      mediaType,
      new Uint8Array(readFileSync(path)),
      JSON.stringify(context),
    );
    const report = JSON.parse(reader.json()) as {
      validation_state: string;
      validation_results: { activeManifest: { failure: { code: string }[] } };
    };
    const failures = report.validation_results.activeManifest.failure.map(({ code }) => code);
    return { state: report.validation_state, crJson: JSON.parse(reader.crJson()) as unknown, failures };
  }

  /**
   * What c2pa-ts says. It takes no trust anchors and checks no certificate chain: `signingCredential.trusted` in its
   * answer says nothing about trust.
   */
  async inTypeScript(path: string, mediaType: string): Promise<{ isValid: boolean; failures: string[] }> {
    const bytes = readFileSync(path);
    const asset = assetOf(bytes, mediaType);
    const store = asset.getManifestJUMBF();
    if (store === undefined) return { isValid: false, failures: ['no manifest'] };
    const result = await ManifestStore.read(SuperBox.fromBuffer(new Uint8Array(store))).validate(asset);
    const failures = result.statusEntries.filter(({ success }) => !success).map(({ code }) => code);
    return { isValid: result.isValid, failures };
  }
}

function assetOf(bytes: Buffer, mediaType: string): Asset {
  if (mediaType === 'audio/wav') return waveAsset(bytes);
  return mediaType === 'image/png' ? new PNG(bytes) : new JPEG(bytes);
}

/** It has no container for WAV; where the manifest stands is all that it asks, its checks are its own. */
function waveAsset(bytes: Buffer): Asset {
  let at = 12;
  while (bytes.toString('latin1', at, at + 4) !== 'C2PA') {
    const length = bytes.readUInt32LE(at + 4);
    at += 8 + length + (length % 2);
  }
  const length = bytes.readUInt32LE(at + 4);
  const notWritten = (): Promise<never> => Promise.reject(new Error('only read'));
  return {
    mimeType: 'audio/wav',
    getDataLength: () => bytes.length,
    getDataRange: (start = 0, size = bytes.length - start) =>
      Promise.resolve(bytes.subarray(start, start + size)),
    getManifestJUMBF: () => bytes.subarray(at + 8, at + 8 + length),
    getHashExclusionRange: () => ({ start: at, length: 8 + length }),
    dumpInfo: () => '',
    ensureManifestSpace: notWritten,
    writeManifestJUMBF: notWritten,
  };
}
