/** Two servers that were given one run directory and start at once: the second harms the first not. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { ClusterStatus } from '../../src/admin/cluster-view.ts';
import { exampleWasm } from '../helpers/paths.ts';
import { spawnCli, startServer } from '../helpers/server-process.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { writeConfig } from '../helpers/write-config.ts';

const WASM = readFileSync(exampleWasm('hello'));

function serves({ output }: ReturnType<typeof spawnCli>): boolean {
  return output.stderr.includes('plugind serves');
}

describe('a server whose run directory was taken while it checked its plugins', () => {
  for (const [what, status, reason] of [
    // Seen failing: it took the other's socket away and served beside it.
    ['refuses to serve', 200, /is used by another running server/],
    // Seen failing: it removed the other's sockets, and what its workers run on.
    ['touches nothing when it fails for another reason', 500, /plugins\.own: .*500/],
  ] as const) {
    it(what, async (t) => {
      const runDir = mkdtempSync(path.join(os.tmpdir(), 'shared-'));
      const env = { PLUGIND_RUN_DIR: runDir };
      const site = createServer().listen(0, '127.0.0.1');
      t.after(() => {
        site.closeAllConnections();
        site.close();
        rmSync(runDir, { recursive: true });
      });
      await once(site, 'listening');
      const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
      const hash = createHash('sha256').update(WASM).digest('hex');
      const config = writeConfig({
        listen: { port: 0 },
        admin: { port: 0 },
        plugins: { own: { manifest: { wasm: [{ url, hash }] } } },
        routes: [{ path: '/', plugin: 'own', function: 'hello' }],
      });
      const slow = spawnCli({ args: ['serve', '--config', config], env });
      t.after(() => slow.child.kill('SIGKILL'));
      const [, download] = (await once(site, 'request')) as [unknown, ServerResponse];
      const first = await startServer({ args: ['--workers', '1'], env });
      t.after(first.stop);
      const files = readdirSync(runDir);
      download.writeHead(status).end(WASM);
      await waitFor('it to end or to serve', () => slow.child.exitCode !== null || serves(slow));
      assert.equal(slow.child.exitCode, 2, slow.output.stderr);
      await slow.exited;
      assert.match(slow.output.stderr, reason);
      assert.deepEqual(
        files.filter((name) => !readdirSync(runDir).includes(name)),
        [],
      );
      const seen = (await (await fetch(`${first.adminUrl}/status`)).json()) as ClusterStatus;
      assert.equal(seen.primary?.pid, first.child.pid);
      assert.equal(await first.stop(), 0);
      assert.deepEqual(readdirSync(runDir), []);
    });
  }
});
