import { type IncomingMessage, type ServerResponse } from 'node:http';
import { sendPage } from '../fal/http-messages.js';

/**
 * What can go wrong with one request on its way.
 *
 * Before the vendor accepts, nothing is charged:
 * - `429`, `500-before-accept`, `reset-before-accept`
 * After it has accepted, and charged, the answer
 * - never comes: `hang-after-accept`, `reset-after-accept`
 * - comes from a gateway in between: `502-after-accept`
 * - is something else: `garbage-after-accept` (bytes called JSON), `wrong-type-after-accept` (a page)
 * - ends too soon: `truncated-after-accept`; or never: `endless-after-accept`
 * - comes too late: `late-after-accept`, a second and a half
 */
export const TRANSPORT_FAULTS = [
  '429',
  '500-before-accept',
  'reset-before-accept',
  'hang-after-accept',
  'reset-after-accept',
  '502-after-accept',
  'garbage-after-accept',
  'wrong-type-after-accept',
  'truncated-after-accept',
  'endless-after-accept',
  'late-after-accept',
] as const;
export type TransportFault = (typeof TRANSPORT_FAULTS)[number];

const LATE_MS = 1500;

export function isBeforeAccept(fault: TransportFault): boolean {
  return fault === '429' || fault.endsWith('-before-accept');
}

/** @param refusal body of a 429 or a 500 in the form of the vendor */
export function failBeforeAccept(
  fault: TransportFault,
  request: IncomingMessage,
  response: ServerResponse,
  refusal: unknown,
): void {
  if (fault === 'reset-before-accept') return void request.socket.resetAndDestroy();
  response.writeHead(fault === '429' ? 429 : 500, { 'content-type': 'application/json' });
  response.end(JSON.stringify(refusal));
}

/** Spoils the answer of a request that was accepted. */
export function spoilAnswer(
  fault: TransportFault,
  request: IncomingMessage,
  response: ServerResponse,
  answer: unknown,
): void {
  const text = JSON.stringify(answer);
  const head = { 'content-type': 'application/json' };
  switch (fault) {
    case 'reset-after-accept':
      return void request.socket.resetAndDestroy();
    case '502-after-accept':
      return sendPage(response, 502);
    case 'garbage-after-accept':
      return void response.writeHead(200, head).end(Buffer.alloc(600, 0xab));
    case 'wrong-type-after-accept':
      return sendPage(response, 200);
    case 'truncated-after-accept':
      response.writeHead(200, { ...head, 'content-length': String(Buffer.byteLength(text)) });
      response.write(text.slice(0, text.length / 2), () => request.socket.destroy());
      return;
    case 'endless-after-accept':
      return endlessly(response.writeHead(200, head));
    case 'late-after-accept': {
      const timer = setTimeout(() => response.writeHead(200, head).end(text), LATE_MS);
      response.on('close', () => clearTimeout(timer));
      return;
    }
    // Nothing is answered; the last three were dealt with before anything was accepted.
    case 'hang-after-accept':
    case '429':
    case '500-before-accept':
    case 'reset-before-accept':
      return;
  }
}

function endlessly(response: ServerResponse): void {
  const filler = Buffer.alloc(1024 * 1024, 0x20);
  const pump = (): void => {
    while (!response.destroyed && response.write(filler));
  };
  response.on('drain', pump);
  pump();
}
