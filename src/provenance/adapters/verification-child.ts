/**
 * The program of the child process in which files of strangers are parsed. It knows no secrets (empty environment),
 * fetches nothing, and may die at any time: the parent turns that into a clear error.
 */
import { ColophonError } from '../../shared/errors.js';
import { C2paReader } from './c2pa-reader.js';
import { readReservations } from './reservations/read-reservations.js';
import { type VerificationAnswer, type VerificationJob } from './verification-protocol.js';

/** The library works on its own threads, so this timer fires while a manifest expands in native memory. */
const MEMORY_CHECK_INTERVAL_MS = 20;

let memoryLimitBytes = Number.POSITIVE_INFINITY;

function answer(message: VerificationAnswer): void {
  process.send?.(message);
}

async function work(job: VerificationJob): Promise<void> {
  memoryLimitBytes = job.memoryLimitBytes;
  try {
    const reader = new C2paReader({ trust: job.trust ?? undefined });
    const verification = await reader.verify({ ...job, sidecarPath: job.sidecarPath ?? undefined });
    if (job.task === 'verify') answer({ kind: 'verified', verification });
    else answer({ kind: 'read', reservations: await readReservations(job.path, verification) });
  } catch (error) {
    const known = error instanceof ColophonError;
    const code = known ? error.code : 'manifest_malformed';
    answer({ kind: 'refused', code, detail: known ? error.message : 'The file cannot be parsed.' });
  }
}

setInterval(() => {
  if (process.memoryUsage.rss() > memoryLimitBytes) process.kill(process.pid, 'SIGKILL');
}, MEMORY_CHECK_INTERVAL_MS).unref();

process.on('message', (job: VerificationJob) => void work(job));
// The parent is gone: nobody waits for an answer.
process.on('disconnect', () => process.exit(0));
answer({ kind: 'ready' });
