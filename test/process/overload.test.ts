/** More than a plugin can take is refused at once, nobody hangs, and the server serves afterwards. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseSamples, sumOf } from '../helpers/exposition.ts';
import { exampleWasm } from '../helpers/paths.ts';
import { pipeline, type WireReply } from '../helpers/pipelined-client.ts';
import { startServer } from '../helpers/server-process.ts';
import { writeConfig } from '../helpers/write-config.ts';

const REQUESTS = 1000;
/** About 3 ms of the plugin's time. */
const WORK = '300';

it('answers 1,000 requests at once with 200 or 503, then goes on', async () => {
  const config = writeConfig({
    plugins: { slow: { wasm: exampleWasm('slow'), queue: { max: 10 } } },
    routes: [{ path: '/', plugin: 'slow', function: 'slow' }],
  });
  const server = await startServer({ args: ['--config', config, '--workers', '1'] });
  try {
    const sent = Array.from({ length: REQUESTS }, () => pipeline(server.port, [{ body: WORK }]));
    const replies = (await Promise.all(sent)).flat();
    const served = replies.filter(({ status }) => status === 200);
    const refused = replies.filter(({ status }) => status === 503);
    assert.ok(served.length > 0 && refused.length > 0);
    assert.equal(served.length + refused.length, REQUESTS);
    for (const reply of refused) assertRefusal(reply);
    const [after] = await pipeline(server.port, [{ body: '1' }]);
    assert.equal(after?.status, 200);
    const samples = parseSamples(await (await fetch(`${server.adminUrl}/metrics`)).text());
    const calls = (outcome: string): number =>
      sumOf(samples, 'plugind_plugin_calls_total', `outcome="${outcome}"`);
    assert.equal(calls('ok'), served.length + 1);
    assert.equal(calls('QUEUE_FULL'), refused.length);
  } finally {
    await server.stop();
  }
});

function assertRefusal({ headers, body }: WireReply): void {
  assert.match(headers['retry-after'] ?? '', /^\d+$/);
  assert.equal(headers['content-type'], 'application/problem+json');
  assert.equal(JSON.parse(body).code, 'QUEUE_FULL');
}
