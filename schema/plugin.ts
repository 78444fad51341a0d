/**
 * The schema of one entry of `plugins`, checked by the compiler against PluginEntry.
 * Rules between keys stand in rules.ts.
 */
import { type TUnsafe, Type } from 'typebox';
import type { PluginEntry } from '../src/config/config-file.ts';
import { PLUGIN_DEFAULTS } from '../src/config/defaults.ts';
import type {
  PluginMemoryConfig,
  ProbeConfig,
  QueueConfig,
  RecycleConfig,
} from '../src/config/types.ts';
import { FILE_NAME, FUNCTION_NAME } from '../src/config/value-shapes.ts';
import {
  ANY_TEXT,
  BYTES_MAX,
  boolean,
  COUNT_MAX,
  exactly,
  integer,
  MS_MAX,
  section,
  table,
  text,
  word,
} from './parts.ts';

const { memory, queue, recycle } = PLUGIN_DEFAULTS;

const memorySchema = exactly<Partial<PluginMemoryConfig>>()(
  section(
    {
      maxPages: Type.Optional(
        integer(1, 65_536, {
          description:
            'Guest and kernel memory together, in pages of 64 KiB; the 16 pages of the kernel for its own tables are beside it.',
          default: memory.maxPages,
        }),
      ),
      maxVarBytes: Type.Optional(
        integer(0, BYTES_MAX, {
          description: "Names and values of the plugin's variables together, in bytes.",
          default: memory.maxVarBytes,
        }),
      ),
      maxHttpResponseBytes: Type.Optional(
        integer(0, BYTES_MAX, {
          description: 'Body of one response that the plugin fetched, in bytes.',
          default: memory.maxHttpResponseBytes,
        }),
      ),
      maxOutputBytes: Type.Optional(
        integer(0, BYTES_MAX, {
          description: 'Output of one call, in bytes.',
          default: memory.maxOutputBytes,
        }),
      ),
    },
    { description: 'Memory limits. Where the manifest says otherwise too, the stricter wins.' },
  ),
);

const queueSchema = exactly<Partial<QueueConfig>>()(
  section(
    {
      max: Type.Optional(
        integer(1, 1_000_000, {
          description:
            'Requests that may wait in one worker; one more is refused with 503 at once.',
          default: queue.max,
        }),
      ),
      waitMs: Type.Optional(
        integer(1, MS_MAX, {
          description: 'How long a request may wait before it is refused with 503.',
          default: queue.waitMs,
        }),
      ),
    },
    { description: 'Admission to the plugin, per worker.' },
  ),
);

const recycleSchema = exactly<Partial<RecycleConfig>>()(
  section(
    {
      calls: Type.Optional(
        integer(0, COUNT_MAX, {
          description: 'Replace an instance after this many calls; 0 is never.',
          default: recycle.calls,
        }),
      ),
      pages: Type.Optional(
        integer(0, 65_536, {
          description:
            'Replace an instance whose memory holds this many pages of 64 KiB; 0 is never.',
          default: recycle.pages,
        }),
      ),
    },
    { description: 'When an instance is replaced though it is healthy.' },
  ),
);

const probeSchema = exactly<ProbeConfig | null>()(
  Type.Union(
    [
      section(
        {
          function: text(FUNCTION_NAME, { description: 'Exported function that is called.' }),
          input: Type.String({ description: 'Text given as input.' }),
          output: Type.Optional(Type.String({ description: 'Text that must come back.' })),
        },
        { description: 'The call.' },
      ),
      Type.Null(),
    ],
    {
      description:
        'One call after instantiation that must succeed before the plugin counts as ready.',
      default: PLUGIN_DEFAULTS.probe,
    },
  ),
);

const manifestSchema = Type.Union(
  [
    text(FILE_NAME, { description: 'File.' }),
    table(ANY_TEXT, Type.Unknown(), { description: 'Inline.' }),
  ],
  { description: 'An Extism manifest: a file, relative to this one, or written inline.' },
);

/** One entry of `plugins`. */
export const pluginSchema: TUnsafe<PluginEntry> = exactly<PluginEntry>()(
  section(
    {
      wasm: Type.Optional(text(FILE_NAME, { description: 'A wasm file, relative to this file.' })),
      manifest: Type.Optional(manifestSchema),
      wasi: Type.Optional(
        boolean({
          description: 'Gives the plugin WASI preview 1. Go and TinyGo plugins need it.',
          default: PLUGIN_DEFAULTS.wasi,
        }),
      ),
      isolation: Type.Optional(
        word(['shared', 'pool', 'fresh'], {
          description:
            'shared: one instance, its state survives; pool: poolSize of them; fresh: nothing survives a call.',
          default: PLUGIN_DEFAULTS.isolation,
        }),
      ),
      poolSize: Type.Optional(
        integer(1, 1_024, {
          description: 'Instances of isolation "pool", per worker.',
          default: PLUGIN_DEFAULTS.poolSize,
        }),
      ),
      execution: Type.Optional(
        word(['inline', 'thread'], {
          description:
            "inline: in the worker's own thread; thread: in one of the instance's own, ended at the deadline. A plugin that fetches runs in a thread where Node cannot suspend it (before 25).",
          default: PLUGIN_DEFAULTS.execution,
        }),
      ),
      timeoutMs: Type.Optional(
        integer(1, MS_MAX, {
          description: 'Deadline of one call.',
          default: PLUGIN_DEFAULTS.timeoutMs,
        }),
      ),
      memory: Type.Optional(memorySchema),
      queue: Type.Optional(queueSchema),
      recycle: Type.Optional(recycleSchema),
      config: Type.Optional(
        table(ANY_TEXT, Type.String({ writeOnly: true }), {
          description: 'What the plugin reads with config_get.',
          default: PLUGIN_DEFAULTS.config,
        }),
      ),
      allowedHosts: Type.Optional(
        Type.Array(Type.String({ minLength: 1 }), {
          description:
            "Host patterns the plugin may fetch from, in place of its manifest's; [] is none. Absent: its manifest's.",
        }),
      ),
      allowedPaths: Type.Optional(
        table(FILE_NAME, text(FILE_NAME, { description: 'Path in the guest.' }), {
          description:
            'Host directory, relative to this file ("ro:" before it: for reading only) -> path in the guest, in place of those of its manifest; {} is none. Absent: those of its manifest.',
        }),
      ),
      hostFunctions: Type.Optional(
        Type.Union([text(FILE_NAME, { description: 'File.' }), Type.Null()], {
          description:
            'JavaScript module, relative to this file, whose exports the guest may import. Async ones need execution "thread", or Node 25.',
          default: PLUGIN_DEFAULTS.hostFunctions,
        }),
      ),
      probe: Type.Optional(probeSchema),
    },
    { description: 'One plugin.' },
    { oneOf: [{ required: ['wasm'] }, { required: ['manifest'] }] },
  ),
);
