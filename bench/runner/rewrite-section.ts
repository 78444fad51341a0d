/** Replaces what stands between the bench's markers in a text. */

const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';

/** @throws Error when the text has not exactly one begin and, after it, one end. */
export function rewriteSection(text: string, section: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  const isOnce = text.lastIndexOf(BEGIN) === begin && text.lastIndexOf(END) === end;
  if (begin < 0 || end < begin || !isOnce) {
    throw new Error(`there must be one ${BEGIN} and after it one ${END}`);
  }
  return `${text.slice(0, begin + BEGIN.length)}\n${section.trim()}\n${text.slice(end)}`;
}
