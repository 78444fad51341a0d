/**
 * The lint rules are seen to fire: files with one mistake each are planted in a copy of the
 * project's folders and biome must name every one, and nothing in files without a mistake.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ROOT } from '../helpers/paths.ts';

/** Folders of src/ by layer: a folder imports from lower ones only. */
const LAYERS: Readonly<Record<string, number>> = {
  lock: 0,
  lifecycle: 0,
  log: 0,
  config: 1,
  metrics: 1,
  plugin: 2,
  http: 3,
  admin: 3,
  worker: 4,
  cluster: 5,
  cli: 6,
};
/** Sideways within a layer, where one has parts that the other shares. */
const ALLOWED_SIDEWAYS = [
  'lock -> lifecycle',
  'lock -> log',
  'lifecycle -> lock',
  'lifecycle -> log',
  'log -> lock',
  'log -> lifecycle',
  'admin -> http',
];
/** Downwards, but told by an observer instead. */
const BANNED_DOWNWARDS = ['plugin -> metrics'];

/** Where each dependency may be imported, as paths below src/. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  '@extism/extism': ['plugin/'],
  'prom-client': ['metrics/'],
  fastify: ['http/', 'admin/'],
  'node:cluster': ['cluster/'],
  pino: ['log.ts'],
};

const FOLDERS = Object.keys(LAYERS);
const IMPORT_BAN = 'lint/style/noRestrictedImports';

function isBanned(from: string, to: string): boolean {
  const pair = `${from} -> ${to}`;
  if (ALLOWED_SIDEWAYS.includes(pair)) return false;
  return BANNED_DOWNWARDS.includes(pair) || (LAYERS[to] ?? 0) >= (LAYERS[from] ?? 0);
}

/** A file with mistakes against one rule, or with none. */
interface Planted {
  readonly file: string;
  readonly text: string;
  readonly rule: string | null;
  /** How often the rule must fire; once where nothing is said. */
  readonly times?: number;
}

const planted: Planted[] = [];

for (const from of FOLDERS) {
  for (const to of FOLDERS.filter((folder) => folder !== from)) {
    const rule = isBanned(from, to) ? IMPORT_BAN : null;
    for (const [kind, up] of [
      ['', '..'],
      ['deeper/', '../..'],
    ] as const) {
      planted.push(
        {
          file: `src/${from}/${kind}import-${to}.ts`,
          text: `import { planted } from '${up}/${to}/planted.ts';\n\nexport const value: unknown = planted;\n`,
          rule,
        },
        {
          file: `src/${from}/${kind}import-type-${to}.ts`,
          text: `import type { Planted } from '${up}/${to}/planted.ts';\n\nexport type Mine = Planted;\n`,
          rule,
        },
      );
    }
  }
}

/** Both ways to import a module, as statements of a file. */
const statements = (module: string, name: string): string =>
  [
    `import * as ${name} from '${module}';`,
    `export const ${name}Value: unknown = [${name}, import('${module}')];`,
    '',
  ].join('\n');

const DEPENDENCIES = Object.entries(OWNERS);
for (const folder of FOLDERS) {
  for (const [index, [dependency, owners]] of DEPENDENCIES.entries()) {
    for (const place of [`${folder}/`, `${folder}/deeper/`]) {
      const isOwner = owners.includes(`${folder}/`);
      planted.push({
        file: `src/${place}owner-${index}.ts`,
        text: statements(dependency, 'planted'),
        rule: isOwner ? null : IMPORT_BAN,
        times: 2,
      });
    }
  }
}
// Files beside the folders are named one by one in biome.json, so each gets all mistakes at once.
const ROOT_FILES = readdirSync(path.join(ROOT, 'src')).filter((name) => /^[^.]+\.ts$/.test(name));
const LAYER_0_FILES = ['errors.ts', 'log.ts', 'version.ts'];
for (const name of ROOT_FILES) {
  // log/ is what log.ts is made of.
  const folders = LAYER_0_FILES.includes(name) ? FOLDERS.filter((to) => to !== 'log') : [];
  const modules = folders.map((folder) => `./${folder}/planted.ts`);
  for (const [dependency, owners] of DEPENDENCIES) {
    if (!owners.includes(name)) modules.push(dependency);
  }
  planted.push({
    file: `src/${name}`,
    text: modules.map((module, index) => statements(module, `planted${index}`)).join(''),
    rule: IMPORT_BAN,
    times: modules.length * 2,
  });
}

const lines = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => text(index)).join('\n');

