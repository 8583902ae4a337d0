/** A vendor refused what is asked for, or what came of it, for its content. */
export interface ContentRefusal {
  /** The vendor's own word for it, e.g. `moderation_blocked`; never its text, which may repeat the prompt. */
  readonly word: string;
  /** What it is about, where the vendor says so: `prompt`, `output`, or the path of an input (`body.prompt`). */
  readonly at?: string;
}

type Claims = Readonly<Record<string, string | number | boolean>>;

/** What a vendor says of a step that made nothing is kept among its claims. */
export function claimsOf({ word, at }: ContentRefusal): Claims {
  return { contentRefusal: word, ...(at === undefined ? {} : { contentRefusedAt: at }) };
}

export function contentRefusalIn({
  contentRefusal: word,
  contentRefusedAt: at,
}: Claims): ContentRefusal | undefined {
  if (typeof word !== 'string') return undefined;
  return { word, ...(typeof at === 'string' ? { at } : {}) };
}

/** Where fal says that content is refused: at an input. A position in a list is a number. */
export function placeOfContent({ at = 'prompt' }: ContentRefusal): (string | number)[] {
  const path = at.startsWith('body') ? at : `body.${at}`;
  return path.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
