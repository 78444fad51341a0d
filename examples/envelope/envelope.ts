/**
 * A small web application for routes of `"mode": "http"`: the request comes in as one JSON object, the
 * reply goes out as another, in Simplism's format.
 *   GET /hello/:name   a greeting in JSON; the route's `:name` arrives in `params`
 *   POST               the body again, with its content type
 *   anything else      404
 * Values are taken from the request as the JSON text they are and put into the reply as such. What is
 * never decoded need not be encoded again, so a few lines of scanning are all the JSON this needs.
 */
import { Host } from '@extism/as-pdk';

export function handle(): i32 {
  heap.reset(); // runtime "stub": nothing that an earlier call allocated is needed any more
  Host.output(Uint8Array.wrap(String.UTF8.encode(route(Host.inputString()))));
  return 0;
}

function route(request: string): string {
  const method = member(request, 'method');
  if (method === '"POST"') return echo(request);
  const uri = member(request, 'uri');
  const name = member(member(request, 'params'), 'name');
  if (method === '"GET"' && uri.startsWith('"/hello/') && !isEmpty(name)) return greet(name);
  const body = `"nothing here: ${inner(method)} ${inner(uri)}"`;
  return reply(404, '["text/plain; charset=utf-8"]', `"body":${body}`);
}

function greet(name: string): string {
  const body = asString(`{"message":"Hello ${inner(name)}"}`);
  return reply(200, '["application/json"]', `"body":${body}`);
}

/** A body that is not text comes as `bodyBase64`, and may go back as such. */
function echo(request: string): string {
  const contentTypes = member(member(request, 'header'), 'Content-Type');
  const type = isEmpty(contentTypes) ? '["application/octet-stream"]' : contentTypes;
  const base64 = member(request, 'bodyBase64');
  if (!isEmpty(base64)) return reply(200, type, `"bodyBase64":${base64}`);
  const body = member(request, 'body');
  return reply(200, type, `"body":${isEmpty(body) ? '""' : body}`);
}

/** Header names in canonical form, each with a list of values. */
function reply(code: i32, contentType: string, body: string): string {
  const header = `{"Content-Type":${contentType},"X-Plugin":["envelope"]}`;
  return `{"code":${code},"header":${header},${body}}`;
}

/** JSON text as a JSON string. It holds no control characters, so two replacements are enough. */
function asString(json: string): string {
  return `"${json.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** A JSON string without its quotes. */
function inner(json: string): string {
  return json.substring(1, json.length - 1);
}

function isEmpty(json: string): bool {
  return json === '' || json === '""' || json === 'null';
}

/** The value of a member of a JSON object, as JSON text; '' where there is none. */
function member(object: string, name: string): string {
  const key = `"${name}"`;
  let at = skipSpace(object, 1);
  while (object.charCodeAt(at) === 0x22) {
    const keyEnd = endOfString(object, at);
    const value = skipSpace(object, skipSpace(object, keyEnd) + 1); // behind `:`
    const end = endOfValue(object, value);
    if (object.substring(at, keyEnd) === key) return object.substring(value, end);
    at = skipSpace(object, skipSpace(object, end) + 1); // behind `,` or `}`
  }
  return '';
}

function skipSpace(text: string, from: i32): i32 {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return at;
}

function endOfString(text: string, from: i32): i32 {
  for (let at = from + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) return at + 1;
    if (unit === 0x5c) at++; // the escaped one
  }
  return text.length;
}

function endOfValue(text: string, from: i32): i32 {
  const first = text.charCodeAt(from);
  if (first === 0x22) return endOfString(text, from);
  if (first !== 0x7b && first !== 0x5b) return endOfWord(text, from);
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) at = endOfString(text, at) - 1;
    else if (unit === 0x7b || unit === 0x5b) depth++;
    else if ((unit === 0x7d || unit === 0x5d) && --depth === 0) return at + 1;
  }
  return text.length;
}

/** A number, `true`, `false` or `null`: up to a comma, a bracket or white space. */
function endOfWord(text: string, from: i32): i32 {
  let at = from;
  while (at < text.length && !' ,}]\t\r\n'.includes(text.charAt(at))) at++;
  return at;
}

// AssemblyScript calls it when it gives up; the build line says so, `--use abort=…`.
function abort(_message: string | null, _file: string | null, _line: u32, _column: u32): void {
  unreachable();
}
