/**
 * Asks every process of the app, each over its own socket and all at once. This process answers
 * for itself directly. It says who answered what; cluster-view.ts decides what that means.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LifecycleState } from '../lifecycle/state.ts';
import type { Logger } from '../log.ts';
import { askSibling, type SiblingPath } from './ask-sibling.ts';
import type { OwnProcess } from './own-process.ts';
import { isProcessGone, parseSocketName, type SocketOwner } from './sibling-socket.ts';

export interface SiblingsOptions {
  /** As `prepareRunDir` returned it. */
  readonly runDir: string;
  readonly own: OwnProcess;
  readonly log: Pick<Logger, 'debug' | 'warn'>;
  /** How long one may take to answer. Default 500 ms. */
  readonly timeoutMs?: number;
  /** Longest answer of one. Default 16 MiB. */
  readonly maxBytes?: number;
}

/** What one process said. */
export type SiblingAnswer =
  | (SocketOwner & {
      readonly state: LifecycleState;
      readonly uptimeSeconds: number;
      readonly body: string;
    })
  | SilentSibling;

/** A process whose socket is there, but which gave no answer of use in time. */
export interface SilentSibling extends SocketOwner {
  readonly state: 'silent';
}

export type Subject = 'metrics' | 'status';

/** One question, as a sibling hears it and as this process answers it. */
interface Asked {
  readonly path: (pid: number) => SiblingPath;
  readonly own: (own: OwnProcess) => Promise<string> | string;
}

const SUBJECTS: Readonly<Record<Subject, Asked>> = {
  metrics: { path: () => '/metrics', own: (own) => own.metrics() },
  status: { path: () => '/status', own: (own) => JSON.stringify(own.status()) },
};

/** System errors that mean that nobody is behind a socket any more. */
const NOBODY_THERE: readonly unknown[] = ['ECONNREFUSED', 'ENOENT'];

export class Siblings {
  readonly #options: Required<SiblingsOptions>;

  constructor(options: SiblingsOptions) {
    this.#options = { timeoutMs: 500, maxBytes: 16 * 1024 * 1024, ...options };
  }

  /**
   * One answer for each process there is, this one included. Fails only where `read` throws.
   * @param read is given each answer as it comes, so that reading many large ones holds up nobody.
   */
  ask<Result>(subject: Subject, read: (answer: SiblingAnswer) => Result): Promise<Result[]> {
    return this.#askAll(SUBJECTS[subject], read);
  }

  /** The same for the live page; `since` says which row of a process's history is known last. */
  askLive(since: (pid: number) => number): Promise<SiblingAnswer[]> {
    const asked: Asked = {
      path: (pid) => `/live?since=${since(pid)}`,
      own: (own) => own.live(since(own.status().pid)),
    };
    return this.#askAll(asked, (answer) => answer);
  }

  async #askAll<Result>(asked: Asked, read: (answer: SiblingAnswer) => Result): Promise<Result[]> {
    const { runDir, own, log } = this.#options;
    const names = await readdir(runDir).catch((error: unknown) => {
      log.warn({ err: error, runDir }, 'run directory cannot be read');
      return [];
    });
    const { pid } = own.status();
    const owners = names.map(parseSocketName).filter((owner) => owner !== undefined);
    const others = owners.filter((owner) => owner.pid !== pid);
    const asking = [this.#askOwn(asked), ...others.map((owner) => this.#askOther(owner, asked))];
    const results = await Promise.all(
      asking.map(async (answering) => {
        const answer = await answering;
        return answer === undefined ? [] : [read(answer)];
      }),
    );
    return results.flat() as Result[];
  }

  async #askOwn(asked: Asked): Promise<SiblingAnswer> {
    const { own, log } = this.#options;
    const { slot, pid, state, uptimeSeconds } = own.status();
    try {
      return { slot, pid, state, uptimeSeconds, body: await asked.own(own) };
    } catch (error) {
      log.warn({ err: error }, 'own figures cannot be read');
      return { slot, pid, state: 'silent' };
    }
  }

  /** Nothing when the socket is a dead process's. */
  async #askOther(owner: SocketOwner, { path }: Asked): Promise<SiblingAnswer | undefined> {
    const { runDir, log, timeoutMs, maxBytes } = this.#options;
    const { slot, pid } = owner;
    const socket = join(runDir, `w${slot}-${pid}.sock`);
    try {
      const reply = await askSibling({ socket, path: path(pid), timeoutMs, maxBytes });
      return { slot, pid, ...reply };
    } catch (error) {
      if (NOBODY_THERE.includes((error as NodeJS.ErrnoException).code)) {
        // A socket is refused too between its bind and its listen: only a dead process's is removed.
        // One that cannot be, on a disk that went read-only for instance, is nobody's answer all the same.
        if (isProcessGone(pid)) await rm(socket, { force: true }).catch(() => {});
        return undefined;
      }
      log.debug({ err: error, slot, pid }, 'sibling does not answer');
      return { slot, pid, state: 'silent' };
    }
  }
}
