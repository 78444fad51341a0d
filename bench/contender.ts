/** One server under test in a process of its own: started, asked for one right answer, ended by its pid. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const ROOT = path.dirname(import.meta.dirname);
const LISTENING = /(?:listening|plugind serves) (http:\S+)/;
const START_CAP_MS = 20_000;

export interface Contender {
  readonly name: string;
  /** Arguments of node, from the project's root. */
  readonly command: readonly string[];
  /** What the server must answer to the body of the scenario. */
  readonly answer: string;
}

export interface RunningContender {
  readonly contender: Contender;
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts it and checks its answer. Throws when it says anything else. */
export async function startContender(
  contender: Contender,
  body: string,
): Promise<RunningContender> {
  const child = spawn(process.execPath, [...contender.command], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const url = await readUrl(child, contender.name);
  const reply = await fetch(url, { method: 'POST', body });
  const text = await reply.text();
  if (reply.status !== 200 || text !== contender.answer) {
    child.kill();
    throw new Error(`${contender.name} answered ${reply.status} ${text}, not ${contender.answer}`);
  }
  return {
    contender,
    url,
    stop: async () => {
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      await closed;
    },
  };
}

function readUrl(child: ChildProcess, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let written = '';
    const timer = setTimeout(
      () => reject(new Error(`${name} does not listen: ${written}`)),
      START_CAP_MS,
    );
    const read = (chunk: Buffer): void => {
      written += chunk.toString();
      const url = LISTENING.exec(written)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => reject(new Error(`${name} exited ${code}: ${written}`)));
  });
}
