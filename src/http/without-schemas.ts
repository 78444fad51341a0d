/**
 * For Fastify: no route here has a schema. Its own compilers, Ajv and fast-json-stringify, would be
 * loaded all the same, which is a tenth of the CPU time that a worker's start takes.
 */
import type { FastifyServerOptions } from 'fastify';

type SchemaController = NonNullable<FastifyServerOptions['schemaController']>;
type CompilersFactory = NonNullable<SchemaController['compilersFactory']>;

export const WITHOUT_SCHEMAS: { readonly schemaController: SchemaController } = {
  schemaController: {
    compilersFactory: {
      buildValidator: refuseSchema as NonNullable<CompilersFactory['buildValidator']>,
      buildSerializer: refuseSchema as NonNullable<CompilersFactory['buildSerializer']>,
    },
  },
};

function refuseSchema(): never {
  throw new Error('a route with a schema needs the compilers that this server does without');
}
