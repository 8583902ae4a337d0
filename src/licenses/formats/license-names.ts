import deprecatedIds from 'spdx-license-ids/deprecated.json' with { type: 'json' };
import currentIds from 'spdx-license-ids/index.json' with { type: 'json' };
import { z } from 'zod';
import { threeValuedSchema, type ThreeValued } from '../domain/three-valued.js';
import aliasFile from './license-aliases.json' with { type: 'json' };
import { type LicenseLeaf } from './license-expression.js';
import permissionFile from './license-permissions.json' with { type: 'json' };

/**
 * `text`: names one text. `versions`: names a license whose text has changed under that name. `family`: any of
 * several licenses. `placeholder`: says that no license is named.
 */
const aliasSchema = z.strictObject({
  names: z.array(z.string().min(1)).min(1),
  kind: z.enum(['text', 'versions', 'family', 'placeholder']),
  ref: z.string().nullable(),
  title: z.string().min(1),
  /** What the registry calls the texts that this name can mean. */
  registryRefs: z.array(z.string()),
  source: z.string(),
});
export type LicenseAlias = z.infer<typeof aliasSchema>;

const aliasFileSchema = z.strictObject({
  readOn: z.iso.date(),
  sources: z.record(z.string(), z.strictObject({ title: z.string(), url: z.url().nullable() })),
  aliases: z.array(aliasSchema),
});
const permissionFileSchema = z.strictObject({
  readOn: z.iso.date(),
  note: z.string(),
  licenses: z.array(
    z.strictObject({ commercialUse: threeValuedSchema, where: z.string(), ids: z.array(z.string()) }),
  ),
});

export const LICENSE_ALIASES = aliasFileSchema.parse(aliasFile);

const BY_NAME: ReadonlyMap<string, LicenseAlias> = new Map(
  LICENSE_ALIASES.aliases.flatMap((alias) => alias.names.map((name) => [name, alias] as const)),
);
const BY_REF: ReadonlyMap<string, LicenseAlias> = new Map(
  LICENSE_ALIASES.aliases.flatMap((alias) => (alias.ref === null ? [] : [[alias.ref, alias] as const])),
);
const REGISTRY_REFS: ReadonlySet<string> = new Set(
  LICENSE_ALIASES.aliases.flatMap(({ registryRefs }) => registryRefs),
);
/** Names of SPDX compare without regard to case (SPDX 3.0.1 annex B.2). */
const SPDX_IDS: ReadonlyMap<string, string> = new Map(
  [...deprecatedIds, ...currentIds].map((id) => [id.toLowerCase(), id]),
);
const COMMERCIAL_USE: ReadonlyMap<string, ThreeValued> = new Map(
  permissionFileSchema
    .parse(permissionFile)
    .licenses.flatMap(({ ids, commercialUse }) => ids.map((id) => [id, commercialUse] as const)),
);

/** White space of ASCII. Any other, or a letter that only folds to one of ASCII, makes it another name. */
const OUTER_SPACE = /^[ \t\n\r]+|[ \t\n\r]+$/g;
const UPPER_CASE = /[A-Z]+/g;

/** One spelling of a name as cards write it: lower case, words joined by hyphens. */
export function normalName(name: string): string {
  return lowerCase(name.replace(OUTER_SPACE, '')).replace(/[ \t\n\r_]+/g, '-');
}

/** U+212A (Kelvin sign) is no `k`: nothing that only looks like a known name is taken for it. */
function lowerCase(name: string): string {
  return name.replace(UPPER_CASE, (letters) => letters.toLowerCase());
}

export function aliasOf(name: string): LicenseAlias | undefined {
  return BY_NAME.get(normalName(name));
}

/** The id of the SPDX list, in its own spelling. */
export function spdxId(name: string): string | undefined {
  return SPDX_IDS.get(lowerCase(name.replace(OUTER_SPACE, '')));
}

/** A reference that means one text or one license in this program. In SPDX a LicenseRef is local to its document. */
export function isKnownRef(ref: string): boolean {
  return SPDX_IDS.get(lowerCase(ref)) === ref || BY_REF.has(ref) || REGISTRY_REFS.has(ref);
}

/** Does the name leave open which version of the text is meant? */
export function leavesVersionOpen(ref: string): boolean {
  return BY_REF.get(ref)?.kind === 'versions' && !REGISTRY_REFS.has(ref);
}

/** What the registry calls the texts that a reference can mean; empty when it lists none. */
export function registryRefsOf(ref: string): readonly string[] {
  return BY_REF.get(ref)?.registryRefs ?? (REGISTRY_REFS.has(ref) ? [ref] : []);
}

/** `yes` and `no` only for texts that answer without conditions; an exception changes a text, so it is unknown. */
export function commercialUseUnder({ ref, exception }: LicenseLeaf): ThreeValued {
  return exception === null ? (COMMERCIAL_USE.get(ref) ?? 'unknown') : 'unknown';
}
