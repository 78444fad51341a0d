/**
 * Builds what is measured and what measures: dist/, the Node servers and the load client (compiled like
 * plugind: a TypeScript loader would weigh on each server, and on each thread of the client), and the Go
 * peers where Go is.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { PEERS_PROGRAM, ROOT } from '../contenders.ts';

const BENCH = path.join(ROOT, 'bench');
const PEERS = path.join(BENCH, 'peers');

/** @throws Error with the compiler's words. */
export function buildNode(): void {
  const tsc = path.join(
    path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
    'bin/tsc',
  );
  runNode([path.join(ROOT, 'scripts/build.js'), '--if-stale']);
  runNode([tsc, '-p', path.join(BENCH, 'tsconfig.dist.json')]);
}

function runNode(args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args[0]} failed:\n${stdout}${stderr}`);
}

/**
 * Why there are no Go peers, or null: they are built.
 * @param mayTakeLong a first build takes minutes; false: only one that is there already is used.
 */
export function buildGoPeers(mayTakeLong: boolean): string | null {
  if (isUpToDate()) return null;
  if (spawnSync('go', ['version']).status !== 0) return 'Go is not installed';
  if (!mayTakeLong)
    return 'they are not built (bench/peers; npm run bench without --quick does it)';
  const args = ['build', '-trimpath', '-o', PEERS_PROGRAM, '.'];
  const { status, stderr } = spawnSync('go', args, { cwd: PEERS, encoding: 'utf8' });
  return status === 0 ? null : `go build failed: ${stderr.trim().split('\n').at(-1) ?? ''}`;
}

function isUpToDate(): boolean {
  if (!existsSync(PEERS_PROGRAM)) return false;
  const built = statSync(PEERS_PROGRAM).mtimeMs;
  return readdirSync(PEERS)
    .filter((name) => /\.go$|^go\.(mod|sum)$/.test(name))
    .every((name) => statSync(path.join(PEERS, name)).mtimeMs <= built);
}
