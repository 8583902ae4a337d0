/**
 * The vendor of the gateway's benchmark, and a bare proxy before it, as a process of its own. Speaks as much of OpenAI's
 * Images API as one generation needs. Started with fork(); sends its two ports.
 */
import { createServer, request as httpRequest, Agent, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import sharp from 'sharp';

const SIDE_PIXELS = 1024;
/** Different pictures, so that nothing is stored once for many. */
const PICTURES = 32;

async function picture(seed: number): Promise<string> {
  const noise = { type: 'gaussian', mean: 100 + seed, sigma: 25 } as const;
  const image = sharp({
    create: { width: SIDE_PIXELS, height: SIDE_PIXELS, channels: 3, background: '#888', noise },
  });
  return (await image.jpeg({ quality: 80 }).toBuffer()).toString('base64');
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function main(): Promise<void> {
  const pictures = await Promise.all(Array.from({ length: PICTURES }, (_, seed) => picture(seed)));
  const usage = {
    input_tokens: 12,
    input_tokens_details: { text_tokens: 12, image_tokens: 0 },
    output_tokens: 1056,
    total_tokens: 1068,
  };
  const answers = pictures.map((b64_json) =>
    JSON.stringify({ created: 1_796_000_000, output_format: 'jpeg', data: [{ b64_json }], usage }),
  );
  let count = 0;
  const vendor = createServer((request, response) => {
    request.resume().on('end', () => {
      const body = answers[count++ % PICTURES] ?? '';
      response.setHeader('content-type', 'application/json').end(body);
    });
  });
  const vendorPort = await listen(vendor);
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const proxy = createServer((request, response) => {
    const { method, url: path, headers } = request;
    const forwarded = httpRequest({ port: vendorPort, method, path, headers, agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(forwarded);
  });
  process.send?.({ vendorPort, proxyPort: await listen(proxy) });
}

void main();
