/** A stream of the live page in a server that is stopped: it ends first, and everything else goes on. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { exampleWasm } from '../helpers/paths.ts';
import { startServer } from '../helpers/server-process.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { writeConfig } from '../helpers/write-config.ts';

describe('a stream of the live page', () => {
  it('ends at the first step of the drain, while requests are still served', async () => {
    const config = writeConfig({
      shutdown: { delayMs: 3000 },
      plugins: { hello: { wasm: exampleWasm('hello') } },
      routes: [{ path: '/', plugin: 'hello', function: 'hello' }],
    });
    const server = await startServer({ args: ['--config', config, '--workers', '1'] });
    const [stream] = (await once(get(`${server.adminUrl}/live/events`), 'response')) as [
      IncomingMessage,
    ];
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await waitFor('a turn', () => text.includes('event: turn'));
    const stopped = server.stop();
    await once(stream, 'end');
    const reply = await fetch(server.url, { method: 'POST', body: 'Bob' });
    assert.equal(reply.status, 200);
    assert.equal(await stopped, 0);
  });
});
