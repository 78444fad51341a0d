/**
 * Links one instance through the SDK and brings its parts together: exports, kernel, host side,
 * deadline, WASI. Nothing of the guest has run when this is done.
 */
import createPlugin from '@extism/extism';
import { ServerError } from '../errors.ts';
import { Deadline } from './deadline.ts';
import { GROW_SLOT, REFUEL_SLOT } from './guard/additions.ts';
import type { InstanceHttp, InstanceOptions } from './instance-options.ts';
import { bindHostFunctions, hasAsync } from './kernel/bind-host-functions.ts';
import { CallContext } from './kernel/call-context.ts';
import type { GuestHttp } from './kernel/http-host.ts';
import { KERNEL_HOST_NAMESPACE, Kernel } from './kernel/kernel.ts';
import { KernelHost } from './kernel/kernel-host.ts';
import { KERNEL_LINK_NAMESPACE } from './kernel/kernel-item.ts';
import type { KernelInstance } from './kernel/kernel-store.ts';
import { GUARD_ANSWERS, type LinkPlan } from './link-plan.ts';
import { MemoryRoom, type PageCount } from './memory-room.ts';
import type { GuestWasi } from './wasi/guest-wasi.ts';
import { WASI_HOST_NAMESPACE } from './wasi/wasi-item.ts';

export interface InlineParts {
  readonly exports: WebAssembly.Exports;
  readonly kernel: Kernel;
  /** The same, to be given back. */
  readonly kernelInstance: KernelInstance;
  readonly host: KernelHost;
  readonly context: CallContext;
  readonly deadline: Deadline;
  readonly room: MemoryRoom;
  readonly http: InstanceHttp | null;
  /** null: the plugin does not import WASI. */
  readonly wasi: GuestWasi | null;
  /** Of the plugin's own module. */
  readonly memory: WebAssembly.Memory | null;
  /** The pages that the guest sees of it, where a snapshot is to be laid back and it can grow. */
  readonly size: WebAssembly.Global<number> | null;
  /** Mutable globals of all modules, for a snapshot. */
  readonly globals: readonly WebAssembly.Global[];
  /** Whether a call may wait on the host, which makes it a promise. */
  readonly isSuspending: boolean;
}

const WASM_PAGE_BYTES = 65_536;
/** Variables of one instance, beside the limit on their bytes. */
const MAX_VARS = 10_000;
const LOG_LIMITS = { maxLines: 1000, maxLineBytes: 8192 } as const;
/** A guest that asks again and again for memory it cannot have is ended. */
const MAX_REFUSED_ALLOCATIONS = 100;

/** @throws ServerError `PLUGIN_COMPILE_FAILED` when an import cannot be linked. */
export async function linkParts(options: InstanceOptions): Promise<InlineParts> {
  const { plan, hostFunctions } = options;
  const deadline = new Deadline(options.clock);
  const http = options.createHttp?.(() => deadline.remainingMs) ?? null;
  const room = new MemoryRoom(options.memory.maxPages, options.reservedPages);
  const host = createHost(options, { deadline, room, http });
  const wasi = plan.usesWasi ? await createWasi(options, deadline) : null;
  const kernelInstance = options.kernels.take(host);
  const kernel = new Kernel(kernelInstance.exports, {
    maxHeapPages: options.memory.maxPages,
    maxOutputBytes: options.memory.maxOutputBytes,
  });
  host.attach(kernel);
  const context = new CallContext(kernel, host.vars);
  const exports = await instantiate(options, {
    ...bindHostFunctions(hostFunctions, {
      host,
      context: () => context,
      resultTypes: plan.resultTypes,
    }),
    [KERNEL_LINK_NAMESPACE]: kernelInstance.linked,
    [KERNEL_HOST_NAMESPACE]: { refuel: deadline.refuel, may_guest_grow: room.mayGuestGrow },
    ...(wasi === null ? {} : { [WASI_HOST_NAMESPACE]: wasi.functions }),
  });
  const guards = plan.modules.flatMap(({ guard }) => (guard === null ? [] : [guard]));
  for (const { check } of guards) {
    const table = exports[check] as WebAssembly.Table;
    table.set(REFUEL_SLOT, exports[GUARD_ANSWERS.refuel]);
    table.set(GROW_SLOT, exports[GUARD_ANSWERS.mayGrow]);
  }
  deadline.attach(guards.map(({ fuel }) => exports[fuel] as WebAssembly.Global<number>));
  const memory = plan.memory === null ? null : (exports[plan.memory] as WebAssembly.Memory);
  if (memory !== null) wasi?.attach(memory);
  const size = plan.modules.find((module) => module.size !== null)?.size ?? null;
  room.attach(countPages(plan, exports, memory), kernel);
  return {
    exports,
    kernel,
    kernelInstance,
    host,
    context,
    deadline,
    room,
    http,
    wasi,
    memory,
    size: size === null ? null : (exports[size] as WebAssembly.Global<number>),
    globals: plan.modules.flatMap(({ globals }) =>
      globals.map((name) => exports[name] as WebAssembly.Global),
    ),
    isSuspending: http?.kind === 'suspending' || hasAsync(hostFunctions),
  };
}

