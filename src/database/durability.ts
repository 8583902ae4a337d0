/** How a session says what a setting is for it. */
export type AskSession = (sql: string, values: unknown[]) => Promise<readonly { value: string }[]>;

/** Settings with which a committed transaction can be lost, and the values that rule it out. */
const DURABLE = {
  fsync: ['on'],
  full_page_writes: ['on'],
  synchronous_commit: ['on', 'remote_write', 'remote_apply'],
} as const;

/**
 * A committed transaction must survive a crash (promise P4), so a server that may forget one is refused.
 *
 * To be asked in a session of each role that writes: `ALTER ROLE ... SET synchronous_commit = off` is seen by the
 * sessions of that role and of no other.
 *
 * @param who names the session for the message
 */
export async function requireDurability(ask: AskSession, who: string): Promise<void> {
  for (const [setting, allowed] of Object.entries(DURABLE)) {
    const [row] = await ask('SELECT current_setting($1) AS value', [setting]);
    const value = row?.value ?? '';
    if (!(allowed as readonly string[]).includes(value)) {
      throw new Error(
        `PostgreSQL runs with ${setting}=${value} for ${who}: committed entries could be lost. Set ${setting}=on.`,
      );
    }
  }
}
