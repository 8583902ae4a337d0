import { randomUUID } from 'node:crypto';

/** The demo did not go as it must. The message is for the reader. */
export class DemoFailure extends Error {}

interface Problem {
  readonly code?: string;
  readonly detail?: string;
}

/** One person with a key, talking to the API with nothing but HTTP, as any client would. */
export class DemoClient {
  constructor(
    readonly url: string,
    readonly key: string,
  ) {}

  async get<T>(path: string): Promise<T> {
    return (await (await this.expectOk('GET', path)).json()) as T;
  }

  async post<T>(path: string, body?: object): Promise<T> {
    return (await (await this.expectOk('POST', path, body)).json()) as T;
  }

  async download(path: string): Promise<Buffer> {
    return Buffer.from(await (await this.expectOk('GET', path)).arrayBuffer());
  }

  /** Sends something that must be refused with this status and code, and returns the problem document. */
  async postRefused<T extends object>(
    path: string,
    body: object,
    expected: { readonly status: number; readonly code: string },
  ): Promise<T & Problem> {
    const response = await this.send('POST', path, body);
    const problem = (await response.json()) as T & Problem;
    if (response.status !== expected.status || problem.code !== expected.code) {
      throw new DemoFailure(
        `POST ${path} should have been refused with ${expected.status} ${expected.code}, but the answer was ` +
          `${response.status} ${problem.code ?? ''}`,
      );
    }
    return problem;
  }

  /** Calls `onEvent` for each server-sent event until the server ends the stream. */
  async follow(path: string, onEvent: (data: Record<string, unknown>) => void): Promise<void> {
    const response = await this.expectOk('GET', path);
    const decoder = new TextDecoder();
    let pending = '';
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      const lines = (pending + decoder.decode(chunk, { stream: true })).split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith('data: ')) onEvent(JSON.parse(line.slice(6)) as Record<string, unknown>);
      }
    }
  }

  private async expectOk(method: string, path: string, body?: object): Promise<Response> {
    const response = await this.send(method, path, body);
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as Problem;
    throw new DemoFailure(
      `${method} ${path} answered ${response.status} ${problem.code ?? ''}: ${problem.detail ?? 'no reason given'}`,
    );
  }

  private send(method: string, path: string, body?: object): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.key}` };
    if (method === 'POST') headers['idempotency-key'] = randomUUID();
    if (body instanceof FormData) return fetch(`${this.url}${path}`, { method, headers, body });
    if (body !== undefined) headers['content-type'] = 'application/json';
    return fetch(`${this.url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  }
}
