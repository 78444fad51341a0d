/**
 * The servers that are up. One that the next scenario asks for with the same plugin is handed on as it is;
 * the others end before that scenario begins. An idle server costs the measured one nothing.
 */
import type { Contender, Served } from '../contenders.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { checkFirstAnswer } from './measure.ts';
import { type RunningContender, startContender } from './start-contender.ts';

export class RunningServers {
  readonly #servers = new Map<string, RunningContender>();

  /** Ends those that the scenario has no use for: all, where it wants them cold. */
  async makeRoomFor({ served, tool }: Scenario): Promise<void> {
    const kept = tool?.name === 'hey' ? null : JSON.stringify(served);
    await this.#stop((key) => kept === null || !key.endsWith(` ${kept}`));
  }

  /**
   * Up, and with a right first answer to what the scenario sends.
   * @throws NotHere for what cannot run here; Error for a server that does not start or answers anything else.
   */
  async get(contender: Contender, scenario: Scenario): Promise<RunningContender> {
    const key = keyOf(contender, scenario.served);
    const running = this.#servers.get(key) ?? (await startContender(contender, scenario.served));
    this.#servers.set(key, running);
    await checkFirstAnswer(running, scenario);
    return running;
  }

  /** In place of one that died. */
  async restart(contender: Contender, scenario: Scenario): Promise<RunningContender> {
    const key = keyOf(contender, scenario.served);
    await this.#stop((candidate) => candidate === key);
    return this.get(contender, scenario);
  }

  async stopAll(): Promise<void> {
    await this.#stop(() => true);
  }

  async #stop(isOver: (key: string) => boolean): Promise<void> {
    const over = [...this.#servers].filter(([key]) => isOver(key));
    for (const [key] of over) this.#servers.delete(key);
    await Promise.all(over.map(([, running]) => running.stop()));
  }
}

function keyOf({ name }: Contender, served: Served): string {
  return `${name} ${JSON.stringify(served)}`;
}
