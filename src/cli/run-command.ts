/** One command of the command line, from its arguments to its exit code. Each loads what it needs, no more. */

import { PrimarySignals } from '../cluster/primary-signals.ts';
import { readVersion } from '../version.ts';
import type { Command } from './arguments.ts';
import { USAGE } from './usage.ts';

export async function runCommand(command: Command): Promise<number> {
  switch (command.name) {
    case 'help':
      console.log(USAGE);
      return 0;
    case 'version':
      console.log(readVersion());
      return 0;
    case 'check':
      return (await import('./check.ts')).check(command.args);
    case 'reload':
      return (await import('./reload.ts')).reload(command.runDir);
    case 'verify':
      return (await import('./verify/verify.ts')).verify(command.args);
    case 'serve': {
      // Before the rest loads, so that no signal is lost to that.
      const signals = new PrimarySignals();
      return (await import('./serve.ts')).serve(command.args, signals);
    }
  }
}