const STYLE_RULES: readonly [rule: string, text: string, file?: string][] = [
  ['style/noDefaultExport', 'export default 1;\n'],
  ['style/noEnum', 'export enum Planted {\n  One,\n}\n'],
  [
    'style/noParameterProperties',
    'export class Planted {\n  constructor(readonly one: number) {}\n}\n',
  ],
  ['style/noProcessEnv', 'export const value: unknown = process.env.PLANTED;\n'],
  [
    'style/useImportType',
    "import { Planted } from './planted.ts';\n\nexport type Mine = Planted;\n",
  ],
  [
    'style/useNodejsImportProtocol',
    "import { readFileSync } from 'fs';\n\nexport const value: unknown = readFileSync;\n",
  ],
  [
    'style/noExcessiveLinesPerFile',
    lines(301, (index) => `export const value${index} = ${index};`),
  ],
  ['style/useFilenamingConvention', 'export const value = 1;\n', 'PlantedName.ts'],
  [
    'complexity/noExcessiveLinesPerFunction',
    `export function planted(): void {\n${lines(61, (index) => `  void ${index};`)}\n}\n`,
  ],
  [
    'correctness/useImportExtensions',
    "import { planted } from './planted';\n\nexport const value: unknown = planted;\n",
  ],
  [
    'correctness/noUndeclaredDependencies',
    "import planted from 'left-pad';\n\nexport const value: unknown = planted;\n",
  ],
  [
    'nursery/noFloatingPromises',
    'async function planted(): Promise<void> {}\n\nexport function run(): void {\n  planted();\n}\n',
  ],
  [
    'nursery/noMisusedPromises',
    'async function planted(): Promise<boolean> {\n  return true;\n}\n\nexport function run(): number {\n  const result = planted();\n  return result ? 1 : 2;\n}\n',
  ],
  ['performance/noBarrelFile', "export * from './planted.ts';\n"],
  ['suspicious/noConsole', "export function planted(): void {\n  console.log('x');\n}\n"],
  [
    'suspicious/noImportCycles',
    "import { other } from './cycle-other.ts';\n\nexport const value: unknown = other;\n",
    'cycle.ts',
  ],
];
for (const [rule, text, file] of STYLE_RULES) {
  const name =
    file ?? `${rule.replace(/^.*\//, '').replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}.ts`;
  planted.push({ file: `src/http/style/${name}`, text, rule: `lint/${rule}` });
}

describe('the lint rules', () => {
  let dir: string;
  /** The rules that fired, by file, as often as they did. */
  const fired = new Map<string, string[]>();

  before(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'lint-bans-'));
    const write = (file: string, text: string): void => {
      const place = path.join(dir, file);
      mkdirSync(path.dirname(place), { recursive: true });
      writeFileSync(place, text);
    };
    for (const name of ['biome.json', 'package.json'])
      cpSync(path.join(ROOT, name), path.join(dir, name));
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(dir, 'node_modules'));
    for (const folder of FOLDERS) {
      write(
        `src/${folder}/planted.ts`,
        'export const planted = 1;\n\nexport type Planted = number;\n',
      );
    }
    write(
      'src/http/style/planted.ts',
      'export const planted = 1;\n\nexport type Planted = number;\n',
    );
    write(
      'src/http/style/cycle-other.ts',
      "import { value } from './cycle.ts';\n\nexport const other: unknown = value;\n",
    );
    for (const { file, text } of planted) write(file, text);
    run();
  });
  after(() => rmSync(dir, { recursive: true }));

  /** Runs biome once over everything planted under src/. */
  function run(): void {
    const biome = path.join(ROOT, 'node_modules/.bin/biome');
    const args = ['lint', '--reporter=json', '--max-diagnostics=none', 'src'];
    const { stdout } = spawnSync(biome, args, { cwd: dir, encoding: 'utf8', maxBuffer: 1 << 28 });
    const { diagnostics } = JSON.parse(stdout) as {
      diagnostics: { category: string; severity: string; location?: { path?: string } }[];
    };
    for (const { category, severity, location } of diagnostics) {
      if (severity !== 'error' || location?.path === undefined) continue;
      fired.set(location.path, [...(fired.get(location.path) ?? []), category]);
    }
  }

  it('fire on every planted mistake, and on nothing else', () => {
    const wrong: string[] = [];
    for (const { file, rule, times = 1 } of planted) {
      const rules = fired.get(file) ?? [];
      const count = rules.filter((other) => other === rule).length;
      const isRight = rule === null ? rules.length === 0 : count === times;
      if (isRight) continue;
      const others = new Set(rules.filter((other) => other !== rule));
      wrong.push(`${file}: wanted ${rule} x ${times}, got x ${count}; ${[...others].join(', ')}`);
    }
    assert.deepEqual(wrong, []);
  });

  it('know every folder of src/', () => {
    const folders = readdirSync(path.join(ROOT, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    assert.deepEqual(folders.toSorted(), FOLDERS.toSorted());
  });
});
