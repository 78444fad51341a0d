/**
 * fetch for processes that come and go: Node's round-robin primary may hand one connection to a
 * worker that is dead or stopped, where it hangs. Such an attempt is given up and made anew; any
 * other failure is the test's.
 */
const ATTEMPT_MS = 3000;
const ATTEMPTS = 5;

export async function fetchSoon(url: string, init: RequestInit = {}): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetch(url, { ...init, signal: AbortSignal.timeout(ATTEMPT_MS) });
    } catch (error) {
      if ((error as Error).name !== 'TimeoutError' || attempt === ATTEMPTS) throw error;
    }
  }
}