/** One for each memory; a module that imports another's leaves it to that one. */
function countPages(
  { modules, isMemoryUnguarded }: LinkPlan,
  exports: WebAssembly.Exports,
  memory: WebAssembly.Memory | null,
): PageCount[] {
  const counts = modules.flatMap(({ pages }) =>
    pages === null ? [] : [exports[pages] as PageCount],
  );
  if (isMemoryUnguarded && memory !== null) {
    counts.push(() => memory.buffer.byteLength / WASM_PAGE_BYTES);
  }
  return counts;
}

async function instantiate(
  options: InstanceOptions,
  functions: Record<string, Record<string, unknown>>,
): Promise<WebAssembly.Exports> {
  try {
    // Every option is given: the SDK's defaults read the environment, and a shared `functions`
    // object would carry one instance's rights into another. Config, hosts and paths are ours.
    const plugin = await createPlugin(
      { wasm: options.plan.items.map(({ name, module }) => ({ name, module: module as never })) },
      {
        useWasi: false,
        enableWasiOutput: false,
        runInWorker: false,
        functions: functions as never,
        allowedHosts: [],
        allowedPaths: {},
        config: {},
        logLevel: 'silent',
      },
    );
    const instance = (await plugin.getInstance()) as unknown as WebAssembly.Instance;
    return instance.exports;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ServerError(
      'PLUGIN_COMPILE_FAILED',
      `plugins.${options.plugin}: cannot be linked: ${reason}`,
      { cause },
    );
  }
}

function createHost(
  options: InstanceOptions,
  {
    deadline,
    room,
    http,
  }: { readonly deadline: Deadline; readonly room: MemoryRoom; readonly http: GuestHttp | null },
): KernelHost {
  return new KernelHost({
    config: options.config,
    vars: { maxBytes: options.memory.maxVarBytes, maxCount: MAX_VARS },
    log: LOG_LIMITS,
    logSink: options.logSink,
    http,
    mayGrow: room.mayGrow,
    maxRefusedAllocations: MAX_REFUSED_ALLOCATIONS,
    trip: deadline.end,
    checkDeadline: deadline.check,
    isOver: deadline.isOver,
    remainingMs: () => deadline.remainingMs,
  });
}

async function createWasi(options: InstanceOptions, deadline: Deadline): Promise<GuestWasi> {
  const { createGuestWasi } = await import('./wasi/guest-wasi.ts');
  return createGuestWasi({
    preopens: options.mounts,
    outputSink: options.outputSink,
    output: LOG_LIMITS,
    remainingMs: () => deadline.remainingMs,
    checkDeadline: deadline.check,
    isOver: deadline.isOver,
    trip: deadline.end,
  });
}
