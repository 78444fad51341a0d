/**
 * The schema of one entry of `routes`, checked by the compiler against RouteEntry.
 * Whether the plugin exists and no two routes are alike is for rules.ts.
 */
import { type TUnsafe, Type } from 'typebox';
import type { RouteEntry } from '../src/config/config-file.ts';
import { ROUTE_DEFAULTS } from '../src/config/defaults.ts';
import {
  CONTENT_TYPE,
  FUNCTION_NAME,
  PLUGIN_NAME,
  ROUTE_PATH,
} from '../src/config/value-shapes.ts';
import { exactly, integer, section, text, word } from './parts.ts';

const methodSchema = word(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'], {
  description: 'An HTTP method.',
});

/** One entry of `routes`. */
export const routeSchema: TUnsafe<RouteEntry> = exactly<RouteEntry>()(
  section(
    {
      method: Type.Optional(
        Type.Union([methodSchema, Type.Array(methodSchema, { minItems: 1, uniqueItems: true })], {
          description: 'One method or a list of them.',
          default: ROUTE_DEFAULTS.methods[0],
        }),
      ),
      path: text(ROUTE_PATH, { description: 'Public path: /a, /a/:id or /a/*.' }),
      plugin: text(PLUGIN_NAME, { description: 'A key of plugins.' }),
      function: text(FUNCTION_NAME, { description: 'Exported function of that plugin.' }),
      mode: Type.Optional(
        word(['raw', 'http'], {
          description:
            'raw: body in, output out; http: the JSON envelope of a whole request and reply.',
          default: ROUTE_DEFAULTS.mode,
        }),
      ),
      contentType: Type.Optional(
        text(CONTENT_TYPE, {
          description: 'The content-type of a raw reply.',
          default: ROUTE_DEFAULTS.contentType,
        }),
      ),
      errorStatus: Type.Optional(
        Type.Union([integer(400, 599, { description: 'A status.' }), Type.Null()], {
          description: 'Status for whatever the plugin does wrong, instead of 500, 502 and 504.',
          default: ROUTE_DEFAULTS.errorStatus,
        }),
      ),
      errorBody: Type.Optional(
        word(['problem', 'plugin'], {
          description: "problem: RFC 9457 JSON; plugin: the plugin's own error text.",
          default: ROUTE_DEFAULTS.errorBody,
        }),
      ),
    },
    { description: 'One public path.' },
  ),
);
