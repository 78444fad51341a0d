/**
 * Reads server-sent events out of pieces of text as they come. EventSource would do it, but cannot
 * send the header that carries a token.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */

/**
 * @typedef {object} ServerEvent
 * @property {string} type
 * @property {string} id empty where the event has none
 * @property {string} data
 */

export class SseParser {
  #onEvent;
  #rest = '';

  /** @param {(event: ServerEvent) => void} onEvent */
  constructor(onEvent) {
    this.#onEvent = onEvent;
  }

  /** @param {string} text the next piece; where it is cut does not matter */
  push(text) {
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) this.#read(block);
  }

  /** @param {string} block lines of one event */
  #read(block) {
    const event = { type: 'message', id: '', data: '' };
    for (const line of block.split('\n')) {
      const colon = line.indexOf(':');
      const value = line.slice(colon + 1).replace(/^ /, '');
      const field = line.slice(0, colon);
      if (field === 'event') event.type = value;
      else if (field === 'id') event.id = value;
      else if (field === 'data') event.data += value;
    }
    if (event.data !== '') this.#onEvent(event);
  }
}
