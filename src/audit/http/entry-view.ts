import { publicId } from '../../shared/ids.js';
import { type EntryProgress } from '../application/entry-states.js';
import { type LoggedEntry } from '../application/read-log.js';

export function entryView(entry: LoggedEntry) {
  return {
    id: publicId('entry', entry.entryId),
    index: entry.index ?? null,
    state: entry.index === undefined ? 'pending' : 'integrated',
    entry: JSON.parse(entry.entry.toString('utf8')) as unknown,
  };
}

/** How far one entry has come; `state` is the furthest. */
export function progressView({ reached, checkpoint, witnessed, timeStamp }: EntryProgress) {
  return {
    state: reached.at(-1),
    reached,
    checkpoint: checkpoint ? { size: checkpoint.size, signedAt: checkpoint.signedAt } : null,
    witnessed: witnessed ? { size: witnessed.size, witnesses: witnessed.witnesses } : null,
    timeStamp: timeStamp ? { size: timeStamp.size, authority: timeStamp.authority, at: timeStamp.at } : null,
  };
}
