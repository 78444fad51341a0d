/**
 * The composition root of one worker process: plugins, metrics, the two listeners and the socket
 * for its siblings are made here, joined here, and closed here in the order of the drain.
 */
import { lookup } from 'node:dns/promises';
import { type AdminRoutesOptions, addAdminRoutes } from '../admin/admin-routes.ts';
import { askPrimary } from '../admin/ask-primary.ts';
import { ClusterView } from '../admin/cluster-view.ts';
import { createAdminServer } from '../admin/create-admin-server.ts';
import { removeDeadRunDirs } from '../admin/dead-run-dirs.ts';
import { LiveFeed } from '../admin/live/live-feed.ts';
import type { OwnProcess } from '../admin/own-process.ts';
import { prepareRunDir } from '../admin/run-dir.ts';
import { createSiblingServer } from '../admin/sibling-server.ts';
import { Siblings, type Subject } from '../admin/siblings.ts';
import { ADMIN_PATHS } from '../config/admin-paths.ts';
import type { ListenConfig, PluginHostConfig } from '../config/types.ts';
import { ServerError } from '../errors.ts';
import { createPublicServer, type PublicServer } from '../http/create-public-server.ts';
import { Lifecycle } from '../lifecycle/state.ts';
import { createLog, type Logger } from '../log.ts';
import { createWorkerMetrics, type WorkerMetrics } from '../metrics/create-worker-metrics.ts';
import type { ServedPlugin } from '../plugin/served-plugin.ts';
import { readVersion } from '../version.ts';
import { closePlugins, closePluginsWithin, createPlugins } from './create-plugins.ts';
import { drain, stopAccepting } from './drain.ts';
import { drainTimes } from './drain-times.ts';
import { createFailureLog } from './failure-log.ts';
import { LifeRecord } from './life-record.ts';
import { createOwnProcess } from './own-process.ts';
import { claimSlot, readClaims, releaseSlot } from './slot-claims.ts';
import { doOthersServe, type StopReason } from './stop-reason.ts';
import { readHangRecord } from './watchdog/hang-record.ts';
import { startWatchdog, type Watchdog } from './watchdog/watchdog.ts';
import type { WorkerRole } from './worker-role.ts';

export interface WorkerOptions {
  readonly config: PluginHostConfig;
  readonly role: WorkerRole;
  /** Resolves, with the reason, when the worker is to leave. */
  readonly stopRequested: Promise<StopReason>;
  /** Both listeners are bound. */
  readonly onReady: () => void;
  /** Reasons of the primary's why the app is not ready. */
  readonly notReady: () => readonly string[];
}

type App = PublicServer['app'];

const clock = (): number => performance.now();

/**
 * A call whose client is gone may go on until the hard end and this much beyond; a worker that waits
 * for its end longer is killed as one that did not leave.
 */
const CLOSE_PLUGINS_MS = 500;
/** The end does not wait longer for whoever reads the log. */
const FLUSH_LOG_MS = 500;

/**
 * Serves until it is asked to stop, drains, and resolves to the exit code.
 * @throws ServerError when it cannot start.
 */
export async function runWorker(options: WorkerOptions): Promise<number> {
  const { role } = options;
  const { appName, primaryPid } = role;
  const runDir = await prepareRunDir({ given: role.runDir, appName, primaryPid });
  try {
    await serveUntilStopped(options, runDir);
  } catch (error) {
    // The supervisor gives up as well then; after any other error the slot is to be filled again.
    if (ServerError.from(error).isOperatorMistake) releaseSlot(runDir, role.slot, process.pid);
    throw error;
  }
  releaseSlot(runDir, role.slot, process.pid);
  return 0;
}

