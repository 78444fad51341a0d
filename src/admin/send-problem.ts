/** Sends an error of the admin listener as a problem document. */
import type { FastifyReply } from 'fastify';
import type { ServerError } from '../errors.ts';
import { PROBLEM_TYPE, problemBody } from '../http/problem.ts';

export function sendProblem(reply: FastifyReply, status: number, error: ServerError): FastifyReply {
  // Bytes: to text of any JSON type Fastify adds a charset, which JSON does not have.
  const body = Buffer.from(problemBody(error, status, reply.request.id));
  return reply.code(status).header('content-type', PROBLEM_TYPE).send(body);
}
