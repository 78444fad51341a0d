/** Options that make no load, exclude each other, or that a tool cannot do: the caller's mistake, in one line. */
export class BadOptions extends TypeError {}
