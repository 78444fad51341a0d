/** The same workers under pm2: started, asked, scraped, stopped, and stopped for good by a mistake. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fetchSoon } from '../helpers/fetch-soon.ts';
import { createPm2Home, freePort, type Pm2Home, writeEcosystem } from '../helpers/pm2-process.ts';
import { waitFor } from '../helpers/wait-for.ts';

interface Pm2App {
  pid: number;
  pm2_env: { status: string; restart_time: number };
}

interface Status {
  workers: { pid: number; state: string }[];
}

async function list(pm2: Pm2Home): Promise<Pm2App[]> {
  const { output } = await pm2.run(['jlist']);
  return JSON.parse(output.slice(output.indexOf('['))) as Pm2App[];
}

describe('under pm2', () => {
  let pm2: Pm2Home;
  let url: string;
  let adminUrl: string;
  before(async () => {
    pm2 = createPm2Home();
    const port = await freePort();
    const adminPort = await freePort();
    url = `http://127.0.0.1:${port}`;
    adminUrl = `http://127.0.0.1:${adminPort}`;
    const args = ['start', writeEcosystem({ instances: 2 })];
    const env = { PLUGIND_PORT: String(port), PLUGIND_ADMIN_PORT: String(adminPort) };
    const started = await pm2.run(args, env);
    assert.equal(started.code, 0, started.output);
  });
  after(() => pm2.close());

  it('answers the request of the article exactly', async () => {
    const headers = { 'content-type': 'text/plain; charset=utf-8' };
    const reply = await fetchSoon(url, { method: 'POST', headers, body: '😄 Bob Morane' });
    assert.equal(reply.status, 200);
    assert.equal(await reply.text(), '{"message":"🦀 Hello 😄 Bob Morane"}');
  });

  it('shows both workers in one scrape', async () => {
    const text = await (await fetchSoon(`${adminUrl}/metrics`)).text();
    assert.equal(text.match(/^plugind_worker_up\{.*\} 1$/gm)?.length, 2, pm2.logs());
    assert.match(text, /^plugind_workers_expected 2$/m);
  });

  it('starts a killed worker again', async () => {
    const [victim] = await list(pm2);
    assert.ok(victim);
    process.kill(victim.pid, 'SIGKILL');
    await waitFor('two workers to be ready again', async () => {
      const status = (await (await fetchSoon(`${adminUrl}/status`)).json()) as Status;
      const ready = status.workers.filter(
        ({ pid, state }) => pid !== victim.pid && state === 'ready',
      );
      return ready.length === 2;
    });
  });

  it('stops without error', async () => {
    const stopped = await pm2.run(['stop', 'plugind']);
    assert.equal(stopped.code, 0, stopped.output);
    assert.deepEqual(
      (await list(pm2)).map(({ pm2_env }) => pm2_env.status),
      ['stopped', 'stopped'],
    );
  });
});

it('a mistake is one clear line in the log, and pm2 does not start the worker again', async () => {
  const pm2 = createPm2Home();
  try {
    // Returns once pm2 has waited in vain for the worker to be ready, and would have restarted it.
    const ecosystem = writeEcosystem({ instances: 1, listen_timeout: 3000 });
    await pm2.run(['start', ecosystem], { PLUGIND_PORT: 'x' });
    const [app] = await list(pm2);
    assert.equal(app?.pid, 0);
    assert.equal(app.pm2_env.restart_time, 0);
    assert.match(pm2.logs(), /PLUGIND_PORT/);
    assert.doesNotMatch(pm2.logs(), /\n\s+at /);
  } finally {
    await pm2.close();
  }
});
