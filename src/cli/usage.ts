/** The text of `plugind --help`. A test holds it against the table of settings. */

/** Ends without a newline. */
export const USAGE = `plugind serves Extism plugins (WebAssembly) over HTTP on every core.

Usage:
  plugind serve [WASM FUNCTION [PORT]] [flags]   serve plugins
  plugind check [WASM FUNCTION [PORT]] [flags]   load everything, print routes and limits, serve nothing
  plugind reload [--run-dir DIR]                 roll the workers onto what configuration and plugins are now
  plugind verify URL [flags]                     whether a running server ever mixes up its callers' answers

What is served:
  WASM FUNCTION      one plugin: POST / calls FUNCTION of the file WASM
  --config FILE      the plugins and routes of a configuration file
  neither            ./plugind.json if there, else the bundled hello plugin

Flags:                                                      environment:
  --config FILE      configuration file                     PLUGIND_CONFIG
  --host HOST        public address (127.0.0.1)             PLUGIND_HOST
  --port PORT        public port (8080); 0: any free one    PLUGIND_PORT, else PORT
  --workers N|auto   processes (auto: one a CPU)            PLUGIND_WORKERS
  --admin-host HOST  address of /metrics (127.0.0.1)        PLUGIND_ADMIN_HOST
  --admin-port PORT  port of /metrics (9464)                PLUGIND_ADMIN_PORT
  --run-dir DIR      reload: of which server; needed       PLUGIND_RUN_DIR
                     where this user runs several
  --connections N    verify: connections at once (50)
  --requests N       verify: requests a method (5000)
  --method M         verify: POST, GET or both (both); a GET has its id where
                     the URL says {id}, else in the query as id=
  -h, --help         this text
  -v, --version      the version

PLUGIND_WASM and PLUGIND_FUNCTION stand for WASM and FUNCTION.
A flag goes before the environment, the environment before the file.

Exit code: 0 stopped or reloaded as asked, or nothing was mixed up; 1 failed (a reload: the old workers
serve on; verify: some answers were another's); 2 a mistake in arguments, configuration or plugin, or a
server that cannot be judged (no answer, or one that does not hold what was sent).`;
