/** One command of the command line, from its arguments to its exit code. */

import { readVersion } from '../version.ts';
import type { Command } from './arguments.ts';
import { check } from './check.ts';
import { reload } from './reload.ts';
import { serve } from './serve.ts';
import { USAGE } from './usage.ts';
import { verify } from './verify/verify.ts';

export async function runCommand(command: Command): Promise<number> {
  switch (command.name) {
    case 'help':
      console.log(USAGE);
      return 0;
    case 'version':
      console.log(readVersion());
      return 0;
    case 'check':
      return check(command.args);
    case 'reload':
      return reload(command.runDir);
    case 'verify':
      return verify(command.args);
    case 'serve':
      return serve(command.args);
  }
}
