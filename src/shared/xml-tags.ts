/** Elements of real drawings and packets have some twenty. */
const MAX_ATTRIBUTES = 1_000;

/**
 * Whether a tag has more attributes than any honest one: the parser compares each of them with all before it. To be
 * asked before it reads, in one pass.
 */
export function hasCrowdedTag(xml: string): boolean {
  let at = xml.indexOf('<');
  while (at >= 0) {
    const end = endOfMarkup(xml, at);
    if (end === undefined) return true;
    at = xml.indexOf('<', end);
  }
  return false;
}

/** What is no tag, by how it begins and ends. */
const OTHER_MARKUP = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const;

/** @returns `undefined` for a crowded tag; the end of the text for what does not end */
function endOfMarkup(xml: string, start: number): number | undefined {
  const other = OTHER_MARKUP.find(([begin]) => xml.startsWith(begin, start));
  if (other === undefined) return endOfTag(xml, start);
  const [begin, end] = other;
  const found = xml.indexOf(end, start + begin.length);
  return found < 0 ? xml.length : found + end.length;
}

function endOfTag(xml: string, start: number): number | undefined {
  let values = 0;
  for (let at = start + 1; at < xml.length; at += 1) {
    const character = xml.charAt(at);
    if (character === '>') return at + 1;
    if (character !== '"' && character !== "'") continue;
    values += 1;
    if (values > MAX_ATTRIBUTES) return undefined;
    const end = xml.indexOf(character, at + 1);
    if (end < 0) return xml.length;
    at = end;
  }
  return xml.length;
}
