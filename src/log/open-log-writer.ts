/**
 * Chooses how standard output is written. Node's own stream would do for none of the cases: it
 * blocks on a terminal, and is gone for good after one write to a full disk.
 */
import { constants, fstatSync, openSync } from 'node:fs';
import { DescriptorWriter, descriptorBytes } from './descriptor-writer.ts';
import type { LogWriter } from './log-writer.ts';
import { StreamWriter } from './stream-writer.ts';

const STDOUT = 1;

export function openLogWriter(): LogWriter {
  // A supervisor that replaced `write` (pm2 does, in cluster mode) wants to see the lines itself.
  const isReplaced = Object.hasOwn(process.stdout, 'write');
  const descriptor = isReplaced ? null : openNonBlocking(STDOUT);
  if (descriptor !== null) return new DescriptorWriter(descriptorBytes(descriptor));
  // Told to each write's callback as well; without a listener it would end the process.
  process.stdout.on('error', () => {});
  return new StreamWriter(process.stdout);
}

/**
 * A descriptor for the same file that does not block, or null where there is none. Pipes and
 * terminals are opened anew, since the flag on the one we have would bind every process that shares
 * it, the operator's shell too; that works on Linux only. A file never makes us wait for a reader,
 * and keeps its descriptor: beside a second one, standard error could write over our lines.
 */
export function openNonBlocking(descriptor: number): number | null {
  try {
    const stats = fstatSync(descriptor);
    if (stats.isFile()) return descriptor;
    if (process.platform !== 'linux' || !(stats.isFIFO() || stats.isCharacterDevice())) return null;
    const { O_WRONLY, O_NONBLOCK, O_APPEND } = constants;
    return openSync(`/proc/self/fd/${descriptor}`, O_WRONLY | O_NONBLOCK | O_APPEND);
  } catch {
    return null;
  }
}
