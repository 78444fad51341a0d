/** The same by a promise: the guest is suspended meanwhile, which needs an engine with JSPI (Node 25). */
export const bench = {
  wait: async (_context, ms) => {
    await new Promise((resolve) => setTimeout(resolve, Number(ms)));
  },
};
