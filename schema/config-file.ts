/**
 * The schema of plugind.json, checked by the compiler against ConfigFile. build.ts writes it to
 * plugind.schema.json, which the server holds files against and which helps editors.
 */
import { type TSchema, type TUnsafe, Type } from 'typebox';
import type { ConfigFile } from '../src/config/config-file.ts';
import { DEFAULTS } from '../src/config/defaults.ts';
import type {
  AdminConfig,
  HttpConfig,
  ListenConfig,
  LogConfig,
  ShutdownConfig,
} from '../src/config/types.ts';
import { HOST, MAX_PORT, MAX_WORKERS, PLUGIN_NAME, TOKEN } from '../src/config/value-shapes.ts';
import {
  BYTES_MAX,
  boolean,
  exactly,
  integer,
  MS_MAX,
  section,
  table,
  text,
  word,
} from './parts.ts';
import { pluginSchema } from './plugin.ts';
import { routeSchema } from './route.ts';

const { listen, admin, http, shutdown, log } = DEFAULTS;

const HOST_TEXT = 'Name or IP address to bind; IPv6 without brackets.';
const PORT_TEXT = 'TCP port; 0 lets the system choose.';

const listenSchema = exactly<Partial<ListenConfig>>()(
  section(
    {
      host: Type.Optional(text(HOST, { description: HOST_TEXT, default: listen.host })),
      port: Type.Optional(integer(0, MAX_PORT, { description: PORT_TEXT, default: listen.port })),
    },
    { description: 'The public listener: routes only.' },
  ),
);

const adminSchema = exactly<Partial<AdminConfig>>()(
  section(
    {
      host: Type.Optional(text(HOST, { description: HOST_TEXT, default: admin.host })),
      port: Type.Optional(integer(0, MAX_PORT, { description: PORT_TEXT, default: admin.port })),
      token: Type.Optional(
        Type.Union([text(TOKEN, { description: 'The token.' }), Type.Null()], {
          description: 'Bearer token; required beyond loopback and with onPublicPort.',
          default: admin.token,
          writeOnly: true,
        }),
      ),
      onPublicPort: Type.Optional(
        boolean({
          description:
            'Serves the admin paths under the public port too; they go before wildcards and parameters of routes.',
          default: admin.onPublicPort,
        }),
      ),
    },
    { description: 'The private listener: /metrics, /livez, /readyz, /status and the live page.' },
  ),
);

const httpSchema = exactly<Partial<HttpConfig>>()(
  section(
    {
      bodyLimitBytes: Type.Optional(
        integer(1, BYTES_MAX, {
          description: 'Largest request body in bytes.',
          default: http.bodyLimitBytes,
        }),
      ),
      headersTimeoutMs: Type.Optional(
        integer(1, MS_MAX, {
          description: 'Time a client has to send its request head.',
          default: http.headersTimeoutMs,
        }),
      ),
      requestTimeoutMs: Type.Optional(
        integer(1, MS_MAX, {
          description: 'Time a client has to send its whole request.',
          default: http.requestTimeoutMs,
        }),
      ),
      sendTimeoutMs: Type.Optional(
        integer(1, MS_MAX, {
          description: 'How long a client may take nothing of its reply; then its connection ends.',
          default: http.sendTimeoutMs,
        }),
      ),
      keepAliveTimeoutMs: Type.Optional(
        integer(1, MS_MAX, {
          description: 'How long an idle connection is kept. The grace of a drain follows it.',
          default: http.keepAliveTimeoutMs,
        }),
      ),
      maxConnections: Type.Optional(
        integer(1, 1_000_000, {
          description: 'Connections of one worker; one over it is destroyed at once.',
          default: http.maxConnections,
        }),
      ),
    },
    { description: 'Limits of the HTTP server.' },
  ),
);

const shutdownSchema = exactly<Partial<ShutdownConfig>>()(
  section(
    {
      delayMs: Type.Optional(
        integer(0, MS_MAX, {
          description: 'Readiness says 503 this long before the listener closes.',
          default: shutdown.delayMs,
        }),
      ),
      drainMs: Type.Optional(
        integer(1, MS_MAX, {
          description: 'Hard end of a drain; raise it with long calls.',
          default: shutdown.drainMs,
        }),
      ),
    },
    { description: 'How a worker leaves.' },
  ),
);

const logSchema = exactly<Partial<LogConfig>>()(
  section(
    {
      level: Type.Optional(
        word(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
          description: 'Least severe level that is written.',
          default: log.level,
        }),
      ),
      requests: Type.Optional(
        boolean({
          description: 'One line a request. It doubles the CPU of a small request.',
          default: log.requests,
        }),
      ),
    },
    { description: 'What is logged.' },
  ),
);

/** A whole file. */
export const configFileSchema: TUnsafe<ConfigFile> = exactly<ConfigFile>()(
  section(
    {
      $schema: Type.Optional(Type.String({ description: 'This schema, for editors.' })),
      listen: Type.Optional(listenSchema),
      admin: Type.Optional(adminSchema),
      workers: Type.Optional(
        Type.Union(
          [
            word(['auto'], { description: 'By CPUs.' }),
            integer(1, MAX_WORKERS, { description: 'A number.' }),
          ],
          {
            description:
              'Processes. auto: the CPUs, or fewer where the control group allows less CPU time.',
            default: DEFAULTS.workers,
          },
        ),
      ),
      http: Type.Optional(httpSchema),
      shutdown: Type.Optional(shutdownSchema),
      watchdogMs: Type.Optional(
        integer(100, MS_MAX, {
          description: 'A worker whose event loop hangs this long is killed.',
          default: DEFAULTS.watchdogMs,
        }),
      ),
      watch: Type.Optional(
        boolean({
          description: 'Rolls the workers when a plugin file or this file changes.',
          default: DEFAULTS.watch,
        }),
      ),
      log: Type.Optional(logSchema),
      plugins: table(
        PLUGIN_NAME,
        pluginSchema,
        { description: 'Plugins by name.' },
        { minProperties: 1 },
      ),
      routes: Type.Array(routeSchema, { description: 'Public paths.', minItems: 1 }),
    },
    { description: 'Configuration of plugind.' },
  ),
);

/** What plugind.schema.json holds. */
export function jsonSchema(): Record<string, unknown> {
  const plain = JSON.parse(JSON.stringify(configFileSchema satisfies TSchema));
  return { $schema: 'http://json-schema.org/draft-07/schema#', title: 'plugind', ...plain };
}