async function serveUntilStopped(options: WorkerOptions, runDir: string): Promise<void> {
  const { config, role } = options;
  const { logger: log, ...logLines } = createLog(config.log.level, {
    worker: role.slot,
    pid: process.pid,
  });
  claim(options, runDir, log);
  const { lifecycle, life, hangs } = startLife(runDir, role, log);
  const watchdog = await watch(options, runDir, log);
  const plugins = await createPlugins(config, {
    clock,
    marker: watchdog.marker,
    onGuestLine: ({ level, message, ...line }) => log[level](line, message),
  });
  const metrics = createMetrics(options, hangs, logLines.droppedLines);
  const own = createOwnProcess({ slot: role.slot, lifecycle, life, plugins, metrics });
  const admin = await createAdmin(options, { own, metrics, lifecycle, log, runDir });
  const { app, connections, gauges } = createPublicServer({
    http: config.http,
    routes: config.routes,
    plugins,
    requestIdPrefix: requestIdPrefix(role),
    observe: metrics.observeRequest,
    logRequest: config.log.requests ? (record) => log.info(record, 'request') : null,
    isDraining: () => lifecycle.state === 'draining',
    onInternalError: (error, request) => log.error({ err: error, ...request }, 'request failed'),
    onPluginFailure: createFailureLog(log, clock),
    addFurtherRoutes: config.admin.onPublicPort ? admin.addRoutes : null,
    clock,
  });
  metrics.addListener(gauges);
  const close = async (pluginsMs = CLOSE_PLUGINS_MS): Promise<void> => {
    await leave({ plugins, metrics, admin, app, log, pluginsMs });
    await watchdog.stop();
    await logLines.flush(FLUSH_LOG_MS);
  };
  try {
    await listen(app, config.listen);
    await listen(admin.app, config.admin);
  } catch (error) {
    await close();
    throw error;
  }
  lifecycle.advance('ready');
  watchdog.ready();
  options.onReady();

  const reason = await options.stopRequested;
  log.info({ reason }, 'asked to stop');
  lifecycle.advance('draining');
  const isRetired = doOthersServe(role, runDir, reason);
  admin.drain({ isRetired });
  const times = drainTimes(config, { reason, isRetired });
  const hardEndAt = clock() + times.delayMs + times.drainMs;
  await drain({
    server: app.server,
    connections,
    // Only refuses at once; that the calls under way have ended is waited for later.
    refuseWaiting: () => void closePlugins(plugins.values()),
    ...times,
    log,
  });
  lifecycle.advance('closed');
  await close(Math.max(hardEndAt - clock(), CLOSE_PLUGINS_MS));
}

/** A worker serves without, on a disk that is full: it is not expected then, that is all. */
function claim({ config, role }: WorkerOptions, runDir: string, log: Logger): void {
  const { listen, admin } = config;
  try {
    claimSlot(runDir, role.slot, { pid: process.pid, primaryPid: role.primaryPid, listen, admin });
  } catch (err) {
    log.warn({ err }, 'the slot cannot be claimed in the run directory');
  }
}

/** Its states are logged, and remembered for the live page. */
function startLife(
  runDir: string,
  { slot, primaryPid }: WorkerRole,
  log: Logger,
): { lifecycle: Lifecycle; life: LifeRecord; hangs: number } {
  const hang = readHangRecord(runDir, slot, primaryPid);
  const life = new LifeRecord(hang);
  const lifecycle = new Lifecycle((state, previous) => {
    log.info({ state, previous }, 'state');
    life.reached(state);
  });
  return { lifecycle, life, hangs: hang?.hangs ?? 0 };
}

function createMetrics(
  { config, role }: WorkerOptions,
  hangs: number,
  droppedLogLines: () => number,
): WorkerMetrics {
  return createWorkerMetrics({
    worker: role.slot,
    version: readVersion(),
    nodeVersion: process.versions.node,
    restarts: role.restarts,
    hangs,
    droppedLogLines,
    routes: publicPaths(config),
  });
}

function watch({ config, role }: WorkerOptions, runDir: string, log: Logger): Promise<Watchdog> {
  return startWatchdog({
    limitMs: config.watchdogMs,
    slot: role.slot,
    runDir,
    primaryPid: role.primaryPid,
    errorLog: role.errorLog,
    log,
  });
}

