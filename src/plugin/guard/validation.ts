/**
 * V8's judgement on a module, before and after rewriting. Before: an invalid module is refused with
 * V8's message and, where one is the cause, the name of the proposal that this Node.js does not
 * run. After: the module is compiled, and that it does not compile would be a defect of ours.
 */
import { ServerError } from '../../errors.ts';
import { refusal } from './refusal.ts';

/**
 * Throws unless V8 takes the module. `walk` reads the whole of it and throws a refusal that names
 * a feature if it meets one that it does not know.
 */
export function checkValid(bytes: Uint8Array, walk: () => unknown): void {
  if (WebAssembly.validate(bytes)) return;
  const feature = featureOf(walk);
  if (feature !== undefined) {
    throw refusal(`it uses ${feature}, which this version of Node.js does not run`, { feature });
  }
  throw refusal(compileMessage(bytes));
}

function featureOf(walk: () => unknown): string | undefined {
  try {
    walk();
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    const { feature, proposal } = error.details;
    if (typeof proposal === 'string' && !proposal.startsWith('not ')) {
      return `${feature} (${proposal})`;
    }
  }
  return undefined;
}

function compileMessage(bytes: Uint8Array): string {
  try {
    new WebAssembly.Module(bytes);
    return 'not a valid module';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Compiles what the guard wrote. */
export function compile(bytes: Uint8Array): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    throw new ServerError('INTERNAL', 'the guarded module is not valid', { cause: error });
  }
}
