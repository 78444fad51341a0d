/**
 * `plugind reload`: asks a running primary of this user for a roll and waits for its end. The
 * primary is found by its run directory: the one named, else the only one with a primary in it.
 */
import path from 'node:path';
import { askPrimary, isNobodyThere } from '../admin/ask-primary.ts';
import {
  type PrimaryStatus,
  parsePrimaryStatus,
  type RollStatus,
} from '../admin/primary-status.ts';
import { findRunDirs } from '../admin/run-dir.ts';
import { OWN_APP_NAME, readProcessRole } from '../cluster/process-role.ts';
import { ServerError } from '../errors.ts';

const POLL_MS = 100;

/** Resolves to 0 when all workers were rolled, to 1 when the old ones serve on. @throws ServerError when it is not clear which server is meant. */
export async function reload(given: string | null): Promise<number> {
  const named = given ?? readProcessRole().runDir;
  const runDir = named === null ? await findPrimary() : path.resolve(named);
  const { id } = await ask<RollStatus>(runDir, 'POST', '/reload');
  try {
    return await waitForEnd(runDir, id);
  } catch (error) {
    // The server ended, for instance. That is no mistake of whoever asked.
    console.error(`plugind: the end of the reload was not seen: ${(error as Error).message}`);
    return 1;
  }
}

async function waitForEnd(runDir: string, id: string): Promise<number> {
  for (;;) {
    const roll = await ask<RollStatus>(runDir, 'GET', `/rolls/${id}`);
    if (roll.state === 'done') {
      const { expectedWorkers } = await ask<PrimaryStatus>(runDir, 'GET', '/status');
      console.log(
        `plugind: reloaded, ${expectedWorkers} ${expectedWorkers === 1 ? 'worker' : 'workers'}, ${roll.durationMs} ms`,
      );
      return 0;
    }
    if (roll.state === 'failed') {
      console.error(`plugind: not reloaded, the old workers serve on: ${roll.reason}`);
      return 1;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function findPrimary(): Promise<string> {
  const found: { runDir: string; status: PrimaryStatus }[] = [];
  for (const runDir of await findRunDirs(OWN_APP_NAME)) {
    const status = await askPrimary({ runDir, method: 'GET', path: '/status' })
      .then(({ body }) => parsePrimaryStatus(body))
      .catch(() => null);
    if (status !== null) found.push({ runDir, status });
  }
  const [only, ...others] = found;
  if (only === undefined) {
    const message =
      'no server of this user runs here; one with a run directory of its own is named by --run-dir DIR';
    throw new ServerError('CONFIG_INVALID', message);
  }
  if (others.length === 0) return only.runDir;
  const lines = found.map(
    ({ runDir, status }) => `  --run-dir ${runDir}   (${status.listen}, pid ${status.pid})`,
  );
  throw new ServerError(
    'CONFIG_INVALID',
    ['several servers run here; say which:', ...lines].join('\n'),
  );
}

async function ask<Result>(runDir: string, method: 'GET' | 'POST', url: string): Promise<Result> {
  try {
    const { status, body } = await askPrimary({ runDir, method, path: url, timeoutMs: 5000 });
    if (status >= 400) throw new ServerError('INTERNAL', `the primary answers ${status} ${body}`);
    return JSON.parse(body) as Result;
  } catch (error) {
    if (!isNobodyThere(error)) throw error;
    const message = `no server answers in the run directory ${runDir}`;
    throw new ServerError('CONFIG_INVALID', message, { cause: error });
  }
}
