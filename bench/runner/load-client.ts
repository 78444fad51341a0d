/** The load client as runner/build.ts compiled it; bench/load is its source and says what it does. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { LOAD_FOLDER } from '../contenders.ts';

type HeyModule = typeof import('../load/run-hey.ts');
type WrkModule = typeof import('../load/run-wrk.ts');
type LoadModule = typeof import('../load/run-load.ts');

export const runLoad: LoadModule['runLoad'] = async (...args) => {
  const { runLoad: run } = await load<LoadModule>('run-load.js');
  return run(...args);
};

export const runHey: HeyModule['runHey'] = async (...args) => {
  const { runHey: run } = await load<HeyModule>('run-hey.js');
  return run(...args);
};

export const runWrk: WrkModule['runWrk'] = async (...args) => {
  const { runWrk: run } = await load<WrkModule>('run-wrk.js');
  return run(...args);
};

/** When it is first needed, since it is built only after this module is read. */
function load<Module>(file: string): Promise<Module> {
  return import(pathToFileURL(path.join(LOAD_FOLDER, file)).href);
}
