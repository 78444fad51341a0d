/**
 * The routes of the live page: `/` and its files below `/live/`, and `/live/events`, the stream for
 * which a token is asked where there is one. The page names everything relative to itself, so that
 * it works below a prefix as well.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ServerError } from '../../errors.ts';
import { sendProblem } from '../send-problem.ts';
import { parseCursors } from './cursors.ts';
import type { LiveFeed } from './live-feed.ts';
import { PAGE_POLICY, type PageFile, readPageFiles } from './page-files.ts';

const PAGE_HEADERS = {
  'content-security-policy': PAGE_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
};

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Kept open after the stream's end, the connection would lead back to the worker that leaves.
  connection: 'close',
  'x-accel-buffering': 'no',
};

/** Adds them to `app`, whose hooks check access. */
export function addLiveRoutes(app: FastifyInstance, feed: LiveFeed): void {
  for (const file of readPageFiles()) {
    app.route({
      method: ['GET', 'HEAD'],
      url: file.name === '' ? '/' : `/live/${file.name}`,
      config: { isOpen: true },
      handler: (request, reply) => sendFile(request, reply, file),
    });
  }
  app.get('/live/events', (request, reply) => {
    try {
      feed.assertRoom();
    } catch (error) {
      reply.headers({ 'retry-after': '1', connection: 'close' });
      return sendProblem(reply, 503, ServerError.from(error));
    }
    reply.hijack();
    for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...STREAM_HEADERS })) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    reply.raw.writeHead(200);
    feed.add(reply.raw, parseCursors(request.raw.headers['last-event-id']));
    return reply;
  });
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: PageFile): FastifyReply {
  const [pathname = '/'] = request.url.split('?');
  if (file.name === '' && !pathname.endsWith('/')) {
    return reply.redirect(`${pathname.slice(pathname.lastIndexOf('/') + 1)}/`, 308);
  }
  return reply.headers(PAGE_HEADERS).type(file.type).send(file.body);
}
