/**
 * The guard: takes a WebAssembly module as its author built it and gives back one that a host can
 * end at a deadline and that stays within limits. Reads, walks, rewrites and validates at load;
 * nothing of it runs during a call. Used by the plugin's compile step.
 *
 * The promise: between two questions to the host a guarded module does a bounded amount of work,
 * whatever it contains. Every way to run for long goes through a loop's head, through the entry of
 * a function that can be part of a recursion, through an operation charged by its operand, or through
 * more straight code than is left without a check (open-blocks.ts).
 */
import { ServerError } from '../../errors.ts';
import { type Additions, addedFunctionTypes, planAdditions } from './additions.ts';
import { BodyScan } from './body-scan.ts';
import { ByteWriter } from './byte-writer.ts';
import { CallCosts } from './call-costs.ts';
import { describeImports, describeMemory } from './describe-module.ts';
import {
  checkReservedNames,
  exportedFunctions,
  guardedExports,
  guardedGlobals,
} from './exported-names.ts';
import { findFreeFunctions } from './free-functions.ts';
import { FunctionNames } from './function-names.ts';
import type { GuardedModule, GuardOptions } from './guarded-module.ts';
import { clampMemory, clampTables } from './limits.ts';
import { type ModuleFacts, SECTION } from './module-facts.ts';
import { readModule } from './read-module.ts';
import { refusal, unsupported } from './refusal.ts';
import { CodeRewriter } from './rewrite-code.ts';
import { writeAddedBodies } from './runtime-functions.ts';
import { checkSnapshot, mutableGlobals } from './snapshot-check.ts';
import { StateChanges } from './state-changes.ts';
import { checkValid, compile } from './validation.ts';
import { writeModule } from './write-module.ts';

/** Larger modules would take several times as much memory to rewrite. */
const MAX_MODULE_BYTES = 256 * 1024 * 1024;
/** V8's limit for the body of one function. */
const MAX_BODY_BYTES = 7_654_321;

/**
 * Rewrites a module. Throws PLUGIN_COMPILE_FAILED for one that is not valid, that breaks a limit or
 * that uses what cannot be guarded (`details.execution` then says that a thread can run it).
 */
export function guardModule(bytes: Uint8Array, options: GuardOptions): GuardedModule {
  try {
    if (bytes.length > MAX_MODULE_BYTES) {
      throw refusal(`${bytes.length} bytes, the limit is ${MAX_MODULE_BYTES}`);
    }
    checkValid(bytes, () => walkOnly(readModule(bytes)));
    return rewrite(readModule(bytes), options);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    const { code, message, cause, details } = error;
    throw new ServerError(code, `${options.label}: ${message}`, { cause, details });
  }
}

function rewrite(facts: ModuleFacts, options: GuardOptions): GuardedModule {
  checkReservedNames(facts);
  const changes = new StateChanges();
  const first = rewriteCode(facts, changes, planAdditions(facts, false));
  refuseTags(facts);
  const snapshot = checkSnapshot(facts, changes);
  const isForSnapshot = options.snapshot !== null && snapshot.restorable;
  const globals = isForSnapshot ? mutableGlobals(facts) : [];
  // Known only now that all of the code was walked.
  const hasOwnSize = isForSnapshot && options.snapshot === 'calls' && changes.growsMemory;
  const added = planAdditions(facts, hasOwnSize);
  const code = added.sizeGlobal === null ? first : rewriteCode(facts, changes, added);
  const memory = clampMemory(facts, options.maxMemoryPages);
  const bytes = writeModule(facts, {
    added,
    code,
    memory,
    tables: clampTables(facts, changes, options.maxTableElements),
    exports: guardedExports(facts, added, globals),
  });
  return {
    unguarded: null,
    module: compile(bytes),
    bytes,
    functions: exportedFunctions(facts),
    imports: describeImports(facts),
    memory: describeMemory(facts, memory),
    ownPages: { min: memory?.min ?? 0, max: memory?.max ?? 0 },
    hasStart: facts.startFunction >= 0,
    globals: guardedGlobals(facts, added, globals),
    snapshot,
  };
}

function refuseTags(facts: ModuleFacts): void {
  if (!facts.sections.some(({ id }) => id === SECTION.tag)) return;
  throw unsupported('a tag section', 'exception handling', 'the module');
}

/** Reads everything and writes nothing, for what it throws. */
function walkOnly(facts: ModuleFacts): void {
  rewriteCode(facts, new StateChanges(), planAdditions(facts, false));
  refuseTags(facts);
}

function rewriteCode(facts: ModuleFacts, changes: StateChanges, added: Additions): ByteWriter {
  const names = new FunctionNames(facts);
  const costs = new CallCosts(facts);
  const scan = new BodyScan(facts, names, costs, changes);
  findFreeFunctions(facts, scan, costs);
  const rewriter = new CodeRewriter(facts.bytes, scan, costs, added);
  const code = new ByteWriter(Math.ceil(facts.bytes.length * 1.25));
  const body = new ByteWriter(4096);
  code.u32(facts.bodyStarts.length + addedFunctionTypes(facts, added).length);
  for (let index = facts.importedFunctions; index < facts.functionTypes.length; index += 1) {
    body.clear();
    rewriter.rewrite(index, body);
    if (body.length > MAX_BODY_BYTES) {
      throw refusal(`${names.describe(index)} is longer than ${MAX_BODY_BYTES} bytes when guarded`);
    }
    code.sized(body);
  }
  writeAddedBodies(code, facts, added);
  return code;
}
