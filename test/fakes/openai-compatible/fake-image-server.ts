import { type IncomingMessage, type ServerResponse } from 'node:http';
import { readRequestBody, sendJson } from '../fal/http-messages.js';
import { FakeOpenAi, type ImagesAttempt } from '../openai/fake-openai.js';
import { FakeServer } from '../vendor/fake-server.js';

interface ActiveLora {
  readonly nickname: string;
  readonly path: string;
  readonly merged: boolean;
  readonly strength: number;
}

/** A server of open models: OpenAI's Images API with the routes by which SGLang and vLLM-Omni tell their weights. */
export class FakeImageServer {
  readonly openai = new FakeOpenAi();
  /** vLLM: `id` and `root`. SGLang: `model_path`. */
  model = { id: 'Qwen/Qwen-Image-Edit', root: 'Qwen/Qwen-Image-Edit' };
  active: ActiveLora[] = [];
  /** What each picture was made with, in order. */
  readonly madeWith: string[] = [];
  /** Loads another LoRA than it was told, once. */
  disobedient = false;
  /** Somebody else switches while the next picture is made. */
  switchWhileWorking = false;
  #server: FakeServer | undefined;

  static async start(): Promise<FakeImageServer> {
    const fake = new FakeImageServer();
    fake.#server = await FakeServer.start((request, response, url) => fake.#route(request, response, url));
    return fake;
  }

  get server(): FakeServer {
    if (this.#server === undefined) throw new Error('not started');
    return this.#server;
  }
  get baseUrl(): string {
    return `${this.server.origin}/v1`;
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  attempts(): readonly ImagesAttempt[] {
    return this.openai.ledger.attempts;
  }

  async #route(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { id, root } = this.model;
    switch (url.pathname) {
      case '/v1/models':
        return sendJson(response, 200, { object: 'list', data: [{ id, object: 'model', root }] });
      case '/models':
        return sendJson(response, 200, { model_path: root, task_type: 'T2I', num_gpus: 1 });
      case '/v1/list_loras':
        return sendJson(response, 200, {
          loaded_adapters: this.active.map(({ nickname, path }) => ({ nickname, path })),
          active: this.active.length === 0 ? {} : { transformer: this.active },
        });
      case '/v1/unmerge_lora_weights':
        this.active = [];
        return sendJson(response, 200, { status: 'ok' });
      case '/v1/set_lora':
        return this.#setLora(request, response);
      default: {
        this.madeWith.push(this.active.map(({ nickname }) => nickname).join());
        await this.openai.route(request, response, url);
        if (this.switchWhileWorking)
          this.active = [{ nickname: 'stranger', path: '/x', merged: true, strength: 1 }];
      }
    }
  }

  async #setLora(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.active.length > 0) return sendJson(response, 400, { detail: 'unmerge first' });
    const body = JSON.parse((await readRequestBody(request)).toString()) as Record<string, unknown>;
    const nickname = this.disobedient ? 'another' : String(body.lora_nickname);
    this.disobedient = false;
    this.active = [
      { nickname, path: String(body.lora_path), merged: true, strength: Number(body.strength ?? 1) },
    ];
    sendJson(response, 200, { status: 'ok' });
  }
}
