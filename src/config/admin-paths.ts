/**
 * The paths of the admin listener, for whoever has to keep clear of them on the public port: a rule
 * and the metrics. admin/ adds the routes; a test holds this list to them.
 */
import type { HttpMethod } from './types.ts';

/** Path -> methods. Exact paths only: the router prefers them to parameters and wildcards. */
export const ADMIN_PATHS: Readonly<Record<string, readonly HttpMethod[]>> = {
  '/metrics': ['GET', 'HEAD'],
  '/status': ['GET', 'HEAD'],
  '/livez': ['GET', 'HEAD'],
  '/readyz': ['GET', 'HEAD'],
  '/-/reload': ['POST'],
};
