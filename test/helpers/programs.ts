/** System programs that some tests need. Without one the test is skipped with its name, or fails in CI. */
import { spawnSync } from 'node:child_process';

/** The `skip` option of a test: false when the program is there, else why it is skipped. */
export function unlessInstalled(program: string): string | false {
  const isThere = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
  if (isThere) return false;
  if (process.env.PLUGIND_TEST_NO_SKIP === '1') throw new Error(`${program} is not installed`);
  return `${program} is not installed`;
}
