/**
 * Asks every process of the app, each over its own socket and all at once. This process answers
 * for itself directly. It says who answered what; cluster-view.ts decides what that means.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LifecycleState } from '../lifecycle/state.ts';
import type { Logger } from '../log.ts';
import { askSibling } from './ask-sibling.ts';
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

/** System errors that mean that nobody is behind a socket any more. */
const NOBODY_THERE: readonly unknown[] = ['ECONNREFUSED', 'ENOENT'];

export class Siblings {
  readonly #options: Required<SiblingsOptions>;

  constructor(options: SiblingsOptions) {
    this.#options = { timeoutMs: 500, maxBytes: 16 * 1024 * 1024, ...options };
  }

  /** One answer for each process there is, this one included. Never fails. */
  async ask(subject: Subject): Promise<SiblingAnswer[]> {
    const { runDir, own, log } = this.#options;
    const names = await readdir(runDir).catch((error: unknown) => {
      log.warn({ err: error, runDir }, 'run directory cannot be read');
      return [];
    });
    const { pid } = own.status();
    const owners = names.map(parseSocketName).filter((owner) => owner !== undefined);
    const others = owners.filter((owner) => owner.pid !== pid);
    const answers = await Promise.all([
      this.#askOwn(subject),
      ...others.map((owner) => this.#askOther(owner, subject)),
    ]);
    return answers.filter((answer) => answer !== undefined);
  }

  async #askOwn(subject: Subject): Promise<SiblingAnswer> {
    const { own, log } = this.#options;
    const status = own.status();
    const { slot, pid, state, uptimeSeconds } = status;
    try {
      const body = subject === 'metrics' ? await own.metrics() : JSON.stringify(status);
      return { slot, pid, state, uptimeSeconds, body };
    } catch (error) {
      log.warn({ err: error }, 'own metrics cannot be read');
      return { slot, pid, state: 'silent' };
    }
  }

  /** Nothing when the socket is a dead process's. */
  async #askOther(owner: SocketOwner, subject: Subject): Promise<SiblingAnswer | undefined> {
    const { runDir, log, timeoutMs, maxBytes } = this.#options;
    const { slot, pid } = owner;
    const socket = join(runDir, `w${slot}-${pid}.sock`);
    try {
      const reply = await askSibling({ socket, path: `/${subject}`, timeoutMs, maxBytes });
      return { slot, pid, ...reply };
    } catch (error) {
      if (NOBODY_THERE.includes((error as NodeJS.ErrnoException).code)) {
        // A socket is refused too between its bind and its listen: only a dead process's is removed.
        if (isProcessGone(pid)) await rm(socket, { force: true });
        return undefined;
      }
      log.debug({ err: error, slot, pid }, 'sibling does not answer');
      return { slot, pid, state: 'silent' };
    }
  }
}
