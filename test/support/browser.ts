import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type WebSocket as Socket, WebSocket } from 'undici';

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** A browser of this machine; none is part of this repository. */
export const BROWSER = PROGRAMS.find((path) => existsSync(path));

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** One page of a headless browser, by the DevTools protocol. */
export class BrowserPage {
  /** Dialogs that scripts opened, and errors that the page threw. */
  readonly alarms: string[] = [];
  private readonly waiting = new Map<number, (message: Message) => void>();
  private lastId = 0;
  private sessionId: string | undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    private readonly socket: Socket,
  ) {
    socket.addEventListener('message', ({ data }) => this.take(JSON.parse(String(data)) as Message));
  }

  static async open(program: string): Promise<BrowserPage> {
    const folder = await mkdtemp(join(tmpdir(), 'colophon-browser-'));
    const child = spawn(
      program,
      [
        ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
        ...['--no-first-run', '--remote-debugging-port=0', `--user-data-dir=${folder}`, 'about:blank'],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const address = await new Promise<string>((resolve, reject) => {
      let said = '';
      child.stderr.on('data', (bytes: Buffer) => {
        said += bytes.toString();
        const found = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      });
      child.once('exit', () => reject(new Error(`the browser ended: ${said.slice(0, 500)}`)));
    });
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error('no connection to the browser')));
    });
    const page = new BrowserPage(child, folder, socket);
    const { targetId } = await page.send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
    const attached = { targetId, flatten: true };
    page.sessionId = (await page.send<{ sessionId: string }>('Target.attachToTarget', attached)).sessionId;
    for (const domain of ['Page', 'Runtime', 'DOM']) await page.send(`${domain}.enable`);
    return page;
  }

  async goTo(url: string): Promise<void> {
    await this.send('Page.navigate', { url });
    // A page may take its secret out of the address.
    const [address = ''] = url.split('#');
    await this.until(
      `document.readyState === 'complete' && location.href.startsWith(${JSON.stringify(address)})`,
    );
  }

  /** The value of an expression in the page, which must be JSON. */
  async evaluate<T>(expression: string): Promise<T> {
    const asked = { expression, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails } = await this.send<{
      result: { value: T };
      exceptionDetails?: { text: string };
    }>('Runtime.evaluate', asked);
    if (exceptionDetails) throw new Error(exceptionDetails.text);
    return result.value;
  }

  /** As a phone of this width shows it, in CSS pixels. A page that is too wide makes it zoom out. */
  async resize(width: number, height: number): Promise<void> {
    const metrics = { width, height, deviceScaleFactor: 2, mobile: true };
    await this.send('Emulation.setDeviceMetricsOverride', metrics);
  }

  /** How wide the page is, with everything that stands out of it. */
  contentWidth(): Promise<number> {
    return this.evaluate('document.documentElement.scrollWidth');
  }

  /** Waits in the page itself until an expression is true. */
  async until(expression: string): Promise<void> {
    const met = await this.evaluate<boolean>(
      `new Promise((resolve) => {
         const end = performance.now() + 20000;
         const look = () => (${expression}) ? resolve(true) : performance.now() > end ? resolve(false) : setTimeout(look, 50);
         look();
       })`,
    );
    if (!met) throw new Error(`the page never came to: ${expression}`);
  }

  /** As if a person had chosen the file. */
  async choose(selector: string, path: string): Promise<void> {
    const { root } = await this.send<{ root: { nodeId: number } }>('DOM.getDocument');
    const { nodeId } = await this.send<{ nodeId: number }>('DOM.querySelector', {
      nodeId: root.nodeId,
      selector,
    });
    await this.send('DOM.setFileInputFiles', { files: [path], nodeId });
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await ended;
    this.socket.close();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private send<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.lastId;
    const { sessionId } = this;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ result, error }) =>
        error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result as T),
      );
      this.socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    });
  }

  private take(message: Message): void {
    if (message.id !== undefined) {
      this.waiting.get(message.id)?.(message);
      this.waiting.delete(message.id);
      return;
    }
    const { method = '' } = message;
    if (method === 'Page.javascriptDialogOpening' || method === 'Runtime.exceptionThrown') {
      this.alarms.push(JSON.stringify(message));
      if (method.startsWith('Page')) void this.send('Page.handleJavaScriptDialog', { accept: false });
    }
  }
}
