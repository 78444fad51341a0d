/**
 * Debian's Chromium on the live page. Whatever the page writes to the console, fails to load or is
 * refused by its policy is kept, and what it knows is read from its own modules.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { ROOT } from '../helpers/paths.ts';

/** Screenshots, which git ignores. */
export const ARTEFACTS: string = path.join(ROOT, 'test-artefacts', 'live-page');

export function launchBrowser(): Promise<Browser> {
  // Chromium's own sandbox does not work as root, and it shows pages of ours only.
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
}

/** What the page has of the last seconds: slot -> plugin -> column -> a value a second. */
export interface PageHistory {
  /** The last second. */
  readonly end: number;
  readonly spans: Readonly<Record<string, number[]>>;
  readonly columns: Readonly<Record<string, Record<string, Record<string, number[]>>>>;
  readonly marks: readonly {
    readonly text: string;
    readonly tone: string;
    readonly atMs: number;
  }[];
}

export class LivePage {
  readonly page: Page;
  /** Console errors and warnings, exceptions, refusals of the policy. */
  readonly problems: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.problems.push(message.text());
    });
    page.on('pageerror', (error) => this.problems.push(String(error.stack)));
  }

  static async open(
    browser: Browser,
    url: string,
    options: BrowserContextOptions = {},
  ): Promise<LivePage> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      ...options,
    });
    const live = new LivePage(await context.newPage());
    await live.page.addInitScript(
      `addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
        console.error('policy', violatedDirective, blockedURI))`,
    );
    await live.page.goto(url);
    return live;
  }

  /** Resolves when the page shows a turn. */
  async live(): Promise<void> {
    await this.page.waitForSelector('#connection[data-state="open"]');
    await this.page.waitForSelector('#workers tbody tr');
  }

  /** How many seconds it has of a worker. */
  filled(slot: string): Promise<number> {
    return this.page.evaluate(`(async () => {
      const { cluster } = await import(new URL('live/app.js', location.href));
      return cluster.history.slots.get('${slot}')?.spans.filter((span) => span > 0).length ?? 0;
    })()`);
  }

  history(seconds = 900): Promise<PageHistory> {
    return this.page.evaluate(`(async () => {
      const { cluster } = await import(new URL('live/app.js', location.href));
      const { history, marks } = cluster;
      const places = Array.from({ length: ${seconds} }, (_one, back) =>
        (history.end - ${seconds} + 1 + back + history.length) % history.length);
      const pick = (values) => places.map((place) => values[place]);
      const slots = [...history.slots];
      return {
        end: history.end,
        marks: marks.list,
        spans: Object.fromEntries(slots.map(([slot, { spans }]) => [slot, pick(spans)])),
        columns: Object.fromEntries(slots.map(([slot, { plugins }]) => [slot,
          Object.fromEntries([...plugins].map(([name, columns]) => [name,
            Object.fromEntries(columns.flatMap((values, index) =>
              values === undefined ? [] : [[index, pick(values)]]))]))])),
      };
    })()`);
  }

  /** What its JavaScript holds once the garbage is gone. */
  async heapBytes(): Promise<number> {
    const session = await this.page.context().newCDPSession(this.page);
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    await session.detach();
    return usedSize;
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(ARTEFACTS, { recursive: true });
    await this.page.screenshot({ path: path.join(ARTEFACTS, `${name}.png`), fullPage: true });
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

/** What a stream says first: how the columns of its rows are made. */
export async function readHello(
  adminUrl: string,
): Promise<{ readonly outcomes: string[]; readonly bounds: number[] }> {
  const reply = await fetch(`${adminUrl}/live/events`);
  let text = '';
  for await (const chunk of reply.body as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString('utf8');
    const [, data] = /^event: hello\ndata: (.*)\n/m.exec(text) ?? [];
    if (data !== undefined) return JSON.parse(data) as Awaited<ReturnType<typeof readHello>>;
  }
  throw new Error('the stream ended');
}

/** Sum over slots and seconds of some columns of a plugin. */
export function sumColumns(
  { columns }: PageHistory,
  { slot, plugin, first, count }: { slot?: string; plugin: string; first: number; count: number },
): number[] {
  return Array.from(
    { length: count },
    (_one, index) =>
      Object.entries(columns)
        .filter(([name]) => slot === undefined || name === slot)
        .flatMap(([, plugins]) => plugins[plugin]?.[first + index] ?? [])
        .reduce((sum, value) => sum + value, 0),
    // A late row is spread over the seconds it spans, in fractions of 24 bits.
  ).map(Math.round);
}
