/**
 * Versions of the rules that this program has, oldest first. A version is added whenever some input could get another
 * decision, finding or obligation, so that a stored decision says by which rules it was made; the older ones stay, so
 * that it can be made again. What changed stands in docs/licenses/rules.md.
 */
export const ENGINE_VERSIONS = ['2.1.0', '2.2.0', '2.3.0', '2.4.0', '2.5.0'] as const;
export type EngineVersion = (typeof ENGINE_VERSIONS)[number];

/** By which new decisions are made. */
export const ENGINE_VERSION = '2.5.0' satisfies EngineVersion;

export function isEngineVersion(text: string): text is EngineVersion {
  return (ENGINE_VERSIONS as readonly string[]).includes(text);
}

const AGE: Readonly<Record<EngineVersion, number>> = {
  '2.1.0': 0,
  '2.2.0': 1,
  '2.3.0': 2,
  '2.4.0': 3,
  '2.5.0': 4,
};

/** Whether rules of `version` know what came with `since`. */
export function isSince(since: EngineVersion, version: EngineVersion): boolean {
  return AGE[version] >= AGE[since];
}
