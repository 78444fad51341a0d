/**
 * Reads the command line into a typed command. Which flags there are stands in config/settings.ts;
 * what they mean together with file and environment is for config/load-config.ts.
 */
import { parseArgs } from 'node:util';
import { didYouMean } from '../config/did-you-mean.ts';
import {
  applySetting,
  type MutableOverrides,
  type Overrides,
  SETTING_NAMES,
  SETTINGS,
} from '../config/settings.ts';
import { ServerError } from '../errors.ts';
import type { ProbeMethod } from './verify/probe.ts';
import type { VerifyArguments } from './verify/verify.ts';

/** What `serve` and `check` can be told. */
export type ServeArguments = Overrides;

/** A command line. */
export type Command =
  | { readonly name: 'help' | 'version' }
  | { readonly name: 'serve' | 'check'; readonly args: ServeArguments }
  | { readonly name: 'reload'; readonly runDir: string | null }
  | { readonly name: 'verify'; readonly args: VerifyArguments };

const COMMANDS = ['serve', 'check', 'reload', 'verify'] as const;
/** The only flag of `reload`, and of nothing else. */
const RUN_DIR_FLAG = 'run-dir';
/** The flags of `verify`, and of nothing else. */
const VERIFY_FLAGS = ['connections', 'requests', 'method'] as const;
const VERIFY_DEFAULTS = { connections: 50, requests: 5000 };
const VERIFY_MAXIMA = { connections: 1000, requests: 10_000_000 };
const SWITCHES = ['help', 'version'] as const;

/** A flag -> the setting it gives. */
const SETTING_BY_FLAG: ReadonlyMap<string, keyof Overrides> = new Map(
  SETTING_NAMES.flatMap((name) => {
    const { flag } = SETTINGS[name];
    return flag === null ? [] : [[flag, name] as const];
  }),
);

const VALUE_FLAGS: readonly string[] = [...SETTING_BY_FLAG.keys(), RUN_DIR_FLAG, ...VERIFY_FLAGS];

interface Words {
  /** The switch that stands in front of everything else, if one does. */
  readonly asked: 'help' | 'version' | null;
  readonly flags: ReadonlyMap<string, string>;
  readonly positionals: readonly string[];
}

/**
 * Reads what follows `plugind`.
 * @throws ServerError `CONFIG_INVALID` with one line.
 */
export function parseArguments(argv: readonly string[]): Command {
  const { asked, flags, positionals } = split(argv, SWITCHES);
  if (asked !== null) return { name: asked };
  const [word, ...rest] = positionals;
  const name = COMMANDS.find((command) => command === word);
  if (name === 'reload') return toReload(flags, rest);
  if (name === 'verify') return toVerify(flags, rest);
  if (name !== undefined) return { name, args: toServeArguments(name, flags, rest) };
  const known = `the commands are: ${COMMANDS.join(', ')} (plugind --help says more)`;
  if (word === undefined) throw mistake(`no command given; ${known}`);
  throw mistake(`unknown command ${JSON.stringify(word)}${didYouMean(word, COMMANDS)}; ${known}`);
}

/**
 * Reads the arguments of `serve` alone, as pm2 gives them to a worker.
 * @throws ServerError `CONFIG_INVALID` with one line.
 */
export function parseServeArguments(argv: readonly string[]): ServeArguments {
  const { flags, positionals } = split(argv, []);
  return toServeArguments('serve', flags, positionals);
}

/** Sorts the words of a command line; not strict, since parseArgs' own messages take several lines. */
function split(argv: readonly string[], switches: readonly ('help' | 'version')[]): Words {
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    options: {
      ...Object.fromEntries(VALUE_FLAGS.map((flag) => [flag, { type: 'string' }])),
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
  });
  const flags = new Map<string, string>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const asked = switches.find((candidate) => candidate === token.name);
    if (asked !== undefined) {
      if (token.value !== undefined) throw mistake(`--${asked} takes no value`);
      return { asked, flags, positionals };
    }
    if (!VALUE_FLAGS.includes(token.name)) {
      const known = [...VALUE_FLAGS, ...switches].map((flag) => `--${flag}`);
      throw mistake(`unknown flag ${token.rawName}${didYouMean(token.rawName, known)}`);
    }
    if (token.value === undefined || (!token.inlineValue && token.value.startsWith('--'))) {
      throw mistake(`${token.rawName} needs a value`);
    }
    if (flags.has(token.name)) throw mistake(`${token.rawName} is given twice`);
    flags.set(token.name, token.value);
  }
  return { asked: null, flags, positionals };
}

