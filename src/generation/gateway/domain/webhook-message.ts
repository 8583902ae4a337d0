import { type AddressOf, falDetail, falJobError, falResult } from './fal-job.js';
import { type GatewayJob, type WebhookEvent } from './gateway-job.js';
import { outputOf, prediction } from './replicate-job.js';

/** What a client of a job is told, in its vendor's form: the bytes that are signed. */
export function webhookMessage(event: WebhookEvent, job: GatewayJob, addressOf: AddressOf): string {
  return JSON.stringify(
    job.vendor === 'fal' ? falMessage(job, addressOf) : predictionAt(event, job, addressOf),
  );
}

function falMessage(job: GatewayJob, addressOf: AddressOf): Record<string, unknown> {
  const { id } = job.run;
  const error = falJobError(job);
  const about = { request_id: id, gateway_request_id: id };
  if (error === undefined) return { ...about, status: 'OK', payload: falResult(job, addressOf) };
  const payload = { detail: falDetail(error) };
  return { ...about, status: 'ERROR', error: error.message, payload };
}

/** As it was when it happened: a message about the start never holds the output, however late it comes. */
function predictionAt(event: WebhookEvent, job: GatewayJob, addressOf: AddressOf): Record<string, unknown> {
  const now = prediction(job, addressOf);
  switch (event) {
    case 'completed':
      return now;
    case 'output':
      return {
        ...now,
        status: 'processing',
        completed_at: null,
        error: null,
        output: outputOf(job, addressOf),
      };
    case 'start':
    case 'logs':
      return { ...now, status: 'processing', completed_at: null, error: null, output: null };
  }
}
