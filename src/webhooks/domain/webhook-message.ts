import { type EntryEnvelope } from '../../audit/core/entry.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { TRIAL_EVENT } from './subscription.js';

/**
 * The body of a webhook: `type` and `timestamp` as Standard Webhooks has them, and in `data` what the log says. It holds
 * nothing that the entry does not hold, so no prompt and no name; `index` and `entryId` are where everybody can check it.
 */
export function entryMessage(
  entry: EntryEnvelope,
  place: { readonly organizationId: string; readonly entryId: string; readonly index: number },
): Buffer {
  const { type, at, actor, subject, data } = entry;
  // An entry was read from JSON.
  const facts = data as Readonly<Record<string, JsonValue>>;
  return canonicalJson({ type, timestamp: at, data: { ...place, actor, subject, facts } });
}

/** Tells of nothing: whoever gets it knows that address and secret are right. */
export function trialMessage(organizationId: string, endpointId: string, at: Date): Buffer {
  return canonicalJson({
    type: TRIAL_EVENT,
    timestamp: at.toISOString(),
    data: { organizationId, endpointId },
  });
}