function toReload(flags: ReadonlyMap<string, string>, rest: readonly string[]): Command {
  const other = [...flags.keys()].find((flag) => flag !== RUN_DIR_FLAG);
  if (other !== undefined) {
    throw mistake(
      `reload takes --${RUN_DIR_FLAG} only (got --${other} too): a server keeps its flags`,
    );
  }
  if (rest[0] !== undefined)
    throw mistake(`reload takes no arguments (got ${JSON.stringify(rest[0])})`);
  const runDir = flags.get(RUN_DIR_FLAG) ?? null;
  if (runDir === '') throw mistake(`--${RUN_DIR_FLAG} must be a folder (got "")`);
  return { name: 'reload', runDir };
}

function toVerify(flags: ReadonlyMap<string, string>, rest: readonly string[]): Command {
  const other = [...flags.keys()].find((flag) => !VERIFY_FLAGS.some((known) => known === flag));
  if (other !== undefined) throw mistake(`verify does not take --${other}`);
  const [url, extra] = rest;
  if (url === undefined) throw mistake('URL is missing: verify takes the URL of a running server');
  if (extra !== undefined) throw mistake(`verify takes one URL (got ${JSON.stringify(extra)} too)`);
  const connections = toCount(flags, 'connections');
  const requests = toCount(flags, 'requests');
  return { name: 'verify', args: { url, connections, requests, methods: toMethods(flags) } };
}

function toCount(flags: ReadonlyMap<string, string>, flag: keyof typeof VERIFY_DEFAULTS): number {
  const text = flags.get(flag);
  if (text === undefined) return VERIFY_DEFAULTS[flag];
  const count = /^\d{1,8}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= VERIFY_MAXIMA[flag]) return count;
  throw mistake(
    `--${flag} must be an integer from 1 to ${VERIFY_MAXIMA[flag]} (got ${JSON.stringify(text)})`,
  );
}

function toMethods(flags: ReadonlyMap<string, string>): readonly ProbeMethod[] {
  const method = flags.get('method') ?? 'both';
  if (method === 'both') return ['POST', 'GET'];
  if (method === 'POST' || method === 'GET') return [method];
  throw mistake(`--method must be POST, GET or both (got ${JSON.stringify(method)})`);
}

function toServeArguments(
  command: 'serve' | 'check',
  flags: ReadonlyMap<string, string>,
  positionals: readonly string[],
): ServeArguments {
  const args: MutableOverrides = {};
  for (const [flag, text] of flags) {
    const name = SETTING_BY_FLAG.get(flag);
    if (name === undefined) {
      const owner = flag === RUN_DIR_FLAG ? 'reload' : 'verify';
      throw mistake(`--${flag} is for plugind ${owner}, not for ${command}`);
    }
    apply(args, name, text, `--${flag}`);
  }
  const [wasm, functionName, port, extra] = positionals;
  if (wasm === undefined) return args;
  if (extra !== undefined) {
    throw mistake(`${command} takes WASM FUNCTION PORT at most (got ${JSON.stringify(extra)} too)`);
  }
  if (functionName === undefined) {
    throw mistake(
      `FUNCTION is missing: ${command} takes WASM FUNCTION [PORT] (got ${JSON.stringify(wasm)} alone)`,
    );
  }
  if (args.config !== undefined) {
    throw mistake(
      `--config and WASM FUNCTION exclude each other (got ${JSON.stringify(args.config)} and ${JSON.stringify(wasm)})`,
    );
  }
  apply(args, 'wasm', wasm, 'WASM');
  apply(args, 'function', functionName, 'FUNCTION');
  if (port !== undefined) {
    if (args.port !== undefined) {
      throw mistake(
        `the port is given twice (got ${JSON.stringify(port)} and --port ${args.port})`,
      );
    }
    apply(args, 'port', port, 'PORT');
  }
  return args;
}

function apply(args: MutableOverrides, name: keyof Overrides, text: string, shownAs: string): void {
  if (applySetting(args, name, text)) return;
  throw mistake(`${shownAs} must be ${SETTINGS[name].expected} (got ${JSON.stringify(text)})`);
}

function mistake(message: string): ServerError {
  return new ServerError('CONFIG_INVALID', message);
}
