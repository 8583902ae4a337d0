/** Marks that servers of open models read out of a prompt, and load a weight file for: `<lora:name:0.8>`. */
const KINDS =
  'lora|loha|lokr|locon|dora|lyco(?:ris)?|hyper_?net(?:work)?s?|embed(?:ding)?|textual_?inversion';
const TAG = new RegExp(`<(?:${KINDS})\\w*:`, 'i');
/** Wildcards are resolved before tags are read: `<l{o|a}ra:name:1>` may become one. */
const ASSEMBLED = /<[a-z_$\s]*[{|}][a-z_${|}\s]*:/i;
/** What a reader of tags or wildcards may skip. */
const SKIPPED = /[\s{}|\\]/g;

/** Whether a server that reads such marks would load a weight that nobody cleared. */
export function namesWeightTag(text: string): boolean {
  return text.includes('<') && (ASSEMBLED.test(text) || TAG.test(text.replaceAll(SKIPPED, '')));
}

/** The name of the parameter in which a text with such a mark stands, at any depth; `undefined` when there is none. */
export function parameterWithWeightTag(parameters: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(parameters).find((name) => holdsTag(parameters[name]));
}

/** In words for people. */
export function weightTagProblem(name: string): string {
  return `${name} holds a mark such as <lora:...>, which makes some servers load a weight that was not cleared`;
}

function holdsTag(value: unknown): boolean {
  if (typeof value === 'string') return namesWeightTag(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(holdsTag);
}
