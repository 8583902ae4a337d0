import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { guardedFetchFunction } from './guarded-fetch-function.js';
import { readBody } from './response-limits.js';

let server: Server | undefined;
afterEach(() => {
  server?.close();
});

async function serve(listener: RequestListener): Promise<{ hostPort: string }> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return { hostPort: `127.0.0.1:${(started.address() as AddressInfo).port}` };
}

describe('guardedFetchFunction', () => {
  it('behaves like fetch for JSON clients', async () => {
    const server = await serve((request, response) => {
      void readBody(request).then((body) => {
        response.writeHead(201, { 'content-type': 'application/json', 'x-fal-request-id': 'r1' });
        response.end(
          JSON.stringify({
            method: request.method,
            body: body.toString(),
            type: request.headers['content-type'],
          }),
        );
      });
    });
    const guarded = guardedFetchFunction({
      allowedPrivateHosts: [server.hostPort],
      maxResponseBytes: 1000,
      deadlineMs: 2000,
    });
    const url = new URL(`http://${server.hostPort}/`);
    const response = await guarded(url, {
      method: 'post',
      body: new Blob(['hi']),
      headers: { 'Content-Type': 'text/plain' },
    });
    expect([response.ok, response.status, response.headers.get('x-fal-request-id')]).toEqual([
      true,
      201,
      'r1',
    ]);
    expect(await response.json()).toEqual({ method: 'POST', body: 'hi', type: 'text/plain' });
  });

  it('lets no private address through and answers 204 without a body', async () => {
    const server = await serve((_request, response) => response.writeHead(204).end());
    const limits = { maxResponseBytes: 1000, deadlineMs: 2000 };
    await expect(guardedFetchFunction(limits)(`http://${server.hostPort}/`)).rejects.toMatchObject({
      code: 'url_blocked',
    });
    const open = guardedFetchFunction({ ...limits, allowedPrivateHosts: [server.hostPort] });
    expect((await open(`http://${server.hostPort}/`)).status).toBe(204);
    await expect(open(`http://${server.hostPort}/`, { method: 'TRACE' })).rejects.toThrow(TypeError);
  });
});