interface Admin {
  readonly app: App;
  /** Adds the admin routes to a scope of the public listener. */
  readonly addRoutes: (scope: App) => void;
  /** Ends the live pages, which come back to other workers; a retired one leaves all else to them too. */
  drain(how: { readonly isRetired: boolean }): void;
  closeSocket(): Promise<void>;
}

/** The admin listener, and the socket on which siblings ask this worker. */
async function createAdmin(
  { config, role, notReady }: WorkerOptions,
  parts: {
    own: OwnProcess;
    metrics: WorkerMetrics;
    lifecycle: Lifecycle;
    log: Logger;
    runDir: string;
  },
): Promise<Admin> {
  const { own, metrics, lifecycle, log, runDir } = parts;
  void removeDeadRunDirs({ appName: role.appName });
  const socket = await createSiblingServer({ runDir, own });
  const siblings = new Siblings({ runDir, own, log });
  const ask = (subject: Subject) =>
    askPrimary({ runDir, method: 'GET', path: `/${subject}`, timeoutMs: 500 });
  const live = new LiveFeed({
    siblings,
    columns: metrics.history.columns,
    log,
    ...(role.hasOwnPrimary && { askPrimary: () => ask('status') }),
  });
  let isRetired = false;
  const routes: AdminRoutesOptions = {
    host: config.admin.host,
    token: config.admin.token,
    cluster: new ClusterView({
      siblings,
      expectedWorkers: () => role.expectedWorkers ?? readClaims(runDir, role.primaryPid).length,
      log,
      ...(role.hasOwnPrimary && { askPrimary: ask }),
    }),
    state: () => lifecycle.state,
    notReady,
    isRetired: () => isRetired,
    ...(role.hasOwnPrimary && {
      reload: () => askPrimary({ runDir, method: 'POST', path: '/reload' }),
    }),
    onInternalError: (error, request) => log.error({ err: error, ...request }, 'request failed'),
  };
  const app = createAdminServer({ ...routes, live, requestIdPrefix: requestIdPrefix(role) });
  return {
    app,
    addRoutes: (scope) => addAdminRoutes(scope, { ...routes, host: null }),
    drain: (how) => {
      isRetired = how.isRetired;
      live.close();
      if (isRetired) stopAccepting(app.server);
    },
    closeSocket: () => socket.close(),
  };
}

/** The last steps: nobody is served any more. */
async function leave(parts: {
  plugins: ReadonlyMap<string, ServedPlugin>;
  metrics: WorkerMetrics;
  admin: Admin;
  app: App;
  log: Logger;
  pluginsMs: number;
}): Promise<void> {
  const { plugins, metrics, admin, app, log, pluginsMs } = parts;
  await Promise.allSettled([admin.app.close(), app.close(), admin.closeSocket()]);
  metrics.close();
  if (await closePluginsWithin(pluginsMs, plugins.values())) return;
  log.warn('calls without a client still run, leaving them');
}

/** @throws ServerError `CONFIG_INVALID` when the operator has to choose another address. */
async function listen(app: App, { host, port }: ListenConfig): Promise<void> {
  try {
    // One address: for the name `localhost` Fastify makes a second server, which knows neither the
    // limit of connections nor the drain.
    const { address } = await lookup(host);
    await app.listen({ host: address, port });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ServerError('CONFIG_INVALID', `cannot listen on ${host} port ${port}: ${code}`, {
      cause,
    });
  }
}

/** Every path that the public listener knows: the label `route`. */
function publicPaths({ routes, admin }: PluginHostConfig): readonly string[] {
  const adminPaths = admin.onPublicPort ? Object.keys(ADMIN_PATHS) : [];
  return [...new Set([...routes.map((route) => route.path), ...adminPaths])];
}

/** Different in each process, so that an id in a log names one request. */
function requestIdPrefix({ slot }: WorkerRole): string {
  return `${slot}-${process.pid.toString(36)}-`;
}
