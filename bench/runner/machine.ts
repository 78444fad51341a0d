/** What was measured on: a figure without its machine and versions says nothing. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CPUS, ROOT } from '../contenders.ts';
import type { MachineReport } from './report.ts';

const PACKAGES = ['@extism/extism', 'fastify'];
const GO_MODULES = [
  'github.com/extism/go-sdk',
  'github.com/gofiber/fiber/v2',
  'github.com/tetratelabs/wazero',
];

export function describeMachine(): MachineReport {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cpus: CPUS,
    memoryBytes: os.totalmem(),
    system: `${os.type()} ${kernelVersion()} ${os.arch()}`,
    node: process.version,
    go: ask('go', ['env', 'GOVERSION']),
    packages: { ...packageVersions(), ...goVersions() },
    commit: ask('git', ['describe', '--always', '--dirty', '--abbrev=12']),
  };
}

/** Without what a distribution or a host adds to it. */
function kernelVersion(): string {
  return /^\d+(\.\d+)*/.exec(os.release())?.[0] ?? os.release();
}

function packageVersions(): Record<string, string> {
  const read = (file: string): string =>
    (JSON.parse(readFileSync(path.join(ROOT, file), 'utf8')) as { version: string }).version;
  const installed = PACKAGES.map((name) => [name, read(`node_modules/${name}/package.json`)]);
  return { plugind: read('package.json'), ...Object.fromEntries(installed) };
}

function goVersions(): Record<string, string> {
  const text = readFileSync(path.join(ROOT, 'bench/peers/go.mod'), 'utf8');
  const pairs = GO_MODULES.map((name) => [
    name,
    text
      .split('\n')
      .find((line) => line.trim().startsWith(`${name} `))
      ?.trim()
      .split(' ')[1],
  ]);
  return Object.fromEntries(pairs.filter(([, version]) => version !== undefined));
}

/** What a program says; null when it is not there or fails. */
function ask(program: string, args: readonly string[]): string | null {
  try {
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
    return execFileSync(program, [...args], { cwd: ROOT, stdio, encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}
