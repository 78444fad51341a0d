/** Writes the configuration of a plugind under test: defaults but for what a contender or scenario differs in. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { BODY_LIMIT_BYTES } from './create-app.ts';

export interface PlugindSettings {
  readonly wasm: string;
  readonly functionName: string;
  readonly isolation: 'shared' | 'pool' | 'fresh';
  readonly execution: 'inline' | 'thread';
  readonly poolSize?: number;
  /** JavaScript module. */
  readonly hostFunctions?: string;
  /** Requests that may wait, per worker; default plugind's own. */
  readonly queueMax?: number;
}

/** The file's path. It is written into `folder`, which the caller removes. */
export function writePlugindConfig(folder: string, settings: PlugindSettings): string {
  const { wasm, functionName, isolation, execution, poolSize, hostFunctions, queueMax } = settings;
  const plugin = {
    wasm,
    isolation,
    execution,
    ...(poolSize === undefined ? {} : { poolSize }),
    ...(hostFunctions === undefined ? {} : { hostFunctions }),
    ...(queueMax === undefined ? {} : { queue: { max: queueMax } }),
  };
  const config = {
    listen: { port: 0 },
    admin: { port: 0 },
    http: { bodyLimitBytes: BODY_LIMIT_BYTES },
    plugins: { bench: plugin },
    routes: [{ path: '/', plugin: 'bench', function: functionName }],
  };
  const file = path.join(folder, 'plugind.json');
  writeFileSync(file, JSON.stringify(config));
  return file;
}
