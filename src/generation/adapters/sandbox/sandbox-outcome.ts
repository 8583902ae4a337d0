/** How the sandbox behaves, chosen by a word in the text: so a client can rehearse every failure. */
export type SandboxOutcome =
  | 'file'
  | 'slow'
  | 'upstream-error'
  | 'upstream-timeout'
  | 'outcome-unknown'
  | 'content-refused'
  | 'invalid-output'
  | 'empty-output'
  | 'wrong-kind'
  | 'truncated'
  | 'busy';

/** The words are a contract (docs/sandbox.md): one never changes its meaning. */
const MAGIC_WORDS: readonly (readonly [string, SandboxOutcome])[] = [
  ['sandbox:slow', 'slow'],
  ['sandbox:fail-upstream', 'upstream-error'],
  ['sandbox:fail-timeout', 'upstream-timeout'],
  ['sandbox:outcome-unknown', 'outcome-unknown'],
  ['sandbox:refuse-content', 'content-refused'],
  ['sandbox:garbage', 'invalid-output'],
  ['sandbox:empty', 'empty-output'],
  ['sandbox:wrong-kind', 'wrong-kind'],
  ['sandbox:truncated', 'truncated'],
  ['sandbox:busy', 'busy'],
  // Older than "outcome-unknown", and the same.
  ['sandbox:timeout', 'outcome-unknown'],
];

/** The first magic word in this order decides; without one the sandbox makes a file. */
export function sandboxOutcome(text: string): SandboxOutcome {
  return MAGIC_WORDS.find(([word]) => text.includes(word))?.[1] ?? 'file';
}
